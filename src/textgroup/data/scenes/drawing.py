"""Pictures of generated scenes: a shape is a stencil, a texture a pattern inside it."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from textgroup.data.scenes.shapes import LIGHT, PALETTE, SHARE_OF_COPY, SceneObject

BACKGROUND = (208, 214, 219)
"""RGB; not a colour of `PALETTE`, so that white and gray objects show."""
OVERSAMPLING = 3
"""Samples a pixel along each side: smooth outlines."""

Bools = NDArray[np.bool_]
Points = Sequence[tuple[float, float]]


def _polygon(n: int, *outlines: Points) -> Bools:
    """Fill outlines given in [-1, 1] x [-1, 1], y downwards, on an n x n grid."""
    image = Image.new("1", (n, n))
    draw = ImageDraw.Draw(image)
    for outline in outlines:
        draw.polygon([((u + 1) / 2 * (n - 1), (v + 1) / 2 * (n - 1)) for u, v in outline], fill=1)
    return np.array(image)


def _disc(u: np.ndarray, v: np.ndarray, x: float, y: float, rx: float, ry: float | None = None) -> Bools:
    return ((u - x) / rx) ** 2 + ((v - y) / (ry or rx)) ** 2 <= 1


def _around(n: int, *radii: float) -> Points:
    """n points on a circle, from the top, at the given radii in turn."""
    return [
        (
            radii[i % len(radii)] * math.sin(2 * math.pi * i / n),
            -radii[i % len(radii)] * math.cos(2 * math.pi * i / n),
        )
        for i in range(n)
    ]


def _heart(u: np.ndarray, v: np.ndarray) -> Bools:
    x, y = u * 1.2, -v * 1.2 + 0.15
    return (x * x + y * y - 1) ** 3 - x * x * y**3 <= 0


def _cloud(u: np.ndarray, v: np.ndarray) -> Bools:
    puffs = (
        _disc(u, v, -0.55, 0.2, 0.42)
        | _disc(u, v, 0.55, 0.2, 0.42)
        | _disc(u, v, -0.12, -0.15, 0.48)
        | _disc(u, v, 0.3, -0.05, 0.45)
    )
    return (puffs & (v < 0.5)) | ((abs(u) < 0.6) & (v > 0) & (v < 0.5))


_STENCILS: dict[str, Callable[[np.ndarray, np.ndarray, int], Bools]] = {
    "circle": lambda u, v, n: _disc(u, v, 0, 0, 1),
    "square": lambda u, v, n: np.maximum(abs(u), abs(v)) <= 0.8,
    "triangle": lambda u, v, n: _polygon(n, [(0, -0.95), (0.9, 0.7), (-0.9, 0.7)]),
    "diamond": lambda u, v, n: abs(u) / 0.7 + abs(v) <= 1,
    "cross": lambda u, v, n: (np.minimum(abs(u), abs(v)) <= 0.28) & (np.maximum(abs(u), abs(v)) <= 0.9),
    "ring": lambda u, v, n: _disc(u, v, 0, 0, 1) & ~_disc(u, v, 0, 0, 0.56),
    "star": lambda u, v, n: _polygon(n, _around(10, 1, 0.45)),
    "heart": lambda u, v, n: _heart(u, v),
    "moon": lambda u, v, n: _disc(u, v, 0, 0, 1) & ~_disc(u, v, 0.5, -0.12, 0.8),
    "cloud": lambda u, v, n: _cloud(u, v),
    "arrow": lambda u, v, n: _polygon(
        n, [(0, -1), (0.7, -0.2), (0.28, -0.2), (0.28, 0.9), (-0.28, 0.9), (-0.28, -0.2), (-0.7, -0.2)]
    ),
    "flower": lambda u, v, n: (np.hypot(u, v) <= 0.68 + 0.3 * np.cos(6 * np.arctan2(v, u))) & ~_disc(u, v, 0, 0, 0.16),
    "cone": lambda u, v, n: _polygon(
        n,
        [(-0.14, -0.9), (0.14, -0.9), (0.5, 0.65), (-0.5, 0.65)],
        [(-0.8, 0.65), (0.8, 0.65), (0.8, 0.9), (-0.8, 0.9)],
    ),
    "tree": lambda u, v, n: _polygon(
        n,
        [(0, -1), (0.45, -0.3), (-0.45, -0.3)],
        [(0, -0.6), (0.6, 0.15), (-0.6, 0.15)],
        [(0, -0.2), (0.75, 0.62), (-0.75, 0.62)],
        [(-0.14, 0.6), (0.14, 0.6), (0.14, 0.95), (-0.14, 0.95)],
    ),
    "house": lambda u, v, n: (
        _polygon(
            n,
            [(0, -0.95), (0.88, -0.2), (0.65, -0.2), (0.65, 0.8), (-0.65, 0.8), (-0.65, -0.2), (-0.88, -0.2)],
        )
        & ~((abs(u) < 0.17) & (v > 0.25))
    ),
    "fish": lambda u, v, n: (
        (_disc(u, v, -0.22, 0, 0.72, 0.45) | _polygon(n, [(0.3, 0), (0.9, -0.42), (0.9, 0.42)]))
        & ~_disc(u, v, -0.6, -0.1, 0.08)
    ),
    "balloon": lambda u, v, n: (
        _disc(u, v, 0, -0.28, 0.58, 0.7)
        | _polygon(n, [(0, 0.36), (0.15, 0.56), (-0.15, 0.56)])
        | ((abs(u - 0.06 * np.sin(9 * v)) < 0.05) & (v > 0.4) & (v < 0.98))
    ),
    "kite": lambda u, v, n: (
        _polygon(n, [(0, -1), (0.55, -0.35), (0, 0.5), (-0.55, -0.35)])
        | ((abs(u - 0.12 * np.sin(12 * v)) < 0.07) & (v > 0.4) & (v < 0.98))
    ),
    "leaf": lambda u, v, n: (
        (_disc(u, v, -0.5, -0.1, 1.0, 1.0) & _disc(u, v, 0.5, -0.1, 1.0, 1.0))
        | ((abs(u) < 0.06) & (v > 0.5) & (v < 0.98))
    ),
    "drop": lambda u, v, n: _disc(u, v, 0, 0.35, 0.6) | _polygon(n, [(0, -1), (0.55, 0.12), (-0.55, 0.12)]),
}


def _pattern(texture: str, u: np.ndarray, v: np.ndarray, inside: Bools) -> Bools:
    """Where the second colour goes: the smaller part of `inside`, so that the first one names the object."""
    if texture == "striped":
        return (u + v) % 0.5 < 0.17
    if texture == "dotted":
        return np.hypot((u + 0.2) % 0.4 - 0.2, (v + 0.2) % 0.4 - 0.2) < 0.105
    if texture == "checkered":
        cells = np.floor(u / 0.26) + np.floor(v / 0.26)
        return (cells % 2 == 0) & (u % 0.26 < 0.21) & (v % 0.26 < 0.21)
    if texture == "zigzag":
        return (v + 0.5 * abs((u + 2) % 0.5 - 0.25)) % 0.42 < 0.14
    if texture == "bordered":
        width = max(1, round(0.03 * len(u)))
        core = np.pad(inside, width)
        for axis in (0, 1):  # erosion by a square: two runs of minima
            core = np.logical_and.reduce([np.roll(core, shift, axis) for shift in range(-width, width + 1)])
        return ~core[width:-width, width:-width]
    return np.zeros_like(inside)


@lru_cache(maxsize=512)
def _stamp(shape: str, texture: str, n: int) -> tuple[Bools, Bools]:
    """The shape on an n x n grid, and where its second colour goes."""
    axis = (np.arange(n) + 0.5) / n * 2 - 1
    v, u = np.meshgrid(axis, axis, indexing="ij")
    inside = _STENCILS[shape](u, v, n)
    return inside, _pattern(texture, u, v, inside) & inside


_COPIES: dict[int, Points] = {
    1: ((0, 0),),
    2: ((-0.5, 0), (0.5, 0)),
    3: ((0, -0.5), (-0.46, 0.35), (0.46, 0.35)),
}
"""Number of copies -> their centres, in the circle of radius 1 that holds them all."""


def _paint(objects: Sequence[SceneObject], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Paint objects one over the other: RGB (side, side, 3) uint8, and whose each pixel is, or -1, (side, side)."""
    canvas = np.full((side, side, 3), BACKGROUND, np.uint8)
    owner = np.full((side, side), -1, np.int8)
    for i, shown in enumerate(objects):
        second = (25, 25, 25) if shown.colour in LIGHT else (250, 250, 250)
        n = max(3, round(2 * SHARE_OF_COPY[shown.count] * shown.radius * side))
        inside, accent = _stamp(shown.shape, shown.texture, n)
        for u, v in _COPIES[shown.count]:
            left = round((shown.x + u * shown.radius) * side - n / 2)
            top = round((shown.y + v * shown.radius) * side - n / 2)
            rows, columns = slice(max(top, 0), top + n), slice(max(left, 0), left + n)
            crop = slice(rows.start - top, side - top), slice(columns.start - left, side - left)
            canvas[rows, columns][inside[crop]] = PALETTE[shown.colour]
            canvas[rows, columns][accent[crop]] = second
            owner[rows, columns][inside[crop]] = i
    return canvas, owner


def picture(objects: Sequence[SceneObject], size: int) -> Image.Image:
    """The objects, the later over the earlier: RGB, `size` x `size` pixels."""
    return Image.fromarray(_paint(objects, size * OVERSAMPLING)[0]).reduce(OVERSAMPLING)


def visible(objects: Sequence[SceneObject], size: int) -> Bools:
    """Where each object covers more than half of a pixel of `picture`: (len(objects), size, size)."""
    owner = _paint(objects, size * OVERSAMPLING)[1]
    shares = [
        np.asarray(Image.fromarray(((owner == i) * 255).astype(np.uint8)).reduce(OVERSAMPLING))
        for i in range(len(objects))
    ]
    return np.stack(shares) > 127
