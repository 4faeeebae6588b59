"""Carrying character offsets from a cleaned caption back to the caption as it was given, in linear time.

Cleaning is local: the repaired text is, nearly everywhere, what single characters and entities become by themselves, or
a few of them together (a letter and its accent, the two or three characters of mojibake). So both texts are read side
by side, and each step takes as few characters as explain what stands there. What nothing explains is shared out evenly
up to where the texts agree again.
"""

import re
from functools import lru_cache
from itertools import pairwise

from textgroup.text.cleaning import LONGEST_CAPTION, SPACE, repair

Span = tuple[int, int]

_ATOM = re.compile(r"&(?:amp;)*#?\w{1,32};|\r\n|\x1b\[[\d;]*[A-Za-z]|.", re.DOTALL)
"""What is repaired by itself: an entity, an end of line, a colour of a terminal, or one character."""
TOGETHER = 8
"""Atoms that are repaired together at most."""
NEAR = 64
"""Atoms, and characters, within which two texts are expected to agree again."""
AGREE = 3
"""Atoms that must be alike there."""

_repair = lru_cache(maxsize=1 << 14)(repair)


def original_offsets(caption: str, cleaned: str) -> list[Span] | None:
    """For each character of `clean(caption)`, the (start, end) of the original that it stands for.

    Neither starts nor ends run backwards. Spans that overlap are equal: those of the several characters that one
    became. None if every character stands for itself, as in most captions: no list is built for those.
    """
    caption = caption[:LONGEST_CAPTION]
    if len(cleaned) == len(caption) and cleaned == caption.lower():
        return None
    repaired = repair(caption)
    spans = _repaired_offsets(caption, repaired)
    offsets: list[Span] = []
    place = 0
    for space in (*SPACE.finditer(repaired), None):
        start, end = (len(repaired), len(repaired)) if space is None else space.span()
        for n in range(place, start):
            offsets += [spans[n]] * len(repaired[n].lower())  # some are longer in lower case
        if start < end and start > 0 and end < len(repaired):  # at both ends it is taken away
            offsets.append((spans[start][0], spans[end - 1][1]))
        place = end
    return offsets


def _repaired_offsets(given: str, repaired: str) -> list[Span]:
    """For each character of `repair(given)`, the (start, end) of `given` that it stands for."""
    if given == repaired:
        return [(n, n + 1) for n in range(len(given))]
    places = [match.start() for match in _ATOM.finditer(given)]
    places.append(len(given))
    atoms = [_repair(given[a:b]) for a, b in pairwise(places)]
    offsets: list[Span] = []
    i = j = 0  # atom, and character of `repaired`
    while i < len(atoms):
        step = (1, len(atoms[i])) if repaired.startswith(atoms[i], j) else _together(given, places, i, repaired, j)
        if step is not None:
            used, made = step
            offsets += [(places[i], places[i + used])] * made
        else:
            used, made = _next_agreement(atoms, i, repaired, j)
            offsets += _shares(places[i], places[i + used], made)
        i, j = i + used, j + made
    return offsets + [(len(given), len(given))] * (len(repaired) - j)


def _together(given: str, places: list[int], i: int, repaired: str, j: int) -> tuple[int, int] | None:
    """How few atoms from i on, repaired together, are what stands at j: their number, and that of its characters."""
    for used in range(2, min(TOGETHER, len(places) - 1 - i) + 1):
        text = _repair(given[places[i] : places[i + used]])
        if text and repaired.startswith(text, j):
            return used, len(text)
    return None


def _next_agreement(atoms: list[str], i: int, repaired: str, j: int) -> tuple[int, int]:
    """How many atoms from i, and characters from j, until both texts agree again; all of them where they never do."""
    best: tuple[int, int] | None = None
    for used in range(min(NEAR, len(atoms) - i)):
        key = "".join(atoms[i + used : i + used + AGREE])
        made = repaired.find(key, j, j + NEAR) - j if key else -1
        if made >= 0 and used + made > 0 and (best is None or used + made < sum(best)):
            best = used, made
    if best is not None:
        return best
    for used in range(NEAR, len(atoms) - i):
        key = "".join(atoms[i + used : i + used + AGREE])
        if key and (made := repaired.find(key, j) - j) >= 0:
            return used, made
    return len(atoms) - i, len(repaired) - j


def _shares(start: int, end: int, parts: int) -> list[Span]:
    """start..end in so many parts, each of one character at least, where there is one for each."""
    length = end - start
    if length < parts:
        return [(start, end)] * parts
    return [(start + n * length // parts, start + (n + 1) * length // parts) for n in range(parts)]
