"""How the two views of a router teach each other: the words teach the places, then the places the words.

After Blum & Mitchell (1998), co-training: two views of the same boundary, each able to judge alone. The word view
starts from Harris's statistic of the captions; the place view learns to predict it from what stands around; then
each word type is given the mean of what its places say. No boundary is ever shown.
"""

import numpy as np
import torch

from textgroup.data.captions import CaptionData
from textgroup.data.statistics import beginning
from textgroup.model.dynamic import DynamicGroupTransformer
from textgroup.model.router import Router
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
    """Give each word type the mean of the place view's logits where it stands, over some captions of the training set.

    A type that does not stand there keeps what it has.
    """
    model.eval()
    assert isinstance(model.encoder, DynamicGroupTransformer), "only a dynamic encoder has two views"
    old = model.encoder.router.word
    total, count = torch.zeros_like(old), torch.zeros_like(old)
    for step in range(max(1, min(CAPTIONS, len(data)) // batch_size)):
        for ids, mask in data.batch(step, batch_size, seed).chunks:
            ids, mask = ids.to(old.device), mask.to(old.device)
            views = model.encode(ids, mask).views
            assert views is not None
            total.index_add_(0, ids[views.allowed], views.place[views.allowed])
            count.index_add_(0, ids[views.allowed], torch.ones_like(views.place[views.allowed]))
    old.copy_(torch.where(count > 0, total / (count + RARE), old))
