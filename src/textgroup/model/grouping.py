"""Top-down attention: groups compete for tokens (Section 2.1.1, Eq. 1-4), in the paper's form and GroupViT's."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config import EncoderConfig
from textgroup.model.layers import MLP, Attention


class Grouped(NamedTuple):
    """What a grouping block gives.

    groups: (B, K, D). assignment: (B, K, M), soft, over the groups for each token, without noise; zero where
    a token is padding.
    """

    groups: Tensor
    assignment: Tensor


def assign(logits: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Eq. 2 and 3: each token goes to one group, with the gradient of the soft assignment.

    logits, noise: (B, K, M). Returns the straight-through hard and the soft, noise-free assignment, both
    (B, K, M) and fp32 at least. Gumbel noise at temperature 1 (GroupViT); none at evaluation, where the choice is the
    argmax all the same.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    soft = logits.softmax(dim=1)
    competed = soft if noise is None else (logits + noise).softmax(dim=1)  # Eq. 2
    chosen = F.one_hot(competed.argmax(dim=1), logits.shape[1]).transpose(1, 2)  # (B, K, M)
    return chosen - competed.detach() + competed, soft  # Eq. 3


class TopDownAttention(nn.Module):
    """Eq. 1-4 without the residual: one head, softmax over the groups, hard assignment, mean of the values."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        groups: Tensor,
        tokens: Tensor,
        values: Tensor,
        mask: Tensor,
        noise: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> Grouped:
        """groups (B, K, D), tokens and values (B, M, D), mask (B, M), noise and forced (B, K, M).

        `forced` takes the place of the assignment of Eq. 3 (all zeros: nothing is assigned).
        """
        raw = self.query(groups) @ self.key(tokens).transpose(1, 2) * tokens.shape[-1] ** -0.5  # Eq. 1
        hard, soft = assign(raw, noise)
        valid = mask[:, None, :]
        hard, soft = (hard if forced is None else forced) * valid, soft * valid
        total = hard.sum(dim=2, keepdim=True) + self.eps  # (B, K, 1)
        share = hard / torch.where(total < 0.5, 1.0, total)  # an empty group receives exactly 0
        return Grouped(self.out(share.to(values.dtype) @ self.value(values)), soft)  # Eq. 4


class EquationsBlock(nn.Module):
    """Layer norm, then Eq. 1-4 as printed."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.residual = config.residual == "groups"
        self.norm_groups = nn.LayerNorm(config.width)
        self.norm_tokens = nn.LayerNorm(config.width)
        self.attention = TopDownAttention(config.width, 0.0 if config.assign_eps is None else config.assign_eps)

    def forward(
        self,
        groups: Tensor,
        tokens: Tensor,
        values: Tensor | None,
        mask: Tensor,
        noise: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> Grouped:
        """groups (B, K, D), tokens (B, M, D), values (B, M, D) or None for the (normed) tokens."""
        normed = self.norm_tokens(tokens)
        update, soft = self.attention(
            self.norm_groups(groups), normed, normed if values is None else values, mask, noise, forced
        )
        return Grouped(groups + update if self.residual else update, soft)


class GroupViTBlock(nn.Module):
    """GroupViT's grouping block (Xu et al. 2022), K groups in and K out.

    Groups are mixed along the group axis, read the tokens by cross-attention, take their tokens (Eq. 1-4, the
    residual being the groups that have read), and pass an MLP.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.width
        self.residual = config.residual == "groups"
        self.norm_groups = nn.LayerNorm(width)
        self.norm_tokens = nn.LayerNorm(width)
        self.mix = MLP(config.groups, width // 2, config.groups)  # along the group axis
        self.norm_mixed = nn.LayerNorm(width)
        self.cross = Attention(width, config.heads)
        self.norm_cross = nn.LayerNorm(width)
        self.mlp_cross = MLP(width, 4 * width)
        self.norm_read = nn.LayerNorm(width)
        self.attention = TopDownAttention(width, 1.0 if config.assign_eps is None else config.assign_eps)
        self.norm_out = nn.LayerNorm(width)
        self.mlp_out = MLP(width, 4 * width)

    def forward(
        self,
        groups: Tensor,
        tokens: Tensor,
        values: Tensor | None,
        mask: Tensor,
        noise: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> Grouped:
        """groups (B, K, D), tokens (B, M, D), values (B, M, D) or None for the (normed) tokens."""
        tokens = self.norm_tokens(tokens)
        groups = self.norm_mixed(self.mix(self.norm_groups(groups).transpose(1, 2)).transpose(1, 2))
        groups = groups + self.cross(groups, tokens, mask)
        groups = self.norm_read(groups + self.mlp_cross(self.norm_cross(groups)))
        update, soft = self.attention(groups, tokens, tokens if values is None else values, mask, noise, forced)
        groups = groups + update if self.residual else update
        return Grouped(groups + self.mlp_out(self.norm_out(groups)), soft)
