"""Ordinary cross-attention: each group reads the tokens it wants, without competition (a check, not in the paper).

The softmax of Eq. 1 runs over the tokens here, as in any Transformer, instead of over the groups.
"""

import torch
from torch import Tensor

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.fixed import TextGroupTransformer


def bottom_up_transformer(config: EncoderConfig, vocabulary: int) -> TextGroupTransformer:
    """The Text Group Transformer without competition. A token's owner is the group that attends to it most."""
    return TextGroupTransformer(config, vocabulary, attend)


def attend(logits: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Attention over the tokens, and each group's share of what a token gets; logits (B, K, M). No noise is used: there
    is no choice to be drawn."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    attention = logits.softmax(dim=2)
    return attention, (logits - logits.logsumexp(dim=2, keepdim=True)).softmax(dim=1)
