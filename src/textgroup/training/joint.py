"""Training the image tower too: a step with gradients through both sides.

The losses see a batch of vectors, as they do with a frozen encoder, and know of no tower: they leave a gradient at each
vector, and with that the tower goes backward. So InfoNCE over many chunks and processes needs nothing new, and what
GradCache does for captions is done here for photographs: encoded without a graph, then again, a chunk at a time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from textgroup.data.captions import Batch, CaptionData
from textgroup.model.noise import Noise
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.losses import fast
from textgroup.vision.tower import ImageTower

AT_ONCE = 32
"""Photographs encoded at once where no gradients are wanted."""


def trained(model: TextGroupModel, tower: ImageTower | None) -> nn.Module:
    """Everything that is trained: the model, and the tower if there is one."""
    return nn.ModuleList([model] if tower is None else [model, tower])


@contextmanager
def encoded(tower: ImageTower | None, batch: Batch, key: int, chunk: int | None) -> Iterator[Batch]:
    """The batch with the tower's vectors (B, D) for its pixels (B, 3, H, W); without a tower the batch as it is.

    In the block, take the losses of it and their gradients: after it, the tower has its own. key: of the step's noise.
    chunk: see `ImageTower.forward`.
    """
    if tower is None or batch.image is None:
        yield batch
        return
    rows = torch.arange(batch.size, device=batch.image.device) if batch.rows is None else batch.rows
    with fast(batch.image.device):
        vectors = tower(batch.image, Noise(key, rows), chunk)
    seen = vectors.detach().requires_grad_()
    yield batch._replace(image=seen)
    vectors.backward(seen.grad)


@torch.no_grad()
def encoded_data(tower: ImageTower | None, data: CaptionData) -> CaptionData:
    """The data set with the tower's vectors for its photographs, for evaluation."""
    if tower is None or data.pooled is None:
        return data
    place = next(tower.parameters()).device
    vectors = []
    for a in range(0, data.pooled.shape[0], AT_ONCE):
        rows = np.arange(a, min(a + AT_ONCE, data.pooled.shape[0]))
        with fast(place):
            vectors.append(tower(torch.from_numpy(data.pooled[rows]).to(place)).float().cpu().numpy())
    return replace(data, pooled=np.concatenate(vectors))
