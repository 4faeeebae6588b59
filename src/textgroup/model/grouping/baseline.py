"""The paper's baseline (Section 4.1): a vanilla causal Transformer, read at <eos>."""

import torch
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.contract import Grouping, TextGroups
from textgroup.model.layers import EncoderLayer


class BaselineTransformer(Grouping):
    """A causal pre-norm Transformer; the text is the state of its <eos> token: one group that owns everything."""

    trains_assignment = False
    draws_noise = False

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__(config, vocabulary)
        self.layers = nn.ModuleList(
            EncoderLayer(config.width, config.heads, "left") for _ in range(config.layers_before + config.layers_after)
        )
        self.norm = nn.LayerNorm(config.width)

    @property
    def most_groups(self) -> int:
        """One: the state of <eos>."""
        return 1

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """See `Grouping.forward`. Noise and forced assignments change nothing here."""
        position = torch.arange(ids.shape[1], device=ids.device)
        last = (position * mask).amax(dim=1)  # <eos> is the last valid token; hidden ones before it leave holes
        state = self.encode_tokens(ids, mask)[torch.arange(len(ids), device=ids.device), last]
        return TextGroups.fixed(state[:, None, :], mask[:, None, :].float(), mask)

    def encode_tokens(self, ids: Tensor, mask: Tensor) -> Tensor:
        """See `Grouping.encode_tokens`."""
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)
