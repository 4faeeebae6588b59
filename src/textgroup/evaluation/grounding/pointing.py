"""How well a heat map points at boxes: pointing accuracy, box recall, area under the curve.

Heat maps, points and boxes are those of `inference/heat.py`.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from textgroup.inference.heat import PIXELS, magnified, point

IOU = 0.5
"""Intersection over union from which on a box is recalled."""


class PhraseFigures(NamedTuple):
    """Of one phrase, each 0 or 1 but for the last; NaN where a figure does not apply.

    best, mass: whether the best point, and the centre of mass, lie in one of the phrase's boxes. box_union, box_any:
    whether the box has `IOU` with the hull of the phrase's boxes, and with one of them. auc: area under the curve.
    """

    best: float
    mass: float
    box_union: float
    box_any: float
    auc: float


def inside(boxes: np.ndarray, x: float, y: float) -> bool:
    """Whether a point lies in one of the boxes (n, 4)."""
    return bool(((boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])).any())


def covered(boxes: np.ndarray) -> np.ndarray:
    """Pixels whose centre lies in one of the boxes (n, 4): bool, (PIXELS, PIXELS)."""
    centre = (np.arange(PIXELS) + 0.5) / PIXELS
    in_x = (boxes[:, 0, None] <= centre) & (centre <= boxes[:, 2, None])  # (n, PIXELS)
    in_y = (boxes[:, 1, None] <= centre) & (centre <= boxes[:, 3, None])
    return np.any(in_y[:, :, None] & in_x[:, None, :], axis=0)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes (4,)."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return shared / (areas - shared)


def hull(boxes: np.ndarray) -> np.ndarray:
    """The smallest box (4,) around all boxes (n, 4)."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def area_under_curve(heat: np.ndarray, mask: np.ndarray) -> float:
    """Probability that a pixel in the mask is hotter than one outside, half for a tie; NaN if one of both is empty."""
    inner = int(mask.sum())
    outer = mask.size - inner
    if not inner or not outer:
        return float("nan")
    ranks = rankdata(heat.ravel())[mask.ravel()]
    return float((ranks.sum() - inner * (inner + 1) / 2) / (inner * outer))


def score_heat(heat: np.ndarray, boxes: np.ndarray) -> PhraseFigures:
    """The figures of a heat map (h, w) against a phrase's boxes (n, 4)."""
    pointed = point(heat)
    return PhraseFigures(
        best=float(inside(boxes, *pointed.best)),
        mass=float(inside(boxes, *pointed.mass)),
        box_union=float(iou(pointed.box, hull(boxes)) >= IOU),
        box_any=float(max(iou(pointed.box, box) for box in boxes) >= IOU),
        auc=area_under_curve(magnified(heat), covered(boxes)),
    )
