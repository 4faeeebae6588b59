"""A photograph with what each unit of its caption means in it: one panel a unit, in the unit's colour.

The caption stands on top, its units on their colours; under it a panel for each unit that points at something: the
photograph in grey, the unit's heat in its colour, its box, and a mark on its point.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from textgroup.units import Grounding

PANEL = 320
"""Pixels of a panel's longer side."""
GAP, TEXT = 14, 17
"""Pixels between panels, and of the height of letters."""
COLOURS = ("#0b84d8", "#e8590c", "#2b8a3e", "#c2255c", "#6741d9", "#b08900", "#0c8599", "#862e9c")
"""One a unit, in turn; dark enough for white letters."""
STRONGEST = 0.75
"""Share of its colour that the hottest pixel has."""


def draw_overlay(photograph: Image.Image, groundings: Sequence[Grounding]) -> Image.Image:
    """The whole picture, RGB. Units without a heat map stand in the caption without a colour."""
    pointed = [g for g in groundings if g.heat is not None]
    colours = {id(g): COLOURS[i % len(COLOURS)] for i, g in enumerate(pointed)}
    photograph = photograph.convert("RGB")
    photograph.thumbnail((PANEL, PANEL), Image.Resampling.LANCZOS)
    wide, high = (max(side, PANEL // 3) for side in photograph.size)
    columns = max(1, min(4, len(pointed)))
    width = max(columns * (wide + GAP) + GAP, 2 * PANEL)
    words = _caption(groundings, colours, width)
    rows = -(-max(1, len(pointed)) // columns)
    page = Image.new("RGB", (width, words.height + rows * (high + TEXT * 2 + GAP) + GAP), "white")
    page.paste(words, (0, 0))
    for i, grounding in enumerate(pointed):
        left = GAP + (i % columns) * (wide + GAP)
        top = words.height + (i // columns) * (high + TEXT * 2 + GAP)
        _label(page, (left, top), grounding.unit.text, colours[id(grounding)], wide)
        page.paste(_panel(photograph, grounding, colours[id(grounding)]), (left, top + TEXT * 2))
    if not pointed:
        page.paste(photograph, (GAP, words.height))
    return page


def heat_strength(heat: np.ndarray) -> Image.Image:
    """How much of its unit's colour each cell of a heat map (h, w) has: a grey picture, black for none."""
    heat = heat - heat.min()
    return Image.fromarray((255 * STRONGEST * (heat / max(heat.max(), 1e-9)) ** 2).astype(np.uint8))


def _panel(photograph: Image.Image, grounding: Grounding, colour: str) -> Image.Image:
    """The photograph in grey with the heat of one unit, its box and its point."""
    assert grounding.heat is not None, "only units that point have a panel"
    assert grounding.box is not None, "a heat map has a box"
    assert grounding.point is not None, "a heat map has a point"
    strength = heat_strength(grounding.heat)
    grey = Image.blend(photograph.convert("L").convert("RGB"), Image.new("RGB", photograph.size, "white"), 0.25)
    panel = Image.composite(
        Image.new("RGB", photograph.size, colour),
        grey,
        strength.resize(photograph.size, Image.Resampling.BICUBIC),
    )
    draw = ImageDraw.Draw(panel)
    width, height = panel.size
    x0, y0, x1, y1 = grounding.box
    left, top = x0 * width, y0 * height
    right, bottom = max(left, x1 * width - 1), max(top, y1 * height - 1)  # a thin photograph has boxes of no width
    draw.rectangle((left, top, right, bottom), outline=colour, width=3)
    x, y, r = grounding.point[0] * width, grounding.point[1] * height, 6
    draw.ellipse((x - r, y - r, x + r, y + r), fill=colour, outline="white", width=2)
    return panel


def _caption(groundings: Sequence[Grounding], colours: dict[int, str], width: int) -> Image.Image:
    """The units in reading order, as many lines as they need."""
    font = _font(TEXT)
    x, y, placed = GAP, GAP, []
    for grounding in groundings:
        wide = min(font.getlength(grounding.unit.text), width - 2 * GAP - 12) + 12
        if x + wide > width - GAP and x > GAP:
            x, y = GAP, y + TEXT * 2
        placed.append((grounding, x, y, wide))
        x += int(wide) + 6
    strip = Image.new("RGB", (width, y + TEXT * 2 + GAP), "white")
    for grounding, left, top, wide in placed:
        _label(strip, (left, top), grounding.unit.text, colours.get(id(grounding)), int(wide))
    return strip


def _label(page: Image.Image, corner: tuple[int, int], text: str, colour: str | None, width: int) -> None:
    """Text on a colour, cut to a width; without a colour in grey on white."""
    font, draw = _font(TEXT), ImageDraw.Draw(page)
    while text and font.getlength(text) > width - 10:
        text = text[:-2].rstrip() + "\u2026" if len(text) > 2 else ""
    x, y = corner
    if colour is not None:
        draw.rounded_rectangle((x, y, x + font.getlength(text) + 10, y + TEXT + 9), 4, fill=colour)
    draw.text((x + 5, y + 3), text, font=font, fill="#666666" if colour is None else "white")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: Latin, Greek and Cyrillic letters; without it Pillow's own, Latin."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        default = ImageFont.load_default(size)
        assert isinstance(default, ImageFont.FreeTypeFont), "Pillow's wheels have FreeType"
        return default
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
