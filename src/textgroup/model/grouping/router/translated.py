"""What translations say of captions: a caption is cut as the same caption is in another language.

In "un homme court", "court" says what "running" says in "a man | is | running", so a unit begins with it. Nothing in
French captions says that: verbs go on with nouns there as adjectives do. It is the projection of Yarowsky et al.
(2001); here nobody annotated the first language either.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.data.captions import CaptionData
from textgroup.data.statistics.translation import align

SURE = 0.5
"""A word of a translation belongs to a unit of the caption if it is surer than this, added up over the unit's words,
that they mean the same."""


class CutCaption(NamedTuple):
    """A caption that is cut: the number of each word's unit, and whether each unit names something."""

    unit: np.ndarray
    names: np.ndarray


class Told(NamedTuple):
    """What a translation says of a caption's tokens, start and end of text included: (M,), or (B, M) of many.

    known: whether it says if a unit begins with this token. begins: whether one does. names: above 0 for a word whose
    unit names something, below 0 for one whose unit names nothing, 0 where nothing is known and inside words.
    """

    known: Tensor
    begins: Tensor
    names: Tensor


class Translations:
    """What is told of captions, which are found by their token ids; nothing is known of others. Of a caption that comes
    twice, all that is known where both say the same, and the sum of `names`."""

    def __init__(self, told: Iterable[tuple[Sequence[int], Told]] = ()) -> None:
        self._told: dict[tuple[int, ...], Told] = {}
        for ids, new in told:
            old = self._told.setdefault(tuple(ids), new)
            if old is not new:
                agree = old.known & new.known & (old.begins == new.begins)
                self._told[tuple(ids)] = Told(agree, old.begins & agree, old.names + new.names)

    def of(self, ids: Tensor, mask: Tensor) -> Told:
        """What is told of these captions (B, M)."""
        rows = [torch.zeros_like(ids, dtype=kind) for kind in (torch.bool, torch.bool, torch.float32)]
        for n, (row, length) in enumerate(zip(ids.tolist(), mask.sum(dim=1).tolist())):
            for kept, value in zip(rows, self._told.get(tuple(row[:length]), ())):
                kept[n, :length] = value
        return Told(*rows)


def translate(cut: Sequence[CutCaption], languages: Sequence[CaptionData], ends_word: np.ndarray) -> Translations:
    """Carry the units of captions over to their translations: what is then told of those.

    languages: the same captions in each language, one after the other; `cut` has those of the first. ends_word: (V,),
    whether a token ends a word.
    """
    types: dict[tuple[int, ...], int] = {}
    texts, starts = zip(*(_words(data, ends_word, types) for data in languages))
    told = []
    for data, words, first_tokens in zip(languages[1:], texts[1:], starts[1:]):
        for n, sure in enumerate(align(texts[0], words)):
            told.append((data.caption(n).tolist(), _tell(cut[n], sure, first_tokens[n], len(data.caption(n)))))
    return Translations(told)


def first_tokens_of_words(ids: np.ndarray, ends_word: np.ndarray) -> np.ndarray:
    """The positions at which words begin in a caption's ids (M,); start and end of text are no words."""
    starts: np.ndarray = np.flatnonzero(ends_word[ids[:-2]]) + 1  # the start of text ends a word
    return starts


def _words(
    data: CaptionData, ends_word: np.ndarray, types: dict[tuple[int, ...], int]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The type of each word of each caption, a number for each new one, and the token that each word begins with."""
    words, starts = [], []
    for n in range(len(data)):
        ids = data.caption(n)
        begin = first_tokens_of_words(ids, ends_word)
        spelled = (tuple(piece.tolist()) for piece in np.split(ids[:-1], begin)[1:])
        words.append(np.array([types.setdefault(word, len(types)) for word in spelled], dtype=np.int64))
        starts.append(begin)
    return words, starts


def _tell(cut: CutCaption, sure: np.ndarray, starts: np.ndarray, length: int) -> Told:
    """What a cut caption says of its translation. sure: (words, words of the translation), see `align`.

    A word belongs to the unit that most of what it means is in. Of two neighbours that belong somewhere, it is known
    whether a unit begins between them; and between two words of one unit none begins, whatever stands there.
    """
    known, begins = torch.zeros(2, length, dtype=torch.bool)
    names = torch.zeros(length)
    of_unit = np.zeros((len(cut.names), len(starts)))
    np.add.at(of_unit, cut.unit, sure)
    before = None  # the last word that belongs to a unit
    for word in np.flatnonzero(of_unit.max(axis=0, initial=0) > SURE):
        unit = int(of_unit[:, word].argmax())
        names[starts[word]] = float(of_unit[unit, word]) * (1 if cut.names[unit] else -1)
        if before is not None:
            last, its_unit = before
            if unit == its_unit or word == last + 1:
                known[starts[last + 1 : word + 1]] = True
                begins[starts[word]] = unit != its_unit
        before = word, unit
    return Told(known, begins, names)
