"""InfoNCE with units that attend to objects, such as the patches of a photograph (not in the paper)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.model.late_interaction import found_similarity
from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk

AMONG = 128
"""Captions and images, at most, among which each has to find its own. The work grows with their square."""


def grounding_loss(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """Eq. 6-8 with the similarity of units and objects instead of that of two pooled vectors, `AMONG` pairs at a time.

    units (B, K, E) and objects (B, G, E), paired; zeros where there is none.
    """
    parts = -(-len(units) // AMONG)
    blocks = zip(units.tensor_split(parts), objects.tensor_split(parts))
    return torch.stack([len(some) / len(units) * _info_nce(some, there, temperature) for some, there in blocks]).sum()


def _info_nce(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    similarity = found_similarity(units, objects) / temperature  # (B, B)
    pair = torch.arange(len(similarity), device=similarity.device)
    return (F.cross_entropy(similarity, pair) + F.cross_entropy(similarity.T, pair)) / 2


@dataclass(frozen=True)
class Grounding:
    """An `Objective`; of a batch without objects it has no loss."""

    weight: float
    temperature: float

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """See `EncodedChunk.units_and_objects`. Where the grouping marks units that name something, these are vectors
        "names" (B, K, E), and take the place of "units"; all do in a caption that has none such."""
        vectors, names = chunk.units_and_objects.vectors, chunk.text.names
        if not vectors or names is None:
            return chunk.units_and_objects
        named = vectors["units"] * (names | ~names.any(dim=1, keepdim=True))[:, :, None]
        return ChunkOutput({"names": named, "objects": vectors["objects"]}, {})

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`. Of the captions with objects. An image that comes twice (pairs) is never to be told
        from itself: the loss of the first captions of all images, then that of the second, and their mean."""
        if "objects" not in batch.vectors:
            return {}
        units = batch.vectors["names" if "names" in batch.vectors else "units"]
        objects = batch.vectors["objects"]
        has_objects = (objects != 0).flatten(1).any(dim=1)  # (B,)
        sides = [torch.arange(len(objects), device=objects.device)] if pairs is None else pairs.unbind(dim=1)
        total = objects.new_zeros(())
        for rows in sides:
            if len(rows := rows[has_objects[rows]]):
                total = total + len(rows) * grounding_loss(units[rows], objects[rows], self.temperature)
        return {"grounding": total / has_objects.sum().clamp_min(1)}
