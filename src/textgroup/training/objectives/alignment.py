"""InfoNCE with units against objects, by late interaction with a null object (not in the paper)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.model.late_interaction import log_odds, set_similarity
from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk


def alignment_loss(units: Tensor, objects: Tensor, temperature: float) -> Tensor:
    """InfoNCE between units and objects, and a term for what it leaves open: which units refer to none
    (`late_interaction.py`).

    InfoNCE depends only on differences between images. So each unit is also to refer to an object of its own image, and
    to none in the others, both with the same weight. A unit that is as common elsewhere as here ("and") then does as
    well with none. units (B, K, E) and objects (B, G, E), paired; zeros where there is none.
    """
    similarity = set_similarity(units, objects, temperature)  # (B, B)
    pair = torch.arange(len(similarity), device=similarity.device)
    contrastive = (F.cross_entropy(similarity, pair) + F.cross_entropy(similarity.T, pair)) / 2
    own = similarity.diagonal()
    here = own - log_odds(units, objects, temperature)  # minus the log probability of an object
    elsewhere = (similarity.sum() - own.sum()) / max(1, len(own) * (len(own) - 1))
    return contrastive + here.mean() + elsewhere


@dataclass(frozen=True)
class Alignment:
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
        return {"alignment": alignment_loss(batch.vectors["units"], batch.vectors["objects"], self.temperature)}
