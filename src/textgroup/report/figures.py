"""Figures of reports and result pages, and as self-contained SVG or PNG data URLs."""

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from textgroup.files import atomic_write
from textgroup.report.printable import printable

LINES = ("#1d6fa5", "#d1495b", "#5b8e3e", "#8f6fb0", "#c77f1b")

LONGEST_LABEL = 18
"""Characters of a token that a figure shows."""

Series = Mapping[str, tuple[Sequence[float], Sequence[float]]]
"""Name of a line -> its x and y values."""


STYLE: Any = {"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "textgroup"}
"""Of every figure; the salt makes an SVG the same each time."""


def curves(panels: Sequence[tuple[str, Series]], x_label: str = "step") -> Figure:
    """Line plots side by side: one panel for each (title, series)."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * len(panels), 2.6), layout="constrained")
        axes = np.atleast_1d(np.asarray(figure.subplots(1, len(panels))))
        for axis, (title, series) in zip(axes, panels):
            for colour, (name, (x, y)) in zip(LINES, series.items()):
                axis.plot(x, y, label=name, color=colour, linewidth=1.6)
            axis.set_title(title, loc="left", fontweight="bold")
            axis.set_xlabel(x_label)
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(alpha=0.25)
            axis.legend(frameon=False, fontsize=8)
        return figure


def heat_map(pieces: Sequence[str], assignment: Any, bars: Sequence[tuple[int, int]] = ()) -> Figure:
    """Soft assignment of tokens to groups, as in Figure 2 of the paper.

    pieces: M tokens. assignment: (K, M) in 0..1. bars: (first, last) token of each gold phrase, drawn above.
    """
    assignment = np.asarray(assignment)
    groups, tokens = assignment.shape
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(max(4.0, 0.36 * tokens + 0.8), 0.26 * groups + 1.25), layout="constrained")
        axis = figure.subplots()
        axis.imshow(assignment, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(tokens), [_label(piece) for piece in pieces], rotation=60, ha="right")
        axis.set_yticks(range(groups), [f"group {k + 1}" for k in range(groups)])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        for first, last in bars:
            axis.plot([first - 0.4, last + 0.4], [-0.75, -0.75], color="#222", linewidth=2.5, clip_on=False)
        axis.set_ylim(groups - 0.5, -0.9 if bars else -0.5)
        return figure


def svg_url(figure: Figure) -> str:
    """A figure as an SVG data URL."""
    buffer = io.BytesIO()
    _write(figure, buffer, "svg")
    return _data_url("image/svg+xml", buffer.getvalue())


def save(figure: Figure, path: Path) -> None:
    """Write a figure as .svg or .png, as the name says."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        _write(figure, file, path.suffix[1:])


def picture(image: Image.Image) -> str:
    """A picture as a PNG data URL."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return _data_url("image/png", buffer.getvalue())


def _write(figure: Figure, file: BinaryIO, kind: str) -> None:
    with (
        warnings.catch_warnings(),
        matplotlib.rc_context(STYLE),
    ):  # a browser has the glyphs that matplotlib's font lacks
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(file, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)


def _label(text: str) -> str:
    """A label that fits, as matplotlib takes it: a `$` would begin a formula."""
    text = printable(text)
    return (text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "\u2026").replace("$", r"\$")


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
