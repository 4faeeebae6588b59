"""From captions to units: the windows of a caption are read, and what they give is put together again."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from textgroup.inference.spans import begins_of, length_batches
from textgroup.text.tokenizer import CaptionTokenizer, Tokens
from textgroup.text.windows import Window, sentences, windows
from textgroup.units import Begin, Unit, units_at

_ABBREVIATED = re.compile(r"(?<=\w)(?<!\.\w)\.(?=\s+\w)")
"""A full stop that ends a word and no sentence, as in "Mr. Lee": the model reads no mark there. In "J.R.R. Tolkien" it
is part of the word."""


class Cutter(Protocol):
    """What says which tokens belong together: a model, or what was exported of one.

    reach: number of tokens on either side that decide where a token belongs; None: the whole caption.
    """

    reach: int | None

    def owners(self, ids: Sequence[list[int]]) -> tuple[list[list[int]], list[list[bool]] | None]:
        """The ids of B captions -> for each token its group, and whether its unit names something, or None where no
        such mark is made: two lists of B lists, as long as the longest caption at least."""
        ...


class _Piece(NamedTuple):
    """A window of a caption, or as much of it as the model can take at once; tokens count from the window's start."""

    caption: int
    window: Window
    tokens: Tokens

    def begins(self, owners: Sequence[int], groundable: Sequence[bool] | None) -> list[Begin]:
        """See `spans.begins_of`: those that are to be taken from this window, as characters of the caption."""
        found = begins_of(self.tokens, owners, groundable)
        start, end, first, last = self.window
        if start == first and groundable is not None:  # a sentence begins: so does a unit, whatever cleaning took away
            found = [(0, *found[0][1:]), *found[1:]] if found else [(0, 0, False)]
        if start == first == 0 and end == last:  # a caption of one sentence
            return found
        return [(b[0] + start, b[1], b[2]) for b in found if first <= b[0] + start < last]


def segment(cutter: Cutter, tokenizer: CaptionTokenizer, captions: Sequence[str]) -> list[list[Unit]]:
    """The units of each caption, whatever its length, in reading order."""
    pieces = list(_pieces(cutter.reach, tokenizer, captions))
    found: list[list[Begin]] = [[] for _ in pieces]
    for rows in length_batches([len(piece.tokens.ids) for piece in pieces]):
        owners, marks = cutter.owners([pieces[i].tokens.ids for i in rows])
        for i, owner, groundable in zip(rows, owners, [None] * len(rows) if marks is None else marks):
            found[i] = pieces[i].begins(owner, groundable)
    begins: list[list[Begin]] = [[] for _ in captions]
    for piece, some in zip(pieces, found):
        begins[piece.caption] += some
    if cutter.reach is None:
        return [units_at(caption, _cut_at_sentences(caption, some)) for caption, some in zip(captions, begins)]
    return [units_at(caption, some, numbered=True) for caption, some in zip(captions, begins)]


def _pieces(reach: int | None, tokenizer: CaptionTokenizer, captions: Sequence[str]) -> Iterator[_Piece]:
    """What the model reads one by one. If few tokens around a place decide, these are sentences and parts of them;
    otherwise whole captions, or what the model can take."""
    places, texts = [], []
    for n, caption in enumerate(captions):
        for window in [Window(0, len(caption), 0, len(caption))] if reach is None else windows(caption, 2 * reach):
            places.append((n, window))
            text = caption[window.start : window.end]
            texts.append(text if reach is None else _ABBREVIATED.sub(" ", text))
    limit = tokenizer.max_tokens if reach is None else None
    for (n, window), pieces in zip(places, tokenizer.encode_pieces(texts, limit)):
        yield from (_Piece(n, window, tokens) for tokens in pieces)


def _cut_at_sentences(caption: str, begins: list[Begin]) -> list[Begin]:
    """The begins, and one more where a sentence begins within a unit."""
    places, more = [begin[0] for begin in begins], []
    for start, end in sentences(caption)[1:]:
        text = caption[start:end]
        first = start + len(text) - len(text.lstrip())
        before = bisect_right(places, first) - 1
        if before >= 0 and places[before] < first < end:
            more.append((first, *begins[before][1:]))
    return begins + more
