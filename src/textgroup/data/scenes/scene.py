"""Generated scenes, seeded and endless: pictures of one to six objects, captions whose phrases are known.

They show in minutes, on any machine, what a method makes of captions, with the truth at hand: which words
name which object, which pixels show it, and which words would make the caption false. Words within a phrase
predict one another, phrases run from one word to seven, and where a phrase stands tells little: captions cut
into equal parts score badly.

The colours and shapes of `HELD_OUT` pairs never meet in a "train" scene, neither drawn nor said. In every
"test" scene at least one such pair is drawn and mentioned; for unseen scenes of seen pairs, take "train" with
another seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Literal

import numpy as np
from PIL import Image

from textgroup.data.scenes import drawing
from textgroup.data.scenes.grammar import describe
from textgroup.data.scenes.shapes import COLOURS, HELD_OUT, KINDS, SHAPES, SHARE_OF_COPY, SIZES, TEXTURES, SceneObject
from textgroup.data.scenes.wording import Foil, Phrase, Statement
from textgroup.errors import InputError

__all__ = [
    "FEATURE_WIDTH",
    "HELD_OUT",
    "Foil",
    "Phrase",
    "Scene",
    "SceneObject",
    "Statement",
    "features",
    "masks",
    "render",
    "scene",
    "scenes",
]

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Scene:
    """A picture, as the objects in it, and what is said of it.

    phrases: in the order of the text, not overlapping; an object may be named by several of them, or by none.
    foils: at most one of each kind; a kind is absent when the caption has nothing to change.
    statements: what the caption says of relations and places, all of it true.
    """

    objects: tuple[SceneObject, ...]
    caption: str
    phrases: tuple[Phrase, ...]
    foils: tuple[Foil, ...]
    statements: tuple[Statement, ...] = ()


def scenes(seed: int, split: Split = "train") -> Iterator[Scene]:
    """All scenes of a seed and split, without end; number i is `scene(seed, i, split)`.

    Raises `InputError` when the split is unknown.
    """
    _check(split)
    return (scene(seed, i, split) for i in count())


def scene(seed: int, index: int, split: Split = "train") -> Scene:
    """One scene, a function of its arguments alone. Raises `InputError` when the split is unknown."""
    _check(split)
    rng = Random(f"{seed} {split} {index}")
    objects = _objects(rng, held_out=split == "test")
    order = list(range(len(objects)))
    rng.shuffle(order)
    if rng.random() < 0.25:  # some of the picture is left unsaid, but never object 0
        mentioned = rng.randint(1, len(order))
        order = [i for i in order if i == 0 or rng.random() < mentioned / len(order)]
    caption = describe(rng, objects, order, unseen_too=split == "test")
    return Scene(tuple(objects), caption.text, caption.phrases, caption.foils, caption.statements)


def _check(split: str) -> None:
    if split not in ("train", "test"):
        raise InputError(f"split: {split!r} is not a split of the scenes; take 'train' or 'test'")


def _objects(rng: Random, held_out: bool) -> list[SceneObject]:
    """One to six objects that differ in colour or shape, each in its own cell of a 3 x 3 grid.

    held_out: whether the first one is a held-out pair, and the others may be.
    """
    number = rng.choice((1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6))
    cells = list(range(9))
    rng.shuffle(cells)
    objects: list[SceneObject] = []
    taken: set[tuple[str, str]] = set()
    shapes: set[str] = set()
    while len(objects) < number:
        shape = rng.choice(SHAPES)
        if shape in shapes and rng.random() < 0.6:
            continue
        kind = KINDS[shape]
        if held_out and not objects:
            colour = rng.choice(kind.unseen)
        else:
            colour = rng.choice(kind.colours if rng.random() < 0.55 else COLOURS)
            if (colour, shape) in taken or (not held_out and colour in kind.unseen):
                continue
        taken.add((colour, shape))
        shapes.add(shape)
        texture = rng.choice(kind.textures if rng.random() < 0.6 else TEXTURES)
        copies = 1 if rng.random() < 0.72 else rng.choice((2, 3))
        size = rng.choice(("tiny", "small", "medium", "large", "huge") if copies == 1 else ("tiny", "small"))
        radius = SIZES[size] / SHARE_OF_COPY[copies]
        cell = cells.pop()
        if kind.height and rng.random() < 0.6:  # the higher or lower of two
            cells.append(cell)
            cell = sorted(cells[-2:])[0 if kind.height > 0 else -1]
            cells.remove(cell)
        slack = 1 / 6 - radius
        x = (cell % 3) / 3 + 1 / 6 + rng.uniform(-slack, slack)
        y = (cell // 3) / 3 + 1 / 6 + rng.uniform(-slack, slack)
        objects.append(SceneObject(shape, colour, size, texture, x, y, radius, copies))
    return objects


def render(scene: Scene, size: int = 224) -> Image.Image:
    """The picture, RGB, `size` x `size` pixels, with smooth outlines."""
    return drawing.picture(scene.objects, size)


def masks(scene: Scene, size: int = 224) -> np.ndarray:
    """Where each object is seen in `render(scene, size)`: bool, (objects, size, size), disjoint.

    A pixel on an outline belongs to the object that covers more than half of it.
    """
    return drawing.visible(scene.objects, size)


_VALUES: tuple[tuple[str | int, ...], ...] = (SHAPES, COLOURS, tuple(SIZES), TEXTURES, tuple(SHARE_OF_COPY))
FEATURE_WIDTH = sum(map(len, _VALUES)) + 3
"""Columns of `features`."""


def features(scene: Scene) -> np.ndarray:
    """What an ideal observer sees of each object: float32, (objects, FEATURE_WIDTH).

    One-hot shape, colour, size, texture and number of copies, then x, y and radius as fractions of the side.
    """
    table = np.zeros((len(scene.objects), FEATURE_WIDTH), np.float32)
    for row, scene_object in zip(table, scene.objects):
        start = 0
        attributes = (
            scene_object.shape,
            scene_object.colour,
            scene_object.size,
            scene_object.texture,
            scene_object.count,
        )
        for value, values in zip(attributes, _VALUES):
            row[start + values.index(value)] = 1
            start += len(values)
        row[start:] = scene_object.x, scene_object.y, scene_object.radius
    return table
