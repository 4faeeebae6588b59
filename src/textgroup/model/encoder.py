"""The paper's text encoders: the Text Group Transformer (Section 2.1.1) and its baseline (Section 4.1)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config import EncoderConfig
from textgroup.model.grouping import EquationsBlock, GroupViTBlock
from textgroup.model.layers import EncoderLayer, TokenEmbedding
from textgroup.model.router import Views


class Owners(NamedTuple):
    """What cuts captions into units, without their vectors: `owner` and `views` of `TextGroups`."""

    owner: Tensor
    views: Views | None = None


class TextGroups(NamedTuple):
    """What a text encoder gives.

    groups: (B, K, D). assignment: (B, K, M), soft, fp32, no noise; zero on padding. owner: (B, M), the group of
    each token without noise; -1 on padding. mask: (B, M), True where a token is valid. present: (B, K), True for
    the groups that the caption has: all of them, unless it chose their number. views: of the router that chose it.
    """

    groups: Tensor
    assignment: Tensor
    owner: Tensor
    mask: Tensor
    present: Tensor
    views: Views | None = None

    @classmethod
    def fixed(cls, groups: Tensor, assignment: Tensor, mask: Tensor) -> "TextGroups":
        """All groups are present; a token's is the most probable one."""
        owner = assignment.argmax(dim=1).masked_fill(~mask, -1)
        return cls(groups, assignment, owner, mask, torch.ones_like(groups[:, :, 0], dtype=torch.bool))


class TextGroupTransformer(nn.Module):
    """Layers over [tokens ; groups], a grouping block, layers over the groups."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = TokenEmbedding(config.vocabulary, config.max_tokens, config.width)
        self.groups = nn.Parameter(torch.zeros(config.groups, config.width))
        self.before = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_before))
        self.block = GroupViTBlock(config) if config.block == "groupvit" else EquationsBlock(config)
        self.after = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        # The norm that ends a pre-norm stack. Without a stack a group keeps its length: one of function words alone
        # can be short, and so weigh little in the mean over the groups.
        self.norm = nn.LayerNorm(config.width) if config.layers_after else nn.Identity()
        nn.init.trunc_normal_(self.groups, std=0.02, a=-0.04, b=0.04)

    @torch.no_grad()
    def spread(self) -> None:
        """Start with groups, queries and keys of unit variance, so that the groups differ from the first step on.

        GroupViT's initial weights give logits near 0, that is a uniform map; at the paper's scale training
        leaves it, at a small one it need not.
        """
        nn.init.normal_(self.groups)
        attention = self.block.attention
        layers = [attention.query, attention.key]
        if not self.after:  # no norm follows: values must not be small beside the biases
            layers += [attention.value, attention.out]
        for layer in layers:
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """ids and mask (B, M); noise (B, K, M) Gumbel, in training; forced (B, K, M) replaces the assignment."""
        length = ids.shape[1]
        seen = mask
        if not self.config.mask_padding:  # as GroupViT's code: padding, to the full length, is read and grouped
            room = self.config.max_tokens - length
            ids, seen = F.pad(ids, (0, room)), torch.ones_like(F.pad(mask, (0, room)))
            noise = None if noise is None else F.pad(noise, (0, room))
            forced = None if forced is None else F.pad(forced, (0, room))
        embedded = self.embedding(ids)  # (B, M, D)
        groups = self.groups.expand(ids.shape[0], -1, -1)  # (B, K, D)
        x = torch.cat([embedded, groups], dim=1)  # (B, M + K, D)
        seen_all = F.pad(seen, (0, self.config.groups), value=True)
        for layer in self.before:
            x = layer(x, seen_all)
        tokens, groups = x.split([ids.shape[1], self.config.groups], dim=1)
        values = embedded if self.config.values == "embedded" else None
        groups, assignment = self.block(groups, tokens, values, seen, noise, forced)
        for layer in self.after:
            groups = layer(groups)
        return TextGroups.fixed(self.norm(groups), assignment[:, :, :length] * mask[:, None, :], mask)


class BaselineTransformer(nn.Module):
    """A causal pre-norm Transformer; the text is the state of its <eos> token: one group that owns everything."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = TokenEmbedding(config.vocabulary, config.max_tokens, config.width)
        self.layers = nn.ModuleList(
            EncoderLayer(config.width, config.heads, "left") for _ in range(config.layers_before + config.layers_after)
        )
        self.norm = nn.LayerNorm(config.width)

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """ids and mask (B, M). Noise and forced assignments mean nothing here, and change nothing."""
        last = mask.sum(dim=1) - 1  # <eos> is the last valid token
        state = self.tokens(ids, mask)[torch.arange(len(ids), device=ids.device), last]
        return TextGroups.fixed(state[:, None, :], mask[:, None, :].float(), mask)

    def tokens(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The encoded tokens (B, M, D)."""
        x = self.embedding(ids)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)
