"""Training the image tower with the model: gradients through both sides in one step.

The losses see a batch of vectors, as with a frozen encoder, and leave a gradient at each vector; the tower then goes
backward from these. So InfoNCE over chunks and processes works unchanged. GradCache for photographs: encode without a
graph, then encode again, a chunk at a time, with gradients.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from textgroup.data.batches import Batch
from textgroup.data.captions import CaptionData, ImageRows
from textgroup.model.noise import Noise
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.precision import autocast
from textgroup.vision.encoders.tower import ImageTower

FEATURES, PHOTOGRAPHS = 10_000, 250
"""Images from which mean and deviation of the features are computed: stored ones, and those that a tower has to
encode."""
AT_ONCE = 32
"""Photographs encoded at once without gradients."""


def trained_modules(model: TextGroupModel, tower: ImageTower | None) -> nn.Module:
    """Everything that is trained: the model, and the tower if there is one."""
    return nn.ModuleList([model] if tower is None else [model, tower])


@contextmanager
def encode_photographs(tower: ImageTower | None, batch: Batch, key: int, chunk: int | None) -> Iterator[Batch]:
    """Yield the batch with the tower's vectors (B, D) for its pixels (B, 3, H, W); without a tower, the batch itself.

    Compute losses and gradients inside the block; at its end the tower gets its own gradients. key: of the step's
    noise. chunk: see `ImageTower.forward`.
    """
    if tower is None or batch.image is None:
        yield batch
        return
    rows = torch.arange(batch.size, device=batch.image.device) if batch.positions is None else batch.positions
    with autocast(batch.image.device):
        vectors = tower(batch.image, Noise(key, rows), chunk)
    leaf = vectors.detach().requires_grad_()
    yield batch._replace(image=leaf)
    vectors.backward(leaf.grad)


def encode_data(tower: ImageTower | None, data: CaptionData) -> CaptionData:
    """The data set with the tower's vectors for its photographs, for evaluation."""
    if tower is None or data.pooled is None:
        return data
    return replace(data, pooled=encode_rows(tower, data.pooled, np.arange(data.pooled.shape[0])))


@torch.no_grad()
def encode_rows(tower: ImageTower, pixels: ImageRows, rows: np.ndarray) -> np.ndarray:
    """The tower's vectors (B, D) of these photographs, without noise."""
    device = next(tower.parameters()).device
    blocks = []
    for a in range(0, len(rows), AT_ONCE):
        with autocast(device):
            blocks.append(tower(torch.from_numpy(pixels[rows[a : a + AT_ONCE]]).to(device)).float().cpu().numpy())
    return np.concatenate(blocks)


def sample_features(tower: ImageTower | None, pooled: ImageRows) -> Tensor:
    """Features of images spread over a data set, (rows, D), encoded by the tower if there is one."""
    limit = FEATURES if tower is None else PHOTOGRAPHS
    rows = np.arange(0, pooled.shape[0], max(1, pooled.shape[0] // limit))
    features = pooled[rows] if tower is None else encode_rows(tower, pooled, rows)
    return torch.from_numpy(np.asarray(features, dtype=np.float32))
