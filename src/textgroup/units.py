"""Units and references: what a user gets for a caption."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Unit(NamedTuple):
    """A run of neighbouring tokens that the model put into the same group.

    `caption[start:end] == text` for the caption as it was given. A group that owns several separate runs
    gives several units with the same `group` number.

    groundable: whether the unit is one of those that name something, as far as the model can tell; None where
    it makes no such mark.
    """

    text: str
    start: int
    end: int
    group: int
    groundable: bool | None = None


class Reference(NamedTuple):
    """A unit, and the object of an image that it refers to.

    object: its number, from 0, or None if the unit is closer to the null object than to any object of the image.
    cosines: of the unit and each object, in -1..1.
    """

    unit: Unit
    object: int | None
    cosines: list[float]


class Grounding(NamedTuple):
    """A unit, and what it means in a photograph; None where it names nothing, or nothing in the photograph answers.

    heat: (h, w) over the whole photograph, how well what is seen there answers the unit. point: x, y, the centre of
    mass of the heat. box: x0, y0, x1, y1 around the hottest region. Both are shares of the photograph's width and
    height. score: the largest cosine; None where the unit names nothing.
    """

    unit: Unit
    heat: "np.ndarray | None" = None
    point: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    score: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields of the unit, then "point", "box", "score" and "heat" with three digits, for JSON."""
        heat = None if self.heat is None else [[round(float(x), 3) for x in row] for row in self.heat]
        found = {"point": self.point, "box": self.box, "score": self.score, "heat": heat}
        return {**self.unit._asdict(), **found}


Segmenter = Callable[[Sequence[str]], list[list[Unit]]]
"""Captions in, the units of each out, in reading order."""


Begin = tuple[int, int, bool | None]
"""Where a unit begins: its first character, its group, and whether it names something; None leaves that open. A plain
tuple: there is one for every unit of a stream, and the garbage collector lets plain ones alone."""
_START = itemgetter(0)


def units_at(caption: str, begins: Iterable[Begin], *, numbered: bool = False) -> list[Unit]:
    """The units that begin there, from left to right; the first begins with the caption.

    numbered: give each a group of its own, from 0 on, instead of the group that stands there.

    Each goes on to the next, without the white space between. So units never overlap, and every character that is not
    white space is in one. Of two that begin at the same character the first counts. What has neither letter nor digit
    names nothing. A caption of white space has no units.
    """
    length, first = len(caption), len(caption) - len(caption.lstrip())
    if first == length:
        return []
    places = sorted(begins, key=_START)
    if not places:
        places = [(first, 0, None)]
    units: list[Unit] = []
    start, (_, group, groundable) = first, places[0]
    for place in (*places[1:], (length, 0, None)):
        end = place[0]
        if end > start:
            text = caption[start:end]
            if text[0].isspace():
                start, text = start + len(text) - len(text.lstrip()), text.lstrip()
            text = text.rstrip()
            if text:
                names = groundable and (text[0].isalnum() or any(map(str.isalnum, text)))
                units.append(Unit(text, start, start + len(text), len(units) if numbered else group, names))
            start, group, groundable = place
    return units


def merge_tokens(caption: str, spans: Sequence[tuple[int, int]], groups: Sequence[int]) -> list[Unit]:
    """Neighbouring tokens of one group, joined to units (`units_at`).

    spans: characters (start, end) of each token. groups: the group of each. Of several tokens within a character, as a
    tokenizer of bytes makes them, the first decides.
    """
    begins: list[Begin] = []
    read, group = 0, None
    for (start, end), own in zip(spans, groups):
        if start >= read and own != group:
            begins.append((start, own, None))
            group = own
        read = max(read, end)
    return units_at(caption, begins)
