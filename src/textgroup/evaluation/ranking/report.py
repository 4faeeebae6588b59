"""ranking.md and what the command prints: a table a benchmark, the paper's figures beside ours."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from textgroup.evaluation.ranking.accuracy import OVERALL, Figure
from textgroup.report.markdown import table

PAPER_MODELS = ("paper: groupvit", "paper: baseline", "paper: ours, K=4")
PAPER: dict[tuple[str, str, str], tuple[str, str, str]] = {
    ("svo", "ranking", "subject"): ("81.6", "80.5", "80.3"),
    ("svo", "ranking", "verb"): ("77.3", "69.5", "70.1"),
    ("svo", "ranking", "object"): ("91.7", "89.0", "90.4"),
    ("svo", "ranking", "overall"): ("81.0", "75.3", "76.0"),
    ("foil", "ranking", "foil"): ("82.5", "80.91", "81.68"),
    ("svo + foil", "noun understanding", "overall"): ("", "", "84.12"),
}
"""arXiv 2511.11262, Tables 1, 2 and 4: by benchmark, measure and category, in the order of `PAPER_MODELS`."""
COLUMNS = ("", "", "score", "95%", "than the first", "rows", "images", "ties")


def records(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """For JSON: each figure, and how it differs from the first model's, both on the same draws."""
    first: dict[tuple[str, str, str], Figure] = {}
    return [_record(figure, first.setdefault(_subject(vars(figure)), figure)) for figure in figures]


def tables(records: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """For each benchmark its name and rows of `COLUMNS`: figure by figure, the models under one another.

    records: the figures of ranking.json.
    """
    for benchmark in dict.fromkeys(record["benchmark"] for record in records):
        rows: list[tuple[str, ...]] = []
        of_benchmark = [record for record in records if record["benchmark"] == benchmark]
        for subject in dict.fromkeys(map(_subject, of_benchmark)):
            same = [record for record in of_benchmark if _subject(record) == subject]
            rows += [(_label(record) if record is same[0] else "", *_cells(record)) for record in same]
            rows += [("", name, score, *[""] * 5) for name, score in zip(PAPER_MODELS, PAPER.get(subject, ())) if score]
        yield benchmark, rows


def _record(figure: Figure, first: Figure) -> dict[str, Any]:
    values = {name: getattr(figure, name) for name in ("model", "benchmark", "measure", "category", "score", "ci95")}
    if figure is not first:
        value, ci95 = figure.difference(first)
        values["difference"] = {"from": first.model, "value": value, "ci95": ci95}
    return values | {"rows": figure.rows, "images": figure.images, "ties": figure.ties}


def _subject(record: Mapping[str, Any]) -> tuple[str, str, str]:
    return record["benchmark"], record["measure"], record["category"]


def _label(record: Mapping[str, Any]) -> str:
    measure, category = record["measure"], record["category"]
    if measure == "ranking":
        return str(category)
    return str(measure) if category == OVERALL else f"{measure}: {category}"


def _cells(record: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = record["ci95"]
    than_first = ""
    if difference := record.get("difference"):
        ends = difference["ci95"]
        than_first = f"{difference['value']:+.1f} [{ends[0]:+.1f}, {ends[1]:+.1f}]"
    counts = (f"{record[name]:,}" for name in ("rows", "images", "ties"))
    return str(record["model"]), f"{record['score']:.1f}", f"[{low:.1f}, {high:.1f}]", than_first, *counts


def markdown(
    records: Sequence[dict[str, Any]], skipped: Iterable[tuple[str, str, str, int]], seconds: Mapping[str, float]
) -> str:
    """The whole page. skipped: benchmark, category, why, and how many rows. seconds: by model, loading included."""
    sections = [
        "# Rankings\n\nPer cent; in brackets 95% intervals from a bootstrap over images. A tie counts half. "
        "The paper's figures are of one run each, on the rows whose images it had.\n"
    ]
    for benchmark, rows in tables(records):
        sections.append(f"\n## {benchmark}\n\n{table(COLUMNS, rows)}")
    left_out = [(benchmark, category, why, f"{rows:,}") for benchmark, category, why, rows in skipped]
    if left_out:
        sections.append(f"\n## Rows left out\n\n{table(('benchmark', 'category', 'why', 'rows'), left_out)}")
    sections.append(f"\n## Seconds\n\n{table(('model', 'seconds'), [(m, f'{s:.1f}') for m, s in seconds.items()])}")
    return "".join(sections)
