"""Figures of reports and result pages, and as self-contained SVG or PNG data URLs."""

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from textgroup.files import atomic_write
from textgroup.report.printable import printable

LINES = ("#1d6fa5", "#d1495b", "#5b8e3e", "#8f6fb0", "#c77f1b")

LONGEST_TOKEN, LONGEST_NAME = 18, 40
"""Characters of a token and of a name that a figure shows."""

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
            for colour, (name, (x, y)) in zip(cycle(LINES), series.items()):
                axis.plot(x, y, label=_label(name, LONGEST_NAME), color=colour, linewidth=1.6)
            axis.set_title(_label(title, LONGEST_NAME), loc="left", fontweight="bold")
            axis.set_xlabel(x_label)
            axis.spines[["top", "right"]].set_visible(False)
            axis.grid(alpha=0.25)
            if len(series) > 1:
                axis.legend(frameon=False, fontsize=8)
        return figure


def heat_map(pieces: Sequence[str], assignment: Any, bars: Sequence[tuple[int, int]] = ()) -> Figure:
    """Soft assignment of tokens to groups, as in Figure 2 of the paper, but with the tokens from top to bottom: so a
    long caption fits a narrow page.

    pieces: M tokens. assignment: (K, M) in 0..1. bars: (first, last) token of each gold phrase, drawn at the left.
    """
    assignment = np.asarray(assignment)
    groups, tokens = assignment.shape
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(0.3 * groups + 2.2, 0.19 * tokens + 1.1), layout="constrained")
        axis = figure.subplots()
        image = axis.imshow(assignment.T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(groups), [str(k + 1) for k in range(groups)])
        axis.set_yticks(range(tokens), [_label(piece, LONGEST_TOKEN) for piece in pieces])
        axis.xaxis.tick_top()
        axis.set_xlabel("group")
        axis.xaxis.set_label_position("top")
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        for first, last in bars:
            axis.plot([-0.68, -0.68], [first - 0.35, last + 0.35], color="#222", linewidth=2.5, clip_on=False)
        axis.set_xlim(-0.8 if bars else -0.5, groups - 0.5)
        scale = figure.colorbar(image, ax=axis, location="bottom", ticks=[0, 0.5, 1], aspect=14, pad=0.02)
        scale.set_label("share of the token")
        scale.outline.set_visible(False)
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


def _label(text: str, longest: int) -> str:
    """A label that fits, as matplotlib takes it: a `$` would begin a formula, half a character is refused."""
    text = printable(text).encode("utf-8", "backslashreplace").decode()
    return (text if len(text) <= longest else text[: longest - 1] + "\u2026").replace("$", r"\$")


def _data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
