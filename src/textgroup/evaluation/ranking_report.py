"""ranking.md and what the command prints: a table a benchmark, the paper's figures beside ours."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textgroup.evaluation.ranking import Figure

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


class Table(NamedTuple):
    """A title, the names of the columns, and rows of cells."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def tables(figures: Sequence[Figure]) -> list[Table]:
    """A table a benchmark: a row for each category and measure, a column for each model."""
    models = list(dict.fromkeys(figure.model for figure in figures))
    found = []
    for benchmark in dict.fromkeys(figure.benchmark for figure in figures):
        here = [figure for figure in figures if figure.benchmark == benchmark]
        paper = PAPER_MODELS if benchmark in {name for name, *_ in PAPER} else ()
        rows = []
        for measure, category in dict.fromkeys((figure.measure, figure.category) for figure in here):
            by_model = {f.model: f for f in here if (f.measure, f.category) == (measure, category)}
            of_paper = PAPER.get((benchmark, measure, category), ("",) * len(paper))
            cells = [cell(by_model[model]) if model in by_model else "" for model in models]
            count = next(iter(by_model.values()))
            name = category if measure == "ranking" else measure if category == "overall" else f"{measure}: {category}"
            rows.append((name, f"{count.rows:,}", f"{count.images:,}", *cells, *of_paper))
        found.append(Table(benchmark, ("", "rows", "images", *models, *paper), rows))
    return found


def cell(figure: Figure) -> str:
    """The score with its interval, and the ties if there are any."""
    low, high = figure.ci95
    ties = f", {figure.ties:,} ties" if figure.ties else ""
    return f"{figure.score:.1f} [{low:.1f}, {high:.1f}]{ties}"


def markdown(figures: Sequence[Figure], skipped: Iterable[tuple[str, str, str, int]]) -> str:
    """The whole page. skipped: benchmark, category, why, and how many rows."""
    parts = [
        "# Rankings\n\nPer cent; in brackets 95% intervals from a bootstrap over images. A tie counts half. "
        "The paper's figures are of one run each, on the rows whose images it had.\n"
    ]
    for table in tables(figures):
        parts.append(f"\n## {table.title}\n\n{_table(table.columns, table.rows)}")
    left_out = [(benchmark, category, why, f"{rows:,}") for benchmark, category, why, rows in skipped]
    if left_out:
        parts.append(f"\n## Rows left out\n\n{_table(('benchmark', 'category', 'why', 'rows'), left_out)}")
    return "".join(parts)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
