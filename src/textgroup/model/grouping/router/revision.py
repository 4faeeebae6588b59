"""What is mended once it is known which units name something: one unit that should be two, three that should be one.

"Serving food" names nothing, but "food" does: the first word is a unit by itself. In "a crowd | of | people" the word
before "of" calls for it, and in "a black | and | white dog" the first unit lacks its last word: each is one unit.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from textgroup.model.grouping.router.places import Places, Spans

CALLED, FINISHES = 0.28, 0.2
"""A word joins what it stands between if it is called for this strongly; a unit whose last word is last in less than
this share of its occurrences lacks something. Chosen on the first 500 captions of Flickr30k Entities val, and the same
for every language (docs/experiments.md, 4.1)."""


class Links(NamedTuple):
    """Facts about token types, (V,). closes: see `cotraining.Teacher`. called: how strongly a word is called for by
    words that end what names something, see `entropy.called_for`. finishes: the share of its occurrences in units of
    several words in which a word is the last one."""

    closes: Tensor
    called: Tensor
    finishes: Tensor


def second_words(begins: Tensor, free: Tensor, spans: Spans, places: Places) -> Tensor:
    """Where the second word of a unit begins: (B, M). begins: first tokens of units. free: where a unit may begin."""
    number = places.words.cumsum(dim=1)  # of the word that each token is in
    return free & ~begins & (number == number.gather(1, spans.first) + 1)


def join(
    links: Links, ids: Tensor, begins: Tensor, free: Tensor, goes_on: Tensor, names: Tensor, spans: Spans
) -> Tensor:
    """The units that begin here, with each that is a link joined to the one before and the one after; all (B, M).

    A link is called for by what names something; or it closes its unit, after a unit that lacks its last word. begins:
    first tokens of units. free: where a unit may begin. goes_on: where nothing about the words says that one does.
    names: whether each token's unit names something.
    """
    called = (links.called[ids] > CALLED) & _before(names)
    lacks = (links.closes[ids] > 0) & _before((links.finishes[ids] < FINISHES) & spans.several)
    link = begins & free & (called | lacks) & F.pad((free & goes_on)[:, 1:], (0, 1))
    return begins & ~link & ~_before(link)


def _before(x: Tensor) -> Tensor:
    """For each token (B, M), what holds for the one before it."""
    return F.pad(x[:, :-1], (1, 0))
