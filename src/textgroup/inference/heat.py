"""From a heat map over a photograph to a point and a box.

A heat map is an array (h, w) over the whole photograph, in any unit. Positions and boxes are shares of the photograph's
width and height: x to the right, y downwards.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image

SHARPNESS = 30.0
"""Factor of the heat in the softmax whose centre of mass is a point; chosen on photographs of train
(docs/grounding.md)."""
MIDDLE = 0.3
"""Heat falls by so much times the distance from the middle: what captions name stands there; chosen on the same."""
PIXELS = 112
"""Side of the grid on which heat and boxes are compared pixel by pixel."""
BOX_SHARE = 0.4
"""A box is drawn around the pixels with more heat than this share of the way from the least to the most; chosen on the
same."""


class Pointed(NamedTuple):
    """What a heat map says: its best point, its centre of mass (x, y), and a box (4,)."""

    best: tuple[float, float]
    mass: tuple[float, float]
    box: np.ndarray


def point(heat: np.ndarray) -> Pointed:
    """Points and box of a heat map (h, w)."""
    h, w = heat.shape
    row, column = divmod(int(np.argmax(heat)), w)
    weight = np.exp(SHARPNESS * (heat - heat.max()))
    weight /= weight.sum()
    x, y = (np.arange(w) + 0.5) / w, (np.arange(h) + 0.5) / h
    mass = (float(weight.sum(axis=0) @ x), float(weight.sum(axis=1) @ y))
    return Pointed((float(x[column]), float(y[row])), mass, hot_box(heat))


def largest_cosine(heat: np.ndarray) -> float:
    """Of a heat map (h, w), before it was cooled by the distance from the middle."""
    return float((heat + MIDDLE * from_middle(*heat.shape)).max())


def from_middle(h: int, w: int) -> np.ndarray:
    """The distance of each cell's centre from the photograph's, (h, w)."""
    x, y = (np.arange(w) + 0.5) / w - 0.5, (np.arange(h) + 0.5) / h - 0.5
    distance: np.ndarray = np.hypot(x[None, :], y[:, None])
    return distance


def hot_box(heat: np.ndarray, share: float = BOX_SHARE) -> np.ndarray:
    """The box (4,) around the connected region hotter than `share` of the range of the heat that weighs most for the
    point."""
    pixels = magnified(heat)
    hot = pixels >= pixels.min() + share * (pixels.max() - pixels.min())
    regions = connected(hot)
    weight = np.exp(SHARPNESS * (pixels - pixels.max()))
    heaviest = np.bincount(regions[hot], weight[hot]).argmax()
    rows, columns = np.nonzero(regions == heaviest)
    ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return np.array(ends, dtype=float) / PIXELS


def magnified(heat: np.ndarray) -> np.ndarray:
    """The heat map (h, w) on `PIXELS` x `PIXELS`, interpolated linearly between the centres of its cells."""
    cells = Image.fromarray(np.ascontiguousarray(heat, np.float32))
    return np.asarray(cells.resize((PIXELS, PIXELS), Image.Resampling.BILINEAR), np.float64)


def connected(hot: np.ndarray) -> np.ndarray:
    """A number for each hot pixel (h, w), the same for those that are connected by their sides; 0 elsewhere.

    As `scipy.ndimage.label` numbers them, but for the order; a light install has no SciPy.
    """
    numbers, before = np.arange(1, hot.size + 1).reshape(hot.shape) * hot, None
    while before is None or not np.array_equal(numbers, before):
        before = numbers
        for turned in range(4):  # rightwards, and after each quarter turn again
            numbers = np.rot90(_largest_so_far(np.rot90(numbers, turned), np.rot90(hot, turned)), -turned)
    return numbers


def _largest_so_far(numbers: np.ndarray, hot: np.ndarray) -> np.ndarray:
    """From left to right, the largest number of each run of hot pixels."""
    run = np.cumsum(~hot, axis=1) * (hot.size + 1)  # so that a later run has nothing of an earlier one
    largest: np.ndarray = (np.maximum.accumulate(numbers + run, axis=1) - run) * hot
    return largest
