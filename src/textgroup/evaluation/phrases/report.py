"""phrases.md: our figures, the paper's beside them, and paired differences."""

from collections.abc import Sequence
from typing import Any

from textgroup.report.markdown import plain, table

COLUMNS = (
    "",
    "tIoU",
    "P",
    "R",
    "F1",
    "strict",
    "exact P",
    "exact R",
    "exact F1",
    "units",
    "count error",
    "count r",
    "captions/s",
)
_KEYS = ("tiou", "precision", "recall", "f1", "strict_tiou", "exact_precision", "exact_recall", "exact_f1")
_COUNTS = ("units_per_caption", "count_error", "count_correlation")
_COMPARED = ("tiou", "f1", "strict_tiou", "exact_f1")
COMPARED = ("", *(COLUMNS[1 + _KEYS.index(key)] for key in _COMPARED))
"""Columns of the paired differences."""

PAPER = (
    ("Table 3, random (untrained)", "42.15", "61.51", "60.03", "54.54"),
    ("Table 3, baseline, k-means", "52.77", "61.82", "64.87", "59.55"),
    ("Table 3, baseline, spectral clustering", "38.88", "49.81", "52.82", "45.52"),
    ("Table 3, baseline, mean shift", "50.38", "99.64", "51.73", "65.13"),
    ("Table 3, text group transformer, K=4", "76.42", "87.25", "85.83", "83.72"),
    ("Table 4, without contrastive loss", "76.18"),
    ("Table 4, without reconstruction loss", "40.80"),
    ("Table 5, K=1", "43.55"),
    ("Table 5, K=2", "53.12"),
    ("Table 5, K=4", "76.42"),
    ("Table 5, K=8", "63.93"),
    ("Table 5, K=16", "52.54"),
)
"""arXiv 2511.11262: tIoU, precision, recall and F1, where it gives them."""


def cells(record: dict[str, Any]) -> list[str]:
    """A record of phrases.json as a row of `COLUMNS`."""
    figures = [f"{record[key]:.2f}" for key in _KEYS]
    return [
        record["segmenter"],
        *figures,
        *(f"{record[key]:.2f}" for key in _COUNTS),
        f"{record['captions_per_second']:,.0f}",
    ]


def cells_with_intervals(record: dict[str, Any]) -> list[str]:
    """`cells`, each average with its 95% interval in brackets."""
    low_high = [record["ci95"][key] for key in (*_KEYS, *_COUNTS)]
    name, *figures, speed = cells(record)
    return [name, *(f"{f} [{low:.2f}, {high:.2f}]" for f, (low, high) in zip(figures, low_high)), speed]


def paper_cells() -> list[list[str]]:
    """The paper's figures as rows of `COLUMNS`."""
    return [[f"paper: {name}", *figures, *[""] * (len(COLUMNS) - 1 - len(figures))] for name, *figures in PAPER]


def differences(record: dict[str, Any]) -> list[str]:
    """The differences of a record of phrases.json from the first one, as a row of `COMPARED`."""
    compared = [record["difference"][key] for key in _COMPARED]
    return [record["segmenter"], *(f"{d['value']:+.2f} [{d['ci95'][0]:+.2f}, {d['ci95'][1]:+.2f}]" for d in compared)]


def markdown(title: str, records: Sequence[dict[str, Any]]) -> str:
    """The whole page."""
    ours = [[f"**{name}**", *figures] for name, *figures in map(cells_with_intervals, records)]
    sections = [
        f"# Phrases\n\n{plain(title)}. Percentages; in brackets 95% intervals from a bootstrap over images. "
        "The paper's figures are of the val split, one run each.\n",
        table(COLUMNS, [*ours, *paper_cells()]),
    ]
    if len(records) > 1:
        first = plain(records[0]["segmenter"])
        sections.append(f"\n## Differences from {first}\n\nPaired: both on the same draws of images.\n")
        sections.append(table(COMPARED, [differences(record) for record in records[1:]]))
    return "\n".join(sections)
