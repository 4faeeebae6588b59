"""Captions as people bring them, made of captions that are cut already: the router learns from both (noisy student).

A title leaves out determiners, a list for an image generator leaves out nearly everything else, and a full stop may be
there or not. Whatever is taken away, the units that are left stay units, and what they name they still name.
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

PLAIN, LIST = 0.5, 0.1
"""Share of the captions that are left as they are; that become lists of what they name."""
NO_MARKS, SHORTER, NO_LINK = 0.4, 0.5, 0.15
"""Of the rest: share without punctuation; of units that lose their first word; of other units that are left out."""
LONGEST_LIST, BARE, COMMAS, ENDS_BARE = 8, 0.7, 0.7, 0.8
"""Units of the longest list; share of its units that lose their first word; of the lists that have commas; of those,
without one at the end."""


class Labelled(NamedTuple):
    """A unit: its token ids, whether it names something, and whether it is a mark that stands alone."""

    ids: list[int]
    names: bool
    alone: bool = False


def corrupt(
    units: Sequence[Labelled], others: Sequence[Labelled], comma: int, ends: list[bool], random: Random
) -> list[Labelled]:
    """The units of a caption, some of them shorter or left out. others: those of another caption, for lists.

    comma: id of the token. ends: for each id, whether it ends a word.
    """
    kind = random.random()
    if kind < PLAIN:
        return list(units)
    named = [unit for unit in (*units, *others) if unit.names]
    if kind < PLAIN + LIST and named:
        return _list_of(named, comma, ends, random)
    if random.random() < NO_MARKS:
        units = [unit for unit in units if not unit.alone] or units
    left = []
    for unit in units:
        if unit.names:
            left.append(_shorten(unit, SHORTER, ends, random))
        elif unit.alone or random.random() >= NO_LINK:
            left.append(unit)
    return left or list(units)


def _list_of(named: list[Labelled], comma: int, ends: list[bool], random: Random) -> list[Labelled]:
    """Some of these units in any order, most of them without their first word, most lists with commas."""
    chosen = random.sample(named, min(len(named), random.randint(2, LONGEST_LIST)))
    shorter = [_shorten(unit, BARE, ends, random) for unit in chosen]
    if random.random() >= COMMAS:
        return shorter
    separated = [x for unit in shorter for x in (unit, Labelled([comma], False, True))]
    return separated[:-1] if random.random() < ENDS_BARE else separated


def _shorten(unit: Labelled, share: float, ends: list[bool], random: Random) -> Labelled:
    """The unit without its first word, in this share of the cases; a unit of one word stays as it is."""
    first = next((n for n, token in enumerate(unit.ids, 1) if ends[token]), len(unit.ids))
    if first == len(unit.ids) or random.random() >= share:
        return unit
    return unit._replace(ids=unit.ids[first:])
