"""Places in a caption: where words begin, where a unit must or may begin, and which tokens make a unit.

All tensors are (B, M). Start and end of text lie in no word and in no unit.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Places(NamedTuple):
    """words: True for the first token of each word. first: for that of the caption's first word. alone: True for a
    token that is a unit by itself, such as a comma. end: (B, 1), index of the end of text.
    """

    words: Tensor
    first: Tensor
    alone: Tensor
    end: Tensor

    @property
    def must(self) -> Tensor:
        """Where a unit begins whatever the router says: at the first word, at a mark that stands alone, and after."""
        return self.words & (self.first | self.alone | F.pad(self.alone[:, :-1], (1, 0)))

    @property
    def undecided(self) -> Tensor:
        """Where a unit may or may not begin."""
        return self.words & ~self.must

    @property
    def number(self) -> Tensor:
        """Of the word that each token is in, from 1; 0 for the start of text."""
        return self.words.cumsum(dim=1)

    @property
    def inside(self) -> Tensor:
        """Tokens between start and end of text."""
        position = torch.arange(self.words.shape[1], device=self.words.device)
        return (position > 0) & (position < self.end)


def find_places(ids: Tensor, mask: Tensor, ends_word: Tensor, goes_on: Tensor, alone: Tensor) -> Places:
    """The places of captions. ids and mask: (B, M); a token that the mask hides is there all the same.

    The others are facts about token types, (V,): whether a token ends a word; whether what looks like a word goes on
    with the word before, as "'s" does; whether it is a mark. A word of nothing but marks is a unit by itself.
    """
    position = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    end = (position * mask).amax(dim=1, keepdim=True)  # the end of text is never hidden
    inside = (position > 0) & (position < end)
    words = F.pad(ends_word[ids[:, :-1]], (1, 0)) & inside  # the start of text ends a word
    first = words & (position == 1)
    number = words.cumsum(dim=1)  # of the word that each token is in
    letters = torch.zeros_like(number).scatter_add(1, number, (~alone[ids] & inside).long())  # tokens that are no marks
    marks = inside & (letters.gather(1, number) == 0)
    return Places(first | words & ~goes_on[ids], first, marks, end)


class Spans(NamedTuple):
    """The unit of each token: index of its first and of its last token, and whether it has several words. At the end of
    text and after it they mean nothing."""

    first: Tensor
    final: Tensor
    several: Tensor


def find_spans(begins: Tensor, places: Places) -> Spans:
    """begins: (B, M), True for the first token of each unit."""
    position = torch.arange(begins.shape[1], device=begins.device).expand_as(begins)
    first = torch.where(begins, position, 0).cummax(dim=1).values
    next_begin = torch.where(begins, position, places.end).flip(1).cummin(dim=1).values.flip(1)  # here or later
    final = F.pad(next_begin[:, 1:], (0, 1), value=begins.shape[1]) - 1
    return Spans(first, final, places.number.gather(1, final) > places.number.gather(1, first))


def mean_over_units(values: Tensor, begins: Tensor, inside: Tensor) -> Tensor:
    """The mean of a value over the tokens of each unit, at every token of it; inside: (B, M), tokens that count."""
    number = begins.cumsum(dim=1)  # 0 before the first unit
    total, count = (
        torch.zeros_like(values).scatter_add(1, number.clamp_max(values.shape[1] - 1), x)
        for x in (values * inside, inside.to(values))
    )
    return (total / count.clamp_min(1)).gather(1, number.clamp_max(values.shape[1] - 1))
