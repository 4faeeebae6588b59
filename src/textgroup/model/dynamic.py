"""Groups that are as many as the caption needs: a router cuts the caption, and each unit is a group (not in the paper).

In place of groups that compete for tokens, each token either goes on with the unit before it or begins the next.
A unit's vector is the sum of its embedded tokens: Eq. 4 without its division, V(t) as printed. Units are of unequal
length; in the mean over them a preposition would weigh as much as "a blue hard hat" (docs/experiments.md).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config import EncoderConfig
from textgroup.model.encoder import Owners, TextGroups
from textgroup.model.layers import EncoderLayer, TokenEmbedding
from textgroup.model.router import Router, marginals, unit_of

SPREAD, NOISE = 0.1, 0.02
"""Standard deviation of initial token embeddings, and of what is random in them where they begin with what is known."""


class DynamicGroupTransformer(nn.Module):
    """A router over the tokens, the sum of each unit's embedded tokens, layers over the units.

    Only what is in a unit reaches its vector: the values are embedded tokens, not encoded ones. The router learns
    from its own two views alone: gradients of the other losses through its cuts would have one unit for all
    (docs/experiments.md).
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = TokenEmbedding(config.vocabulary, config.max_tokens, config.width)
        self.router = Router(config)
        self.after = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        self.norm = nn.LayerNorm(config.width) if config.layers_after else nn.Identity()

    @torch.no_grad()
    def spread(self, vectors: Tensor | None = None) -> None:
        """Start with words that lead over their positions: in a sum, the length of its vector is a word's weight.

        vectors: (V, D) of unit variance, where each token is to begin (zeros: with next to no weight); None: anywhere.
        """
        token = self.embedding.token.weight
        if vectors is None:
            nn.init.normal_(token, std=SPREAD)
        else:
            token.copy_(SPREAD * vectors + torch.randn_like(token) * NOISE)

    def owners(self, ids: Tensor, mask: Tensor) -> Owners:
        """ids and mask (B, M). The units alone, for a fraction of the work: their vectors decide nothing."""
        views = self.router(ids, mask)
        return Owners(unit_of(views.cut.begins, self.config.groups).masked_fill(~mask, -1), views)

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """ids and mask (B, M); forced (B, K, M) replaces the assignment. Nothing is drawn here: no noise is used."""
        units = self.config.groups
        valid = mask[:, None, :].float()
        owner, views = self.owners(ids, mask)  # (B, M)
        assert views is not None, "a router has views"
        with torch.no_grad():
            soft = marginals(views.probability(), units) * valid  # (B, K, M)
        hard = F.one_hot(owner.clamp_min(0), units).transpose(1, 2) if forced is None else forced  # (B, K, M)
        hard = hard * valid
        embedded = self.embedding(ids, mask)  # (B, M, D)
        groups = hard.to(embedded.dtype) @ embedded  # (B, K, D)
        present = hard.sum(dim=2) > 0.5  # (B, K)
        present = present | F.one_hot(torch.zeros_like(ids[:, 0]), units).bool()  # a caption has a first unit
        for layer in self.after:
            groups = layer(groups, present)
        return TextGroups(self.norm(groups), soft, owner, mask, present, views)
