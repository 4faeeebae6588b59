"""How the two views of a router teach each other: the words teach the places, then the places the words.

After Blum & Mitchell (1998), co-training: two views of the same boundary, each able to judge alone. The word view
starts from Harris's statistic of the captions; the place view learns to predict it from what stands around; then
each word type is given the mean of what its places say, and what it does most in the units that come of it. No
boundary is ever shown.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.data.captions import CaptionData
from textgroup.data.statistics import beginning, binding
from textgroup.model.router import Router, Views, cut, together
from textgroup.tokenizer import CaptionTokenizer

CAPTIONS, AT_ONCE, RARE = 24_000, 1_000, 2.0
"""Captions over which a word view is taken anew, and those read together; occurrences by which a rare type is drawn to
0."""
CLOSES, FEW = 0.2, 10
"""Share of its units, and of FEW more, from which on a type closes them; chosen on the first 500 captions of Flickr30k
Entities val."""


def begin(router: Router, data: CaptionData, tokenizer: CaptionTokenizer) -> None:
    """The first word view, from the captions alone, and which tokens end a word; one that binds the next does not."""
    ends_word = np.array(tokenizer.ends_word())
    ends_word[: tokenizer.start] &= ~binding(data, len(tokenizer))[: tokenizer.start]
    router.ends_word.copy_(torch.from_numpy(ends_word))
    router.word.copy_(torch.from_numpy(beginning(data, ends_word)))


@torch.no_grad()
def refit(router: Router, data: CaptionData, seed: int) -> None:
    """Take each word type anew from the places where it stands, over some captions of the training set.

    `word`: the mean of the place view's logits there. Then, with units cut by both views, `closes`: how often a
    unit that begins with the word has no other and stands before one of several words, as a preposition does. Then,
    with units cut by that too, `names`: the mean of the place view's logits for the units that end with the word. A
    type that does not stand there keeps what it has.
    """
    seen = list(_look(router, data, seed))
    may = [views.open() for _, views in seen]
    _mean(router.word, _picked([ids for ids, _ in seen], may), _picked([views.place for _, views in seen], may))

    types, closing = [], []
    for ids, views in seen:
        found = cut(together(router.word[ids], views.place), torch.zeros_like(views.place), views.words, views.end)
        number = views.words.cumsum(dim=1)  # (B, M), of the word that each token is in
        head = (number == number.gather(1, found.first)) & router.ends_word[ids] & _inside(views)
        types.append(ids[head])
        before_several = F.pad(found.several[:, 1:], (0, 1)) & ~found.several  # (B, M), read at the unit's last token
        closing.append(before_several[head])
    _share(router.closes, torch.cat(types), torch.cat(closing))

    seen = list(_look(router, data, seed))
    tails = [_inside(views) & (views.cut.final == torch.arange(ids.shape[1], device=ids.device)) for ids, views in seen]
    _mean(router.names, _picked([ids for ids, _ in seen], tails), _picked([v.names_place for _, v in seen], tails))


def _look(router: Router, data: CaptionData, seed: int) -> Iterator[tuple[Tensor, Views]]:
    """Token ids (B, M) of some captions of the training set, and what the router sees in them."""
    place = router.word.device
    for step in range(min(CAPTIONS // AT_ONCE, data.steps_per_epoch(AT_ONCE))):
        for ids, mask in data.batch(step, AT_ONCE, seed).chunks:
            yield ids.to(place), router(ids.to(place), mask.to(place))


def _inside(views: Views) -> Tensor:
    """Tokens between start and end of text (B, M)."""
    position = torch.arange(views.words.shape[1], device=views.words.device)
    return (position > 0) & (position < views.end)


def _picked(values: Sequence[Tensor], where: Sequence[Tensor]) -> Tensor:
    """The values (B, M) of all chunks where `where` is True, in one row."""
    return torch.cat([value[picked] for value, picked in zip(values, where)])


def _mean(logits: Tensor, types: Tensor, values: Tensor) -> None:
    """Set the logit of each type (V,) that was met to the mean of its values, drawn to 0 where there are few."""
    total, count = (torch.zeros_like(logits).index_add_(0, types, x) for x in (values, torch.ones_like(values)))
    logits.copy_(torch.where(count > 0, total / (count + RARE), logits))


def _share(shares: Tensor, types: Tensor, yes: Tensor) -> None:
    """Set, for each type (V,) that was met, how often `yes` holds of it, above `CLOSES`; less where there are few."""
    holds, met = (torch.zeros_like(shares).index_add_(0, types, x.float()) for x in (yes, torch.ones_like(yes)))
    shares.copy_(torch.where(met > 0, holds / (met + FEW) - CLOSES, shares))
