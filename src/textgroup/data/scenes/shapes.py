"""What there is in a generated scene: kinds of objects, their looks, and how they stand to one another."""

import math
from dataclasses import dataclass
from typing import Literal

Relation = Literal["above", "below", "left", "right", "near", "far"]
"""How one object stands to another, in the picture: y grows downwards, `left` is towards x = 0."""
Place = Literal["top", "bottom", "left side", "right side", "middle"]
"""Where one object stands in the picture."""

PALETTE: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 40),
    "dark red": (122, 12, 28),
    "orange": (245, 130, 32),
    "yellow": (250, 215, 50),
    "green": (50, 160, 70),
    "pale green": (160, 222, 150),
    "blue": (40, 90, 220),
    "dark blue": (16, 28, 105),
    "light blue": (110, 190, 245),
    "purple": (130, 60, 170),
    "pink": (245, 130, 180),
    "brown": (125, 80, 45),
    "black": (20, 20, 20),
    "white": (255, 255, 255),
    "gray": (125, 125, 125),
}
"""Colour name -> RGB."""
LIGHT = frozenset({"yellow", "pale green", "light blue", "white", "pink", "orange"})
"""Colours on which a pattern is drawn in black; on the others it is drawn in white."""
SIZES: dict[str, float] = {"tiny": 0.05, "small": 0.07, "medium": 0.1, "large": 0.13, "huge": 0.16}
"""Size -> radius as a fraction of the picture's side."""
TEXTURES = ("plain", "striped", "dotted", "checkered", "zigzag", "bordered")


@dataclass(frozen=True)
class Kind:
    """What is particular to one shape; everything here is a leaning, except `unseen`, which is a rule.

    nouns: (singular, plural) names, the usual one first. verbs: what it does, besides being there.
    colours, textures: the usual ones. height: where it tends to be, +1 high, 0 anywhere, -1 low.
    unseen: its colours in no training scene.
    """

    nouns: tuple[tuple[str, str], ...]
    verbs: tuple[tuple[str, str], ...]
    colours: tuple[str, ...]
    textures: tuple[str, ...]
    unseen: tuple[str, ...]
    height: int = 0


_LIES = (("lies", "lie"), ("rests", "rest"))
_STANDS = (("stands", "stand"), ("rises", "rise"))
_HANGS = (("hangs", "hang"), ("glows", "glow"))

