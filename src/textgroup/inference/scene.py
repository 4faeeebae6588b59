"""A photograph as a model sees it: vectors of its objects and where they are; and the heat maps of units over it.

NumPy alone: the vectors come from PyTorch (`looking.py`) or from onnxruntime (`onnx/grounder.py`).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textgroup.inference.heat import MIDDLE, from_middle, largest_cosine, point
from textgroup.model.sharpness import SHARPNESS
from textgroup.units import Grounding, Unit

FAINT = 0.01
"""Share of a cell below which an object is not there."""
ALIKE, NEAR = 5.0, 0.3
"""How patches share their heat (`_shares`); chosen on photographs of train (docs/grounding.md)."""

ANSWERS = 0.08
"""Largest cosine below which nothing in the photograph answers a unit: 98% of the phrases have more in their own
photograph, and 49% in another (train; docs/grounding.md)."""


class Scene(NamedTuple):
    """vectors: (G, E), fp32, unit length, zeros for an object that the image does not have. masks: (G, h, w), fp32,
    over the whole photograph, how much of each cell each object has. shares: (G, G), see `_shares`; None where objects
    are no patches.
    """

    vectors: np.ndarray
    masks: np.ndarray
    shares: np.ndarray | None = None

    @classmethod
    def of(cls, looks: Sequence[np.ndarray], masks: np.ndarray) -> "Scene":
        """From the vectors (G, E) of the objects. Where those are patches, one a cell, with shares; and more looks may
        follow, patches of the photograph at other sizes, of which each cell takes the mean."""
        count, h, w = masks.shape
        if count != h * w:
            return cls(looks[0], masks)
        vectors = _mean(looks, h, w) if len(looks) > 1 else looks[0]
        return cls(vectors, masks, _shares(vectors, h, w))

    def heat(self, unit: np.ndarray) -> np.ndarray:
        """The heat map (h, w) of a unit's vector (E,): in each cell the cosine with the object that is there, less the
        cell's distance from the middle times `MIDDLE`.

        Of several it attends to those that are like it, as in training. Where none is, the least heat of all.
        """
        cosine = self.vectors @ unit.astype(np.float32)  # (G,)
        if self.shares is not None:
            cosine = self.shares @ cosine
        there = self.present_masks()
        weight = there * np.exp(SHARPNESS * (cosine - 1))[:, None, None]
        empty = there.max(axis=0) < FAINT
        heat = (weight * cosine[:, None, None]).sum(axis=0) / np.where(empty, 1, weight.sum(axis=0))
        heat[empty] = heat[~empty].min() if not empty.all() else 0.0
        cooled: np.ndarray = heat - MIDDLE * from_middle(*heat.shape)
        return cooled

    def present_masks(self) -> np.ndarray:
        """(G, h, w), zeros for an object that the image does not have."""
        present: np.ndarray = self.masks * (self.vectors != 0).any(axis=1)[:, None, None]
        return present


def _mean(looks: Sequence[np.ndarray], h: int, w: int) -> np.ndarray:
    """Patches (h * w, E), unit length: the mean over looks. Those after the first are squares of patches of any side,
    interpolated linearly between the centres of their cells."""
    total = looks[0].reshape(h, w, -1).astype(np.float32)
    for patches in looks[1:]:
        side = math.isqrt(len(patches))
        square = patches.reshape(side, side, -1)
        total = total + np.einsum("hi,wj,ije->hwe", _linear(side, h), _linear(side, w), square, optimize=True)
    vectors: np.ndarray = total.reshape(h * w, -1)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def _linear(side: int, cells: int) -> np.ndarray:
    """What each of `cells` cells takes of `side` others that cover the same: (cells, side), fp32, rows sum to 1."""
    at = (np.arange(cells) + 0.5) / cells * side - 0.5
    return np.stack([np.interp(at, np.arange(side), one) for one in np.eye(side)], axis=1).astype(np.float32)


def _shares(patches: np.ndarray, h: int, w: int) -> np.ndarray:
    """What each patch (G, E) takes of the heat of each other, (G, G), rows sum to 1: softmax of `ALIKE` * cosine -
    (distance / `NEAR`)^2 / 2.

    A thing has its heat where it is most typical, as at a face; patches that look like that and are near belong to it.
    """
    y, x = ((np.indices((h, w)).reshape(2, -1).T + 0.5) / (h, w)).T.astype(np.float32)  # (G,) each
    square = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2  # (G, G)
    logits = ALIKE * (patches @ patches.T) - square / NEAR**2 / 2
    weight = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: np.ndarray = weight / weight.sum(axis=1, keepdims=True)
    return shares


def grounded(unit: Unit, heat: np.ndarray) -> Grounding:
    """The unit with its heat map, and the point and the box that follow from it; its score alone if nothing answers."""
    score = largest_cosine(heat)
    if score < ANSWERS:
        return Grounding(unit, score=score)
    pointed = point(heat)
    x0, y0, x1, y1 = (float(end) for end in pointed.box)
    return Grounding(unit, heat, pointed.mass, (x0, y0, x1, y1), score)
