"""How the two views of a router teach each other: the words teach the places, then the places the words.

After Blum & Mitchell (1998), co-training: two views of the same boundary, each able to judge alone. The word view
starts from Harris's statistic of the captions; the place view learns to predict it from what stands around; then
each word type is given the mean of what its places say, and what it does most in the units that come of it. No
boundary is ever shown.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.data.captions import CaptionData, inner
from textgroup.data.statistics import beginning
from textgroup.model.dynamic import DynamicGroupTransformer
from textgroup.model.router import Router, Views
from textgroup.model.textgroup import TextGroupModel
from textgroup.tokenizer import CaptionTokenizer

CAPTIONS, RARE = 24_000, 2.0
"""Captions over which a word view is taken anew; occurrences by which a rare type is drawn to 0."""


def begin(router: Router, data: CaptionData, tokenizer: CaptionTokenizer) -> None:
    """The first word view, from the captions alone, and which tokens end a word."""
    ends_word = np.array(tokenizer.ends_word())
    router.ends_word.copy_(torch.from_numpy(ends_word))
    router.word.copy_(torch.from_numpy(beginning(data, ends_word)))


@torch.no_grad()
def refit(model: TextGroupModel, data: CaptionData, batch_size: int, seed: int) -> None:
    """Take each word type anew from the places where it stands, over some captions of the training set.

    `word`: the mean of the place view's logits there. Then, with units cut by both views, `closes`: how often a
    unit that begins with the word ends with it; and, with units cut by that too, `several`: how often a unit that
    ends with the word has several words. A type that does not stand there keeps what it has.
    """
    model.eval()
    assert isinstance(model.encoder, DynamicGroupTransformer), "only a dynamic encoder has two views"
    router = model.encoder.router
    seen = []
    for step in range(max(1, min(CAPTIONS, len(data)) // batch_size)):
        for ids, mask in data.batch(step, batch_size, seed).chunks:
            ids, mask = ids.to(router.word.device), mask.to(router.word.device)
            views = model.encode(ids, mask).views
            assert views is not None
            seen.append((ids, inner(mask), views._replace(closes=torch.zeros_like(views.place))))

    places = torch.cat([views.place[views.allowed] for _, _, views in seen])
    types = torch.cat([ids[views.allowed] for ids, _, views in seen])
    total, count = (torch.zeros_like(router.word).index_add_(0, types, x) for x in (places, torch.ones_like(places)))
    router.word.copy_(torch.where(count > 0, total / (count + RARE), router.word))

    seen = [(ids, mask, views._replace(word=router.word[ids])) for ids, mask, views in seen]
    types, first, last = _words(seen, router.ends_word)
    _count(router.closes, types[first], last[first])
    seen = [(ids, mask, views._replace(closes=router.closes[ids])) for ids, mask, views in seen]
    types, first, last = _words(seen, router.ends_word)
    _count(router.several, types[last], ~first[last])


def _words(seen: Sequence[tuple[Tensor, Tensor, Views]], ends_word: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The words of some captions, cut by their views: type (of the last token), first of its unit, last of its unit.

    seen: ids (B, M), mask of the tokens between start and end of text (B, M), views. Returns three (words,).
    """
    found = []
    for ids, mask, views in seen:
        initial = mask & F.pad(ends_word[ids[:, :-1]], (1, 0))
        initial[:, 1] = mask[:, 1]
        row, start = initial.nonzero(as_tuple=True)  # (words,), in reading order
        first = views.begins()[row, start] | (start == 1)
        closing = torch.ones_like(first)  # the last word of its caption
        closing[:-1] = row[1:] != row[:-1]
        end = torch.where(closing, mask.sum(dim=1)[row], start.roll(-1) - 1)  # column of the word's last token
        found.append((ids[row, end], first, closing | first.roll(-1)))
    types, first, last = (torch.cat(part) for part in zip(*found))
    return types, first, last


def _count(logits: Tensor, types: Tensor, yes: Tensor) -> None:
    """Set the logit of each word type that was met to how often `yes` holds of it."""
    for_it, met = (
        torch.zeros_like(logits).index_add_(0, types, x) for x in (yes.float(), torch.ones_like(yes).float())
    )
    logits.copy_(torch.where(met > 0, torch.log((for_it + 0.5) / (met - for_it + 0.5)), logits))
