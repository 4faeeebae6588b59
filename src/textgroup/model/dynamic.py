"""Groups that are as many as the caption needs: a router cuts the caption, and each unit is a group (not in the paper).

In place of groups that compete for tokens, each token either goes on with the unit before it or begins the next.
A unit's vector is still Eq. 4: the mean of the values of its tokens.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config import EncoderConfig
from textgroup.model.encoder import TextGroups, TokenEmbedding
from textgroup.model.layers import EncoderLayer
from textgroup.model.router import Router, marginals, unit_of


class DynamicGroupTransformer(nn.Module):
    """A router over the tokens, the mean of each unit's values, layers over the units.

    Only what is in a unit reaches its vector: the values are embedded tokens, not encoded ones. The router learns
    from its own two views alone: gradients of the other losses through its cuts would have one unit for all
    (docs/experiments.md).
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = TokenEmbedding(config)
        self.router = Router(config)
        self.norm_values = nn.LayerNorm(config.width)
        self.value = nn.Linear(config.width, config.width)
        self.after = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        self.norm = nn.LayerNorm(config.width) if config.layers_after else nn.Identity()

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """ids and mask (B, M); forced (B, K, M) replaces the assignment. Nothing is drawn here: no noise is used."""
        units = self.config.groups
        valid = mask[:, None, :].float()
        embedded = self.embedding(ids, mask)  # (B, M, D)
        views = self.router(ids, embedded, mask)
        with torch.no_grad():
            soft = marginals(views.probability(), units) * valid  # (B, K, M)
            owner = unit_of(views.cut.begins, units)  # (B, M)
        hard = F.one_hot(owner, units).transpose(1, 2) if forced is None else forced  # (B, K, M)
        hard = hard * valid
        total = hard.sum(dim=2, keepdim=True)  # (B, K, 1)
        present = total.squeeze(2) > 0.5
        share = hard / torch.where(total < 0.5, 1.0, total)
        values = self.value(self.norm_values(embedded))
        groups = share.to(values.dtype) @ values  # Eq. 4 (B, K, D)
        present = present | F.one_hot(torch.zeros_like(ids[:, 0]), units).bool()  # a caption has a first unit
        for layer in self.after:
            groups = layer(groups, present)
        return TextGroups(self.norm(groups), soft, owner.masked_fill(~mask, -1), mask, present, views)
