"""Contiguity: a cost for putting neighbouring tokens that cohere into different groups (not in the paper)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from textgroup.model.grouping.contract import TextGroups
from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk


def contiguity_cost(text: TextGroups, cohesion: Tensor) -> Tensor:
    """The cost of separating neighbouring tokens, a sum over the pairs of neighbours, and their number: (2,).

    The probability that two neighbours lie in different groups, times the cohesion of the second. cohesion: (B, M), in
    0..1 (`statistics.entropy.cohesion` of each token).
    """
    both = text.mask[:, 1:] & text.mask[:, :-1]
    same_group = (text.assignment[:, :, 1:] * text.assignment[:, :, :-1]).sum(dim=1)  # (B, M - 1)
    return torch.stack([((1 - same_group) * cohesion[:, 1:] * both).sum(), both.sum()])


@dataclass(frozen=True)
class Contiguity:
    """An `Objective`. cohesion: (V,), of each token type; None: 1 for all."""

    weight: float
    cohesion: Tensor | None = None

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """The sum "contiguity": `contiguity_cost`."""
        ids = chunk.ids
        cohesion = torch.ones_like(ids, dtype=torch.float32) if self.cohesion is None else self.cohesion[ids]
        return ChunkOutput({}, {"contiguity": contiguity_cost(chunk.text, cohesion)})

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        return {"contiguity": batch.mean("contiguity")}
