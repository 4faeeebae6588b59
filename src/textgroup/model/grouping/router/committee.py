"""Teachers that cut captions together, by the mean of their logits; translations, where there are any, know better.

A router that has learned from them may join. It reads a word and its surroundings at once and has seen captions of
which something was taken away; they know more of single words. It votes as much as all teachers together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.data.captions import CaptionData
from textgroup.model.grouping.router.cotraining import AT_ONCE, Teacher, cut
from textgroup.model.grouping.router.places import Places, Spans, find_spans, mean_over_units
from textgroup.model.grouping.router.revision import Links, join, second_words
from textgroup.model.grouping.router.router import Router
from textgroup.model.grouping.router.translated import CutCaption, Translations, first_tokens_of_words, translate


class CutTogether(NamedTuple):
    """All (B, M). begins: True for the first token of each unit. final: index of the last token of each token's unit.
    names: whether that names something; a mark never does."""

    places: Places
    begins: Tensor
    final: Tensor
    names: Tensor


class Committee:
    """Teachers of the same captions. translations: what is told of some captions. router: one that has joined."""

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        self._teachers = teachers
        self._names, *links = (
            torch.stack([getattr(t, fact) for t in teachers]).mean(dim=0)
            for fact in ("names", "closes", "called", "finishes")
        )  # (V,) each
        self._links = Links(*links)
        self.translations = Translations()
        self.router: Router | None = None

    @torch.no_grad()
    def cut(self, ids: Tensor, mask: Tensor) -> CutTogether:
        """ids and mask (B, M)."""
        places = self._teachers[0].places(ids, mask)
        told = self.translations.of(ids, mask)
        views = [teacher(ids, mask) for teacher in self._teachers]
        boundary = torch.stack([v.boundary for v in views]).mean(dim=0)
        if self.router is not None:
            begins_by_router, names_by_router = self.router.token_logits(ids, mask)
            boundary = (boundary + begins_by_router) / 2

        def naming(spans: Spans) -> Tensor:
            mean = torch.stack([t.naming(v, spans) for t, v in zip(self._teachers, views)]).mean(dim=0)
            return mean + self._names[ids].gather(1, spans.final)  # of the type that ends each unit

        def names(begins: Tensor, spans: Spans) -> Tensor:
            logit = naming(spans)
            if self.router is not None:
                logit = (logit + mean_over_units(names_by_router, begins, places.inside)) / 2
            named = mean_over_units(told.names, begins, places.inside)
            return (torch.where(named != 0, named, logit) > 0) & ~places.alone

        known = torch.where(told.begins, 1.0, -1.0)
        begins = cut(self._links.closes, ids, torch.where(told.known, known, boundary), places)  # so that it may close
        begins = torch.where(told.known & places.undecided, told.begins, begins)
        free = places.undecided & ~told.known
        spans = find_spans(begins, places)
        second = second_words(begins, free, spans, places) & ~names(begins, spans)
        begins = begins | second & (naming(find_spans(begins | second, places)) > 0)
        spans = find_spans(begins, places)
        begins = join(self._links, ids, begins, free, boundary <= 0, names(begins, spans), spans)
        spans = find_spans(begins, places)
        return CutTogether(places, begins, spans.final, names(begins, spans))

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
