"""What a page shows of a run: where it stands, warnings, curves, and its configuration."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from textgroup.errors import InputError
from textgroup.files import check_size
from textgroup.report.figures import curves
from textgroup.report.sections import Panel, Section, plain_rows
from textgroup.training.runs.directory import CONFIG, LOG
from textgroup.training.runs.log import read

LONGEST_LOG, LONGEST_CONFIG = 1 << 28, 1 << 18
"""Bytes of a log.jsonl and of a config.yaml; a run of a million lines has a smaller log."""
MOST_POINTS, MOST_CURVES = 1000, 40
"""Points of a curve, evenly chosen, and curves of a page."""
UNITS_TEXT = (
    "Monitors of the units: entropy 1 is a uniform map, biggest_share 1 one group for everything, leak the share of "
    "what the groups tell the decoder that goes around the assignment. Of losses and of these three less is better; of "
    "recall (val_i2t, val_t2i: image to text, text to image, per cent) more."
)

LAST_STEP, LARGEST = 1 << 53, 1e300
"""Larger steps and numbers are of no run, and cannot be drawn."""

Line = dict[str, Any]
Points = list[tuple[int, float]]
"""Step and value."""
Series = dict[str, tuple[list[int], list[float]]]


def run_sections(run: Path) -> list[Section]:
    """The page of the run in a directory with config.yaml and log.jsonl. Raises `InputError` for files that are not."""
    lines = read_lines(run / LOG)
    if not lines:
        raise InputError(f"{run / LOG}: no step is logged yet: there is nothing to show")
    series = _series(lines)
    shown = dict(list(series.items())[:MOST_CURVES])
    skipped = f" {len(series) - len(shown)} more figures of the log are not shown." if len(series) > len(shown) else ""
    figures = [(name, f"{points[-1][1]:.4g}") for name, points in shown.items()]
    title = f"After step {lines[-1]['step']:,}"
    return [
        Section(title, warnings=told_warnings(lines), columns=("last logged", ""), rows=plain_rows(figures)),
        Section("Curves", intro=UNITS_TEXT + skipped, panels=_panels(shown)),
        Section("Configuration", text=_configuration(run / CONFIG)),
    ]


def read_lines(log: Path) -> list[Line]:
    """The lines of a log, in order. Raises `InputError` for what no run writes."""
    check_size(log, LONGEST_LOG)
    try:
        lines = read(log)
    except (ValueError, RecursionError):
        raise InputError(f"{log}: not a log of a run: not JSON, line by line") from None
    for number, line in enumerate(lines, 1):
        step = line.get("step") if isinstance(line, dict) else None
        if not isinstance(step, int) or not 0 <= step < LAST_STEP:
            raise InputError(f"{log}: line {number} is none of a run's log: it has no step")
    return lines


def told_warnings(lines: Sequence[Line]) -> list[str]:
    """One sentence for each kind of warning: how often, when, and its last words."""
    steps: dict[str, list[int]] = {}
    words: dict[str, str] = {}
    for line in lines:
        warnings = line.get("warnings", [])
        for warning in warnings if isinstance(warnings, list) else []:
            kind = str(warning).partition(":")[0]
            steps.setdefault(kind, []).append(line["step"])
            words[kind] = str(warning)
    logged = len(lines)
    return [
        f"{words[kind]} (at {len(at):,} of {logged:,} logged steps, from step {at[0]:,} to step {at[-1]:,})"
        for kind, at in steps.items()
    ]


def _series(lines: Sequence[Line]) -> dict[str, Points]:
    """The finite numbers of each name, with their steps."""
    series: dict[str, Points] = {}
    for line in lines:
        for name, value in line.items():
            if name == "step" or isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if abs(value) < LARGEST:
                series.setdefault(name, []).append((line["step"], float(value)))
    return series


def _panels(series: Mapping[str, Points]) -> list[Panel]:
    """A panel for each figure; a loss has its validation in the same one, recalls stand together by direction."""
    grouped: dict[str, Series] = {}
    for name, points in series.items():
        base = name.removeprefix("val_")
        direction, found, rank = base.rpartition("_r")
        if name != base and base not in series and found:
            title, label = f"recall, {direction}", f"at {rank}"
        else:
            title, label = base, "training" if name == base else "validation"
        grouped.setdefault(title, {})[label] = _thinned(points)
    return [Panel.of(f"{title}, by step", curves([(title, lines)])) for title, lines in grouped.items()]


def _thinned(points: Points) -> tuple[list[int], list[float]]:
    """At most about `MOST_POINTS` of them, the last one included, as x and y."""
    kept = points[:: math.ceil(len(points) / MOST_POINTS)] + points[-1:]
    return [x for x, _ in kept], [y for _, y in kept]


def _configuration(path: Path) -> str:
    """The text of config.yaml; what cannot be read is said."""
    if not path.is_file():
        return f"{path.name} is missing"
    check_size(path, LONGEST_CONFIG)
    return path.read_text(encoding="utf-8", errors="backslashreplace")
