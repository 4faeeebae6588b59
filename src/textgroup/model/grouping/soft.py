"""No hard assignment: a token is shared out among the groups (a check of the paper's Eq. 3, not in the paper)."""

import torch
from torch import Tensor

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.fixed import TextGroupTransformer


def soft_group_transformer(config: EncoderConfig, vocabulary: int) -> TextGroupTransformer:
    """The Text Group Transformer with Eq. 2 alone. A token's owner is still the group with the largest share of it."""
    return TextGroupTransformer(config, vocabulary, assign_soft)


def assign_soft(logits: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Eq. 2 without Eq. 3; logits and noise (B, K, M). See `attention.assign_hard`."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    soft = logits.softmax(dim=1)
    return soft if noise is None else (logits + noise).softmax(dim=1), soft
