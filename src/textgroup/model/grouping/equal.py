"""The equal split as the grouping: K runs of equal length, whatever the caption says (a check, not in the paper).

What a model is better at than this one, it owes to where it cuts, and not to having K vectors.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.grouping.fixed import TextGroupTransformer
from textgroup.model.grouping.router.router import up_to_end


class EqualSplitTransformer(TextGroupTransformer):
    """The Text Group Transformer with its assignment replaced by one that looks at the number of tokens alone."""

    trains_assignment = False
    draws_noise = False

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__(config, vocabulary)
        for layer in (self.block.attention.query, self.block.attention.key):
            layer.requires_grad_(False)  # nothing asks for their logits

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """See `Grouping.forward`."""
        split = equal_assignment(up_to_end(mask), self.config.groups) * mask[:, None, :]
        text = super().forward(ids, mask, forced=split if forced is None else forced)
        return TextGroups.fixed(text.groups, split, mask)


def equal_assignment(mask: Tensor, parts: int) -> Tensor:
    """(B, M) -> (B, parts, M), one group a token. Start of text joins the first group, end of text the last of those
    that have tokens."""
    inner = (mask.sum(dim=1, keepdim=True) - 2).clamp_min(1)  # (B, 1)
    number = (torch.arange(mask.shape[1], device=mask.device) - 1).clamp_min(0).minimum(inner - 1)  # (B, M)
    group = torch.where(inner > parts, number * parts // inner, number)
    return F.one_hot(group.clamp_max(parts - 1), parts).transpose(1, 2).float() * mask[:, None, :]
