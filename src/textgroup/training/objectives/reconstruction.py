"""Reconstruction: the decoder writes the caption from its groups (Eq. 9 and 10)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from textgroup.model.noise import Noise
from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk
from textgroup.training.objectives.cross_entropy import linear_cross_entropy


def token_weights(valid: Tensor, reduction: str) -> tuple[Tensor, Tensor]:
    """Eq. 10's sum over tokens: the weight of each valid token (N,), and what the weighted sum is divided by.

    valid: (B, M). The divisor is to be added up over the batch.
    """
    lengths = valid.sum(dim=1)
    ones = torch.ones(int(lengths.sum()), device=valid.device)
    if reduction == "token_mean":
        return ones, ones.sum()
    if reduction == "caption_mean":
        return ones / torch.repeat_interleave(lengths, lengths), torch.ones_like(lengths).sum()
    return ones, ones.new_zeros(())  # sum: divided by nothing


@dataclass(frozen=True)
class Reconstruction:
    """An `Objective`; of a model without a decoder it has no loss.

    written: share of the captions, drawn anew in each step, that the decoder writes. reduction: see `LossConfig`.
    """

    weight: float
    written: float
    reduction: str

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """The sum "reconstruction": over tokens, weighted, in nats; and its divisor.

        Without `chunk.decode` the sum is 0: its gradient is the same whatever it is.
        """
        if chunk.model.decoder is None:
            return ChunkOutput({}, {})
        ids, mask, text, noise = chunk.ids, chunk.mask, chunk.text, chunk.noise
        if noise is not None and self.written < 1:
            drawn = noise.uniform("written", 1).squeeze(1) < self.written  # (B,)
            ids, mask, noise = ids[drawn], mask[drawn], Noise(noise.key, noise.rows[drawn])
            text = text._replace(groups=text.groups[drawn], present=text.present[drawn])
        weight, divisor = token_weights(mask[:, 1:], self.reduction)
        table = chunk.model.encoder.embedding.token.weight
        total = table.new_zeros(())
        if chunk.decode:  # also where no caption was drawn: each process and chunk has a gradient for everything
            states, targets, valid = chunk.model.decode(ids, mask, text, noise)
            total = linear_cross_entropy(states[valid], table, targets[valid], weight)
        return ChunkOutput({}, {"reconstruction": torch.stack([total, divisor.to(total)])})

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`: Eq. 10."""
        return {name: batch.mean(name) for name in ("reconstruction",) if name in batch.sums}
