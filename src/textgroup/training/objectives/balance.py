"""Balance: sure assignments, and groups that are equal over the batch (not in the paper)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from textgroup.model.grouping.contract import TextGroups
from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk


def group_usage(text: TextGroups) -> Tensor:
    """Tokens of each group, and the entropy of the assignments: (K + 1,)."""
    entropy = -torch.xlogy(text.assignment, text.assignment.clamp_min(1e-9)).sum()
    return torch.cat([text.assignment.sum(dim=(0, 2)), entropy[None]])


def balance_loss(usage: Tensor) -> Tensor:
    """log K minus the mutual information of token and group, in nats. usage: `group_usage` of the batch.

    0 when every token is sure of its group and the groups are equal over the batch; log K for a collapse, and
    for a uniform map too: if only the shares had to be equal, a map that decides nothing would do.
    """
    owned, entropy = usage[:-1], usage[-1]
    share = owned / owned.sum()
    return math.log(len(share)) + torch.xlogy(share, share.clamp_min(1e-9)).sum() + entropy / owned.sum()


@dataclass(frozen=True)
class Balance:
    """An `Objective`."""

    weight: float

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """The sum "balance": `group_usage`."""
        return ChunkOutput({}, {"balance": group_usage(chunk.text)})

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        return {"balance": balance_loss(batch.sums["balance"])}
