"""No grouping: each token is a group of its own (a check, not in the paper).

Pooled, this is a Transformer whose tokens are averaged; with `loss.grounding`, late interaction of tokens and objects.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.data.batches import without_specials
from textgroup.model.grouping.contract import Grouping, TextGroups
from textgroup.model.layers import EncoderLayer


class TokenTransformer(Grouping):
    """Layers over the tokens, which see each other in both directions. Start and end of text are no groups."""

    trains_assignment = False
    draws_noise = False

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__(config, vocabulary)
        self.layers = nn.ModuleList(
            EncoderLayer(config.width, config.heads) for _ in range(config.layers_before + config.layers_after)
        )
        self.norm = nn.LayerNorm(config.width)

    @property
    def most_groups(self) -> int:
        """One for each token that a caption may have."""
        return self.config.max_tokens

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """See `Grouping.forward`. A forced group is the mean of its tokens."""
        states = self.encode_tokens(ids, mask)
        owner = torch.arange(ids.shape[1], device=ids.device).expand_as(ids).masked_fill(~mask, -1)
        own = F.one_hot(owner.clamp_min(0), self.most_groups).transpose(1, 2) * mask[:, None, :].float()  # (B, K, M)
        inner = without_specials(mask)
        inner = torch.where(inner.any(dim=1, keepdim=True), inner, mask)  # of an empty caption, start and end
        share = (own if forced is None else forced) * mask[:, None, :]
        present = F.pad(inner, (0, self.most_groups - ids.shape[1])) if forced is None else share.any(dim=2)
        groups = share.to(states.dtype) @ states / share.sum(dim=2, keepdim=True).clamp_min(1).to(states.dtype)
        return TextGroups(groups, own, owner, mask, present)

    def encode_tokens(self, ids: Tensor, mask: Tensor) -> Tensor:
        """See `Grouping.encode_tokens`."""
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)
