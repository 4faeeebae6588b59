"""How the two views of a router train each other: the word view trains the place view, then is refitted to it.

Co-training (Blum & Mitchell, 1998): two views of the same boundary, each able to judge alone. The word view starts from
Harris's statistic of the captions (1955); the place view learns to predict it from the context; then each word type
gets the mean of what the place view says where it stands. No boundary is ever shown.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.data.captions import CaptionData
from textgroup.data.statistics.entropy import begin_logits, binds_next
from textgroup.model.grouping.router.boundaries import boundary_logit, find_boundaries
from textgroup.model.grouping.router.router import Router, Views
from textgroup.text.tokenizer import CaptionTokenizer

CAPTIONS, BATCH, RARE = 24_000, 1_000, 2.0
"""Captions over which the word view is refitted; captions read at once; pseudo-count that draws rare types to 0."""
CLOSES, FEW = 0.2, 10
"""A type closes its unit from this share of its units on, with so many more units counted; chosen on the first 500
captions of Flickr30k Entities val."""


def place_loss(views: Views) -> Tensor:
    """Cross-entropy of the place view against the word view, in nats: the sum over the undecided tokens, and their
    number: (2,)."""
    undecided = views.undecided()
    return _cross_entropy(views.place[undecided], views.word[undecided] > 0)


def naming_loss(views: Views) -> Tensor:
    """Cross-entropy of the naming place view, in nats: the sum over the units, and their number: (2,).

    It learns which places hold units of several words. What names something can be said in several words, and a bare
    noun stands where such units stand.
    """
    begins = views.boundaries.begins
    return _cross_entropy(views.names_place[begins], views.boundaries.several[begins])


def _cross_entropy(logits: Tensor, yes: Tensor) -> Tensor:
    """Sum and number, (2,)."""
    total = F.binary_cross_entropy_with_logits(logits, yes.to(logits), reduction="sum")
    return torch.stack([total, total.new_tensor(len(logits))])


def initialise(router: Router, captions: CaptionData, tokenizer: CaptionTokenizer) -> None:
    """The first word view, counted on the captions, and which tokens end a word. A word that binds the next one does
    not end there: "group of" is one word to the router."""
    ends_word = np.array(tokenizer.ends_word())
    ends_word[: tokenizer.start] &= ~binds_next(captions, len(tokenizer))[: tokenizer.start]
    router.ends_word.copy_(torch.from_numpy(ends_word))
    router.word.copy_(torch.from_numpy(begin_logits(captions, ends_word)))


@torch.no_grad()
def refit(router: Router, captions: CaptionData, seed: int) -> None:
    """Refit the facts about word types to the place views, over some captions of the training set.

    `word`: the mean boundary logit of the place view where the type stands. Then, with units cut by both views,
    `closes`: how often a unit that begins with the word has no other word and stands before a unit of several words, as
    a preposition does. Then, with units cut by `closes` too, `names`: the mean naming logit of the place view over the
    units that end with the word. A type that does not occur keeps what it has.
    """
    viewed = list(_views(router, captions, seed))
    undecided = [views.undecided() for _, views in viewed]
    _set_means(
        router.word, _select([ids for ids, _ in viewed], undecided), _select([v.place for _, v in viewed], undecided)
    )

    types, closing = [], []
    for ids, views in viewed:
        logits = boundary_logit(router.word[ids], views.place)
        units = find_boundaries(logits, torch.zeros_like(views.place), views.word_starts, views.end)
        word_number = views.word_starts.cumsum(dim=1)  # (B, M), of the word that each token is in
        ends_first_word = (word_number == word_number.gather(1, units.first)) & router.ends_word[ids] & _inside(views)
        types.append(ids[ends_first_word])
        before_several = F.pad(units.several[:, 1:], (0, 1)) & ~units.several  # (B, M), at the last token of a unit
        closing.append(before_several[ends_first_word])
    _set_shares(router.closes, torch.cat(types), torch.cat(closing))

    viewed = list(_views(router, captions, seed))
    final = [
        _inside(v) & (v.boundaries.final == torch.arange(ids.shape[1], device=ids.device)) for ids, v in viewed
    ]  # (B, M), True for the last token of a unit
    _set_means(
        router.names, _select([ids for ids, _ in viewed], final), _select([v.names_place for _, v in viewed], final)
    )


def _views(router: Router, captions: CaptionData, seed: int) -> Iterator[tuple[Tensor, Views]]:
    """Token ids (B, M) of some training captions, and what the router gives for them."""
    device = router.word.device
    for step in range(min(CAPTIONS // BATCH, captions.steps_per_epoch(BATCH))):
        for ids, mask in captions.batch(step, BATCH, seed).chunks:
            yield ids.to(device), router(ids.to(device), mask.to(device))


def _inside(views: Views) -> Tensor:
    """Tokens between start and end of text (B, M)."""
    position = torch.arange(views.word_starts.shape[1], device=views.word_starts.device)
    return (position > 0) & (position < views.end)


def _select(values: Sequence[Tensor], where: Sequence[Tensor]) -> Tensor:
    """The values (B, M) of all chunks where `where` is True, in one row."""
    return torch.cat([value[mask] for value, mask in zip(values, where)])


def _set_means(logits: Tensor, types: Tensor, values: Tensor) -> None:
    """Set the logit of each type (V,) that occurs to the mean of its values, drawn to 0 where there are few."""
    total, count = (torch.zeros_like(logits).index_add_(0, types, x) for x in (values, torch.ones_like(values)))
    logits.copy_(torch.where(count > 0, total / (count + RARE), logits))


def _set_shares(shares: Tensor, types: Tensor, yes: Tensor) -> None:
    """Set, for each type (V,) that occurs, the share of `yes` among its occurrences, less `CLOSES`."""
    holds, count = (torch.zeros_like(shares).index_add_(0, types, x.float()) for x in (yes, torch.ones_like(yes)))
    shares.copy_(torch.where(count > 0, holds / (count + FEW) - CLOSES, shares))
