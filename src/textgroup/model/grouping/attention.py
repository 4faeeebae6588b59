"""Top-down attention: groups compete for tokens (Section 2.1.1, Eq. 1-4), without what stands around it."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Grouped(NamedTuple):
    """What a grouping block gives.

    groups: (B, K, D). assignment: (B, K, M), soft, over the groups for each token, without noise; zero where
    a token is padding.
    """

    groups: Tensor
    assignment: Tensor


Assign = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]
"""Logits and noise (B, K, M) -> the assignment that is used and the soft one without noise, both (B, K, M)."""
PADDING = -1e4
"""Logit of a token that is padding, for an `Assign` that compares tokens: as good as never attended to."""
EMPTY = 1e-3
"""A group with less than this of a token is empty; a hard assignment adds up to 0 within rounding, or to 1 and more."""


def assign_hard(logits: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
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

    def __init__(self, width: int, eps: float, assign: Assign = assign_hard) -> None:
        super().__init__()
        self.eps, self.assign = eps, assign
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
        valid = mask[:, None, :]
        used, soft = self.assign(raw.masked_fill(~valid, PADDING), noise)
        used, soft = (used if forced is None else forced) * valid, soft * valid
        total = used.sum(dim=2, keepdim=True) + self.eps  # (B, K, 1)
        share = used / torch.where(total < EMPTY, 1.0, total)  # an empty group receives exactly 0
        return Grouped(self.out(share.to(values.dtype) @ self.value(values)), soft)  # Eq. 4
