"""Moving a batch to the device of the model."""

import torch
from torch import Tensor

from textgroup.data.batches import Batch, Chunk


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch on another device."""

    def move(x: Tensor | None) -> Tensor | None:
        return None if x is None else x.to(device, non_blocking=True)

    chunks = [Chunk(*(x.to(device, non_blocking=True) for x in chunk)) for chunk in batch.chunks]
    image, positions, pairs = (move(x) for x in (batch.image, batch.positions, batch.pairs))
    return Batch(chunks, image, positions, batch.total, move(batch.objects), move(batch.with_objects), pairs)
