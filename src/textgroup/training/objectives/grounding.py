"""InfoNCE with units that attend to objects, such as the patches of a photograph (not in the paper)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.model.late_interaction import found_similarity
from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk


def grounding_loss(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """Eq. 6-8 with the similarity of units and objects instead of that of two pooled vectors.

    units (B, K, E) and objects (B, G, E), paired; zeros where there is none.
    """
    similarity = found_similarity(units, objects) / temperature  # (B, B)
    pair = torch.arange(len(similarity), device=similarity.device)
    return (F.cross_entropy(similarity, pair) + F.cross_entropy(similarity.T, pair)) / 2


@dataclass(frozen=True)
class Grounding:
    """An `Objective`; of a batch without objects it has no loss."""

    weight: float
    temperature: float

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """See `EncodedChunk.units_and_objects`."""
        return chunk.units_and_objects

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        if "units" not in batch.vectors:
            return {}
        return {"grounding": grounding_loss(batch.vectors["units"], batch.vectors["objects"], self.temperature)}
