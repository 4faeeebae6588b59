"""The picture of units in a photograph, by its pixels."""

import numpy as np
from PIL import Image, ImageColor

from textgroup.report.overlay import COLOURS, PANEL, draw_overlay
from textgroup.units import Grounding, Unit

GREY = Image.new("RGB", (640, 480), "grey")


def pointing(text: str, row: int, column: int) -> Grounding:
    heat = np.zeros((4, 4))
    heat[row, column] = 1
    x, y = (column + 0.5) / 4, (row + 0.5) / 4
    return Grounding(Unit(text, 0, len(text), 0), heat, (x, y), (x - 0.1, y - 0.1, x + 0.1, y + 0.1), 1.0)


def pixels_of(picture: Image.Image, colour: str) -> np.ndarray:
    """(n, 2): x and y of the pixels of exactly a colour."""
    same = (np.array(picture) == ImageColor.getrgb(colour)).all(axis=2)
    return np.argwhere(same)[:, ::-1]


def test_each_unit_that_points_has_a_panel_in_its_colour() -> None:
    picture = draw_overlay(GREY, [pointing("a man", 0, 0), Grounding(Unit("on", 6, 8, 1)), pointing("a bike", 3, 3)])
    first, second = (pixels_of(picture, colour) for colour in COLOURS[:2])
    assert len(first) > 500
    assert len(second) > 500
    assert not len(pixels_of(picture, COLOURS[2])), "`on` points at nothing"
    below = PANEL // 4
    marks = [points[points[:, 1] > below].mean(axis=0) for points in (first, second)]
    assert marks[0][0] < marks[1][0]
    assert marks[0][1] < marks[1][1]


def test_nothing_that_points_leaves_the_photograph_and_the_caption() -> None:
    picture = draw_overlay(GREY, [Grounding(Unit("on", 0, 2, 0))])
    assert len(pixels_of(picture, "grey")) > 200 * 200


def test_any_photograph_and_any_caption_has_a_picture_of_a_sane_size() -> None:
    many = [
        pointing("x" * 500, 0, 0),
        *(pointing("\u72d7 \x1b[31m <b>", i % 4, 0) for i in range(12)),
        pointing("", 1, 1),
    ]
    for size in ((1, 3000), (3000, 1), (1, 1)):
        for mode in ("L", "RGBA", "P"):
            picture = draw_overlay(Image.new(mode, size), many)
            assert picture.width < 5 * PANEL
            assert picture.height < 20 * PANEL


def test_the_photograph_given_is_left_as_it_is() -> None:
    draw_overlay(GREY, [pointing("a man", 0, 0)])
    assert GREY.size == (640, 480)
