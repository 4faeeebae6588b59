"""A model as the `Cutter` of `segmenting.py`."""

from collections.abc import Sequence

import torch

from textgroup.data.batches import Chunk, pad
from textgroup.model.textgroup import TextGroupModel


class ModelCutter:
    """A `Cutter` in PyTorch, on the model's device."""

    def __init__(self, model: TextGroupModel) -> None:
        self.model, self.reach = model, model.encoder.reach

    @torch.inference_mode()
    def owners(self, ids: Sequence[list[int]]) -> tuple[list[list[int]], list[list[bool]] | None]:
        """See `Cutter.owners`."""
        owners = self.model.owners(*padded(ids, self.model))
        return owners.owner.tolist(), None if owners.groundable is None else owners.groundable.tolist()


def padded(ids: Sequence[list[int]], model: TextGroupModel) -> Chunk:
    """Ids and mask on the model's device."""
    device = next(model.parameters()).device
    chunk = pad(ids)
    return Chunk(chunk.ids.to(device), chunk.mask.to(device))
