"""Write docs/performance.md from the results of the benchmarks."""

import argparse
import json
from pathlib import Path
from typing import Any

from common import format_number, run

HEAD = """# Performance

Written by `make bench` from `benchmarks/results/*.json`; every figure has the command that makes it. A figure is the
median of the rounds of one run, with the smallest and the largest behind it; the contenders of a run take turns, and a
ratio is taken round by round (ours over the peer's). What was not run says so. A load far above the number of cores
means that the machine had other work: run it again.
"""
NAMES = ("segment", "features", "scaling", "train_step", "end_to_end", "schedule")


def main() -> None:
    """Read every result, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="?", type=Path, default="benchmarks/results", help="(default: %(default)s)")
    parser.add_argument("page", nargs="?", type=Path, default="docs/performance.md", help="(default: %(default)s)")
    options = parser.parse_args()
    sections = [HEAD]
    for name in NAMES:
        path = options.results / f"{name}.json"
        sections.append(section(json.loads(path.read_text())) if path.exists() else f"## {name}\n\nNot run.\n")
    options.page.write_text("\n".join(sections), encoding="utf-8")


def section(report: dict[str, Any]) -> str:
    """One benchmark: its command, its machine, its rows."""
    machine = report["machine"]
    setting = (
        f"{machine['cpu']}, {machine['cores']} cores (torch uses {machine['threads']}), "
        f"load {machine['load']} at the end, {machine['memory']}, "
        f"GPU: {machine['gpu']}; Python {machine['python']}, torch {machine['torch']}"
    )
    lines = [
        f"## {report['benchmark']}",
        "",
        f"`{report['command']}`, {report['date']}, on: {setting}.",
        "",
        "| what | ours | peer | ratio | goal |",
        "|---|---|---|---|---|",
        *(table_line(row) for row in report["rows"]),
        "",
    ]
    return "\n".join(lines)


def table_line(row: dict[str, Any]) -> str:
    """A line of the table."""
    if row["not_run"]:
        cells = ["not run", "", f"not run: {row['not_run']}"]
    else:
        cells = [f"{spread(row['ours'])} {row['unit']}", spread(row["peer"]), spread(row["ratio"])]
    return "| " + " | ".join([row["what"], *cells, row["goal"]]) + " |"


def spread(values: dict[str, float] | None) -> str:
    """Median (smallest to largest), or the only value."""
    if values is None:
        return ""
    if values["low"] == values["high"]:
        return format_number(values["median"])
    return f"{format_number(values['median'])} ({format_number(values['low'])} to {format_number(values['high'])})"


if __name__ == "__main__":
    run(main)
