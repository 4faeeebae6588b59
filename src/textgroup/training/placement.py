"""Moving a batch to the device of the model."""

import torch
from torch import Tensor

from textgroup.data.captions import Batch, Chunk


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The same batch on another device."""

    def move(x: Tensor | None) -> Tensor | None:
        return None if x is None else x.to(device, non_blocking=True)

    chunks = [Chunk(*(x.to(device, non_blocking=True) for x in chunk)) for chunk in batch.chunks]
    image, rows, objects, pairs = (move(x) for x in (batch.image, batch.rows, batch.objects, batch.pairs))
    return Batch(chunks, image, rows, batch.whole, objects, pairs)
