"""Cross-entropy after a linear map, without all of its logits in memory.

The logits of some rows are computed, turned into their own gradient and dropped. The loss is a weighted sum, so forward
knows all that backward needs: three products, as with dense logits, and no second forward. (torch 2.13 has
`linear_cross_entropy`; older versions do not, and it takes no weight for each row.)
"""

from typing import Any

import torch
from torch import Tensor

ROWS = {"cpu": 128, "cuda": 2048}
"""Rows whose logits are in memory at once: they fit a CPU's cache, and fill a GPU."""


def linear_cross_entropy(states: Tensor, embedding: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    """Sum over rows of weight x cross-entropy of `states @ embedding.T`; a scalar, in fp32 at least.

    states (N, D), embedding (V, D), targets (N,) in 0..V-1, weight (N,), which gets no gradient. Under autocast the
    products are in its type, all sums in fp32. Differentiable once.
    """
    return _LinearCrossEntropy.apply(states, embedding, targets, weight, torch.is_grad_enabled())


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, embedding: Tensor, targets: Tensor, weight: Tensor, gradients: bool
    ) -> Tensor:
        """The loss, and, if gradients are wanted, both gradients for a loss that weighs 1."""
        device = states.device.type
        exact = torch.promote_types(embedding.dtype, torch.float32)
        fast = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else exact
        x, table, weight = states.to(fast), embedding.to(fast), weight.to(exact)
        total = torch.zeros((), dtype=exact, device=states.device)
        to_states, to_embedding = (torch.zeros_like(t, dtype=exact) if gradients else None for t in (states, embedding))
        step = ROWS.get(device, ROWS["cuda"])
        for rows in (slice(a, a + step) for a in range(0, len(x), step)):
            logits = (x[rows] @ table.T).to(exact)  # (rows, V)
            normaliser = logits.logsumexp(dim=1, keepdim=True)
            right = targets[rows, None]
            total += ((normaliser - logits.gather(1, right)).squeeze(1) * weight[rows]).sum()
            if to_states is not None and to_embedding is not None:
                slope = logits.sub_(normaliser).exp_()
                slope.scatter_add_(1, right, torch.full_like(normaliser, -1))
                slope = slope.to(fast)
                scale = weight[rows, None]
                to_states[rows] = (slope @ table).to(exact) * scale
                to_embedding += slope.T @ (x[rows] * scale).to(fast)
        if to_states is not None and to_embedding is not None:
            ctx.save_for_backward(to_states.to(states.dtype), to_embedding.to(embedding.dtype))
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        to_states, to_embedding = ctx.saved_tensors
        return gradient.to(to_states) * to_states, gradient.to(to_embedding) * to_embedding, None, None, None
