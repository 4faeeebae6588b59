"""Teachers that cut captions together, by the mean of their logits; translations, where there are any, know better.
Then units are revised (`revision.py`).

A router that has learned from them may join. It reads a word and its surroundings at once and has seen captions of
which something was taken away; they know more of single words. It votes as much as all teachers together.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.data.captions import CaptionData
from textgroup.model.grouping.router.cotraining import AT_ONCE, Teacher, Views, cut
from textgroup.model.grouping.router.places import Places, find_spans, mean_over_units
from textgroup.model.grouping.router.revision import Links, join, part
from textgroup.model.grouping.router.router import Router
from textgroup.model.grouping.router.translated import CutCaption, Told, Translations, first_tokens_of_words, translate


class CutTogether(NamedTuple):
    """All (B, M). begins: True for the first token of each unit. final: index of the last token of each token's unit.
    names: whether that names something; a mark never does."""

    places: Places
    begins: Tensor
    final: Tensor
    names: Tensor


class Votes(NamedTuple):
    """What each member says of captions (B, M). boundary: a unit begins with this token, the mean of the members'
    logits. router: that the token's unit names something, the router's logit; None: no router has joined."""

    places: Places
    told: Told
    views: list[Views]
    boundary: Tensor
    router: Tensor | None


class Committee:
    """Teachers of the same captions. translations: what is told of some captions. router: one that has joined."""

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        self._teachers = teachers
        self._type_names, *links = (
            torch.stack([getattr(t, fact) for t in teachers]).mean(dim=0)
            for fact in ("names", "closes", "called", "finishes")
        )  # (V,) each
        self._links = Links(*links)
        self.translations = Translations()
        self.router: Router | None = None

    @torch.no_grad()
    def cut(self, ids: Tensor, mask: Tensor) -> CutTogether:
        """ids and mask (B, M)."""
        votes = self._votes(ids, mask)
        places, told = votes.places, votes.told
        # What is told goes in as a logit, so that a word that is told to begin a unit may close it. It is set once more
        # behind that: no word that closes a unit overrules it.
        boundary = torch.where(told.known, torch.where(told.begins, 1.0, -1.0), votes.boundary)
        begins = cut(self._links.closes, ids, boundary, places)
        begins = torch.where(told.known & places.undecided, told.begins, begins)
        free = places.undecided & ~told.known
        # Teachers judge a part of a unit: the router has learned what names something from whole units alone.
        begins = part(begins, self._names(ids, votes, begins), free, places, partial(self._naming, ids, votes))
        begins = join(self._links, ids, begins, self._names(ids, votes, begins), free, votes.boundary, places)
        return CutTogether(places, begins, find_spans(begins, places).final, self._names(ids, votes, begins))

    def _votes(self, ids: Tensor, mask: Tensor) -> Votes:
        places = self._teachers[0].places(ids, mask)
        views = [teacher(ids, mask) for teacher in self._teachers]
        boundary, names = torch.stack([v.boundary for v in views]).mean(dim=0), None
        if self.router is not None:
            begins, names = self.router.token_logits(ids, mask)
            boundary = (boundary + begins) / 2
        return Votes(places, self.translations.of(ids, mask), views, boundary, names)

    def _naming(self, ids: Tensor, votes: Votes, begins: Tensor) -> Tensor:
        """By the teachers: logits (B, M), above 0 where each token's unit names something. begins: first tokens."""
        spans = find_spans(begins, votes.places)
        mean = torch.stack([t.naming(v, spans) for t, v in zip(self._teachers, votes.views)]).mean(dim=0)
        return mean + self._type_names[ids].gather(1, spans.final)  # of the type that ends each unit

    def _names(self, ids: Tensor, votes: Votes, begins: Tensor) -> Tensor:
        """By all, or as it is told: whether each token's unit names something, (B, M). begins: first tokens."""
        logit, inside = self._naming(ids, votes, begins), votes.places.inside
        if votes.router is not None:
            logit = (logit + mean_over_units(votes.router, begins, inside)) / 2
        told = mean_over_units(votes.told.names, begins, inside)
        return (torch.where(told != 0, told, logit) > 0) & ~votes.places.alone

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
