"""grounding.md and what the command prints."""

from collections.abc import Sequence
from typing import Any

from textgroup.evaluation.grounding.benchmark import FIGURES
from textgroup.report.markdown import plain, table

COLUMNS = ("", "mass", "best", "box, union", "box, any", "AUC", "unit P", "unit R", "unit F1")


def cells(record: dict[str, Any]) -> list[str]:
    """A record of grounding.json as a row of `COLUMNS`."""
    return [record["model"], *("" if record[name] is None else f"{record[name]:.1f}" for name in FIGURES)]


def cells_with_intervals(record: dict[str, Any]) -> list[str]:
    """`cells`, each figure with its 95% interval in brackets."""
    name, *figures = cells(record)
    ends = [record["ci95"].get(figure) for figure in FIGURES]
    return [name, *(f"{f} [{e[0]:.1f}, {e[1]:.1f}]" if f and e else f for f, e in zip(figures, ends))]


def by_type(records: Sequence[dict[str, Any]]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Columns and rows: pointing (centre of mass) by type of phrase, with the number of phrases."""
    types = sorted({kind for record in records for kind in record["pointing_mass_by_type"]})
    rows = [
        [record["model"], *(_of_type(record["pointing_mass_by_type"].get(kind)) for kind in types)]
        for record in records
    ]
    return ("", *types), rows


def markdown(title: str, records: Sequence[dict[str, Any]]) -> str:
    """The whole page: figures with intervals, then pointing by type of phrase."""
    return (
        f"# Grounding\n\n{plain(title)}. Per cent; in brackets 95% intervals from a bootstrap over images.\n\n"
        f"{table(COLUMNS, map(cells_with_intervals, records))}\n"
        f"## Pointing (centre of mass) by type of phrase\n\n{table(*by_type(records))}"
    )


def _of_type(score: dict[str, Any] | None) -> str:
    return "" if score is None or score["score"] is None else f"{score['score']:.1f} ({score['n_phrases']})"
