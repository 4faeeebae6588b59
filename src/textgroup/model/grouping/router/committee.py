"""Teachers that cut captions together, by the mean of their logits; translations, where there are any, know better."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.data.captions import CaptionData
from textgroup.model.grouping.router.cotraining import AT_ONCE, Teacher, cut
from textgroup.model.grouping.router.places import Places, find_spans, mean_over_units
from textgroup.model.grouping.router.translated import CutCaption, Translations, first_tokens_of_words, translate


class CutTogether(NamedTuple):
    """All (B, M). begins: True for the first token of each unit. final: index of the last token of each token's unit.
    names: whether it names something."""

    places: Places
    begins: Tensor
    final: Tensor
    names: Tensor


class Committee:
    """Teachers of the same captions. translations: what is told of some captions."""

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        self._teachers = teachers
        facts = (torch.stack([getattr(t, fact) for t in teachers]).mean(dim=0) for fact in ("names", "closes"))
        self._names, self._closes = facts  # (V,) each
        self.translations = Translations()

    @torch.no_grad()
    def cut(self, ids: Tensor, mask: Tensor) -> CutTogether:
        """ids and mask (B, M)."""
        places = self._teachers[0].places(ids, mask)
        told = self.translations.of(ids, mask)
        views = [teacher(ids, mask) for teacher in self._teachers]
        begins = cut(self._closes, ids, torch.stack([v.boundary for v in views]).mean(dim=0), places)
        begins = torch.where(told.known & places.undecided, told.begins, begins)
        spans = find_spans(begins, places)
        naming = torch.stack([t.naming(v, spans) for t, v in zip(self._teachers, views)]).mean(dim=0)
        logit = naming + self._names[ids].gather(1, spans.final)  # of the type that ends each unit
        named = mean_over_units(told.names, begins, places.inside)
        return CutTogether(places, begins, spans.final, torch.where(named != 0, named, logit) > 0)

    def hear(self, languages: Sequence[CaptionData], ends_word: np.ndarray) -> None:
        """Cut the captions of the first language, and carry the units over to their translations in the others.

        ends_word: (V,), whether a token ends a word.
        """
        first = languages[0]
        found: dict[int, CutCaption] = {}
        for (ids, mask), numbers in first.chunks(AT_ONCE):
            together = self.cut(ids, mask)
            unit = together.begins.cumsum(dim=1) - 1  # (B, M)
            for n, of_token, begins, names in zip(numbers.tolist(), unit, together.begins, together.names):
                words = first_tokens_of_words(first.caption(n), ends_word)
                found[n] = CutCaption(of_token.numpy()[words], names[begins].numpy())
        self.translations = translate([found[n] for n in range(len(first))], languages, ends_word)
