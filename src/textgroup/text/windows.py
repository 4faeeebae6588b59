"""A caption of any length in windows that are read one by one: its sentences, and the parts of a very long one.

A unit never crosses the end of a sentence. Sentences are found by `sentencex`, which knows abbreviations ("Mr. Lee",
"9 p.m.") and the full stops of other scripts; an empty line ends one too.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

import sentencex

LANGUAGE = "en"
"""Whose abbreviations are known; marks that end a sentence are known for all scripts."""
WORDS, LONGEST = 200, 2_000
"""Words of a window; its characters, where a text has no spaces."""
AROUND = 400
"""Characters on either side of a window that are read too, at most."""
_WHITE = re.compile("[\\s\ud800-\udfff]")
_PARAGRAPH = re.compile(r"\n\s*\n|\r\n\s*\r\n|[\u2028\u2029]")
_ENDS = re.compile(r"[^\w\s]\s|\n|[\u2028\u2029]|[。．！？।॥؟۔።៕៖]")
"""What no end of a sentence is without: most captions have none, and need no look."""
_RUN = re.compile(rf"\S{{1,{LONGEST}}}")


class Window(NamedTuple):
    """`caption[start:end]` is read; units that begin in `caption[first:last]` are taken from it."""

    start: int
    end: int
    first: int
    last: int


def sentences(caption: str) -> list[tuple[int, int]]:
    """Characters (start, end) of each sentence; end to end, they are the caption."""
    if _ENDS.search(caption.rstrip()) is None:
        return [(0, len(caption))]
    ends = [match.end() for match in _PARAGRAPH.finditer(caption)]
    spans = []
    for a, b in zip([0, *ends], [*ends, len(caption)]):
        for sentence in sentencex.segment(LANGUAGE, _WHITE.sub(" ", caption[a:b])):  # it fails on rare white space
            spans.append((a, a + len(sentence)))
            a += len(sentence)
    return spans or [(0, len(caption))]


def windows(caption: str, reach: int) -> Iterator[Window]:
    """The windows of a caption, in order. reach: words on either side of a window that are read too, so that its
    units are those that the whole sentence would have; `AROUND` characters at most."""
    for start, end in sentences(caption):
        if end - start <= LONGEST:
            yield Window(start, end, start, end)
            continue
        words = [match.span() for match in _RUN.finditer(caption, start, end)]
        starts = [a for a, _ in words]
        place = 0
        while place < len(words):
            last = min(place + WORDS, bisect_left(starts, starts[place] + LONGEST), len(words))
            last = max(last, place + 1)
            limit = starts[last] if last < len(words) else end
            before = max(starts[max(0, place - reach)], starts[place] - AROUND)
            after = min(words[min(len(words), last + reach) - 1][1], limit + AROUND)
            yield Window(before, after, starts[place], limit)
            place = last
