"""What the teachers cut is revised once it is known which units name something.

"serving food" names nothing, but "food" would: it becomes two units. "a crowd | of | people" becomes one: "of" mostly
follows words such as "crowd", which call for it. "a black | and | white dog" becomes one too: "black" is rarely the
last word of a unit.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from textgroup.model.grouping.router.places import Places, find_spans

CALLED, FINISHES = 0.28, 0.2
"""CALLED: a word that is called for more strongly may be a link. FINISHES: a unit of several words lacks something if
its last word is last in a smaller share of its occurrences. Chosen on the first 500 captions of Flickr30k Entities val,
and the same for every language (docs/experiments.md, 4.1)."""


class Links(NamedTuple):
    """Facts about token types, (V,); 0, 0 and 1/2 for one that ends no word.

    closes: above 0 if a unit that begins with the word should have no other word, as a preposition's. called: how
    strongly the word is called for by words that end what names something (`entropy.called_for`). finishes: the share
    of its occurrences in units of several words in which it is the last one.
    """

    closes: Tensor
    called: Tensor
    finishes: Tensor


def part(begins: Tensor, names: Tensor, free: Tensor, places: Places, naming: Callable[[Tensor], Tensor]) -> Tensor:
    """The units that begin here, with those parted after their first word that name nothing although the rest would.

    All (B, M). begins: first tokens of units. names: whether each token's unit names something. free: where a unit may
    begin. naming: from where units begin to logits, above 0 where each token's unit would name something.
    """
    first_word = places.number.gather(1, find_spans(begins, places).first)  # of each token's unit
    second = free & ~names & (places.number == first_word + 1)
    return begins | second & (naming(begins | second) > 0)


def join(
    links: Links, ids: Tensor, begins: Tensor, names: Tensor, free: Tensor, boundary: Tensor, places: Places
) -> Tensor:
    """The units that begin here, with each that begins with a link joined to the one before and to the next word.

    A link is called for, and what stands before names something; or it closes its unit, and the unit before lacks its
    last word. The next word must begin no unit of its own: "of the people" stays apart. ids, begins, names, free,
    boundary: (B, M). boundary: logits, above 0 where a unit begins by itself. The others are as in `part`.
    """
    spans = find_spans(begins, places)
    is_called = (links.called[ids] > CALLED) & _before(names)
    lacks = (links.closes[ids] > 0) & _before((links.finishes[ids] < FINISHES) & spans.several)
    followed = F.pad((free & (boundary <= 0))[:, 1:], (0, 1))
    link = begins & free & (is_called | lacks) & followed
    return begins & ~link & ~_before(link)


def _before(x: Tensor) -> Tensor:
    """For each token (B, M), what holds for the one before it."""
    return F.pad(x[:, :-1], (1, 0))