KINDS: dict[str, Kind] = {
    "circle": Kind(
        (("circle", "circles"), ("disc", "discs"), ("round spot", "round spots")),
        _LIES,
        ("blue", "red"),
        ("plain", "bordered"),
        ("yellow", "dark red"),
    ),
    "square": Kind(
        (("square", "squares"), ("box", "boxes")),
        _LIES,
        ("black", "brown", "gray"),
        ("checkered", "bordered"),
        ("pink", "light blue"),
    ),
    "triangle": Kind(
        (("triangle", "triangles"), ("pyramid", "pyramids")),
        _STANDS,
        ("green", "yellow"),
        ("striped", "plain"),
        ("purple", "white"),
    ),
    "diamond": Kind(
        (("diamond", "diamonds"), ("gem", "gems")),
        (("gleams", "gleam"), ("sparkles", "sparkle")),
        ("light blue", "purple"),
        ("checkered", "plain"),
        ("brown", "green"),
    ),
    "cross": Kind(
        (("cross", "crosses"), ("plus sign", "plus signs")),
        _STANDS,
        ("red", "black", "white"),
        ("plain", "bordered"),
        ("orange", "pale green"),
    ),
    "ring": Kind(
        (("ring", "rings"), ("hoop", "hoops")),
        (("rolls", "roll"), ("lies", "lie")),
        ("yellow", "orange", "gray"),
        ("striped", "plain"),
        ("dark blue", "pink"),
    ),
    "star": Kind(
        (("star", "stars"), ("five pointed star", "five pointed stars")),
        (("shines", "shine"), ("twinkles", "twinkle")),
        ("yellow", "white", "orange"),
        ("plain", "bordered"),
        ("gray", "purple"),
        1,
    ),
    "heart": Kind(
        (("heart", "hearts"), ("love heart", "love hearts")),
        (("glows", "glow"), ("throbs", "throb")),
        ("red", "pink", "dark red"),
        ("plain", "dotted"),
        ("blue", "black"),
    ),
    "moon": Kind(
        (("moon", "moons"), ("half moon", "half moons"), ("crescent moon", "crescent moons")),
        (*_HANGS, ("shines", "shine")),
        ("yellow", "white", "light blue"),
        ("plain", "dotted"),
        ("red", "brown"),
        1,
    ),
    "cloud": Kind(
        (("cloud", "clouds"), ("rain cloud", "rain clouds")),
        (("drifts", "drift"), ("floats", "float")),
        ("white", "gray", "light blue"),
        ("plain", "dotted"),
        ("green", "orange"),
        1,
    ),
    "arrow": Kind(
        (("arrow", "arrows"), ("road sign", "road signs")),
        (("points upwards", "point upwards"), ("stands", "stand")),
        ("black", "red", "blue"),
        ("plain", "striped"),
        ("brown", "light blue"),
    ),
    "flower": Kind(
        (("flower", "flowers"), ("daisy", "daisies")),
        (("grows", "grow"), ("blooms", "bloom")),
        ("pink", "purple", "yellow"),
        ("dotted", "plain"),
        ("dark blue", "gray"),
        -1,
    ),
    "cone": Kind(
        (("traffic cone", "traffic cones"), ("cone", "cones")),
        _STANDS,
        ("orange", "red"),
        ("striped", "striped", "plain"),
        ("black", "pale green"),
        -1,
    ),
    "tree": Kind(
        (("tree", "trees"), ("fir tree", "fir trees"), ("christmas tree", "christmas trees")),
        (("grows", "grow"), ("stands", "stand")),
        ("green", "green", "pale green"),
        ("plain", "dotted"),
        ("white", "blue"),
        -1,
    ),
    "house": Kind(
        (("house", "houses"), ("bird house", "bird houses"), ("hut", "huts")),
        _STANDS,
        ("brown", "dark red", "white"),
        ("checkered", "plain", "striped"),
        ("green", "yellow"),
        -1,
    ),
    "fish": Kind(
        (("fish", "fish"), ("gold fish", "gold fish")),
        (("swims", "swim"), ("dives", "dive")),
        ("orange", "blue", "gray"),
        ("striped", "zigzag"),
        ("pink", "dark red"),
        -1,
    ),
    "balloon": Kind(
        (("balloon", "balloons"), ("party balloon", "party balloons")),
        (("floats", "float"), ("drifts", "drift"), ("flies", "fly")),
        ("red", "purple", "pink"),
        ("dotted", "striped", "plain"),
        ("white", "black"),
        1,
    ),
    "kite": Kind(
        (("kite", "kites"), ("paper kite", "paper kites")),
        (("flies", "fly"), ("soars", "soar")),
        ("blue", "green", "red"),
        ("zigzag", "striped", "checkered"),
        ("gray", "dark blue"),
        1,
    ),
    "leaf": Kind(
        (("leaf", "leaves"), ("oak leaf", "oak leaves")),
        (("falls", "fall"), ("lies", "lie")),
        ("green", "brown", "orange"),
        ("plain", "zigzag"),
        ("purple", "red"),
    ),
    "drop": Kind(
        (("drop", "drops"), ("rain drop", "rain drops"), ("water drop", "water drops")),
        (("falls", "fall"), ("hangs", "hang")),
        ("blue", "light blue", "dark blue"),
        ("plain", "plain", "bordered"),
        ("orange", "yellow"),
    ),
}
"""Shape -> what is particular to it."""
SHAPES = tuple(KINDS)
COLOURS = tuple(PALETTE)
HELD_OUT = frozenset((colour, shape) for shape, kind in KINDS.items() for colour in kind.unseen)
"""(colour, shape) pairs in no training scene, neither drawn nor said, foils included: 40 of 300."""
SHARE_OF_COPY = {1: 1.0, 2: 0.5, 3: 0.42}
"""Number of copies of the shape in one object -> radius of one of them over that of the whole."""


@dataclass(frozen=True)
class SceneObject:
    """One thing in the picture; several equal copies that stand together are one object (`count` of them).

    x, y, radius: centre and radius of the circle that holds all of it, as fractions of the picture's side, y
    downwards. size: that of one copy, a key of `SIZES`.
    """

    shape: str
    colour: str
    size: str
    texture: str
    x: float
    y: float
    radius: float
    count: int = 1


def related(one: SceneObject, other: SceneObject) -> list[Relation]:
    """All that is true of `one` with respect to `other`; the opposite of what is listed is false.

    A direction must clearly win over the one across it (by a factor 1.3). Near and far go by the gap between
    the two circles: under 0.16 of the picture's side, over 0.36 of it. In between nothing is said.
    """
    across, down = other.x - one.x, other.y - one.y
    relations: list[Relation] = []
    if abs(down) > 1.3 * abs(across):
        relations.append("above" if down > 0 else "below")
    elif abs(across) > 1.3 * abs(down):
        relations.append("left" if across > 0 else "right")
    gap = math.hypot(across, down) - one.radius - other.radius
    if gap < 0.16:
        relations.append("near")
    elif gap > 0.36:
        relations.append("far")
    return relations


def places(one: SceneObject) -> list[Place]:
    """All that is true of the object's place in the picture, which is cut into thirds; may be empty."""
    true_places: list[Place] = []
    if one.y < 0.33:
        true_places.append("top")
    elif one.y > 0.67:
        true_places.append("bottom")
    if one.x < 0.33:
        true_places.append("left side")
    elif one.x > 0.67:
        true_places.append("right side")
    if not true_places and max(abs(one.x - 0.5), abs(one.y - 0.5)) < 0.12:
        true_places.append("middle")
    return true_places
