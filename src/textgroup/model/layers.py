"""Transformer layers, pre-norm, with explicit key masks. Nothing here knows of groups."""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Sees = Literal["all", "left", "right"]


class TokenEmbedding(nn.Module):
    """Token embeddings plus learned positions."""

    def __init__(self, vocabulary: int, max_tokens: int, width: int) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.position = nn.Embedding(max_tokens, width)

    def forward(self, ids: Tensor, shown: Tensor | None = None) -> Tensor:
        """ids (B, M) -> (B, M, D). shown: (B, M), False for tokens of which only the position is given."""
        tokens = self.token(ids) if shown is None else self.token(ids) * shown[:, :, None]
        return tokens + self.position.weight[: ids.shape[1]]


class Attention(nn.Module):
    """Multi-head attention; keys and values may come from elsewhere (cross-attention)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, mask: Tensor | None = None, sees: Sees = "all"
    ) -> Tensor:
        """x (B, N, D), memory (B, M, D) or None for self-attention, mask (B, M) True where a key is valid.

        sees: what a token attends to beside itself: all tokens, those to its left (causal) or to its right.
        """
        assert mask is not None or sees != "right", "what is to the right is known from the mask alone"
        memory = x if memory is None else memory
        q, k, v = self._split(self.query(x)), self._split(self.key(memory)), self._split(self.value(memory))
        allowed = None if mask is None else mask[:, None, None, :].expand(-1, 1, x.shape[1], -1)  # (B, 1, N, M)
        if allowed is not None and sees != "all":
            square = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device)
            itself = torch.eye(x.shape[1], dtype=torch.bool, device=x.device)  # a padded row must see something
            allowed = allowed & (square.tril() if sees == "left" else square.triu()) | itself
        if len(x):
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, is_causal=sees == "left" and mask is None)
        else:  # CUDA's kernels end the process on an empty batch; every weight still gets a gradient, of zeros
            out = q + k.sum() + v.sum()
        return self.out(out.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, D / heads)


class MLP(nn.Sequential):
    """Linear, GELU, linear."""

    def __init__(self, width: int, hidden: int, out: int | None = None) -> None:
        super().__init__(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, out or width))


class EncoderLayer(nn.Module):
    """Self-attention and MLP, each after a layer norm and added to its input."""

    def __init__(self, width: int, heads: int, sees: Sees = "all") -> None:
        super().__init__()
        self.sees: Sees = sees
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.mlp = nn.LayerNorm(width), MLP(width, 4 * width)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x (B, N, D), mask (B, N) True where valid -> (B, N, D)."""
        x = x + self.attention(self.norm1(x), mask=mask, sees=self.sees)
        return x + self.mlp(self.norm2(x))


class DecoderLayer(nn.Module):
    """Causal self-attention, cross-attention to a memory, MLP; pre-norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2, self.cross = nn.LayerNorm(width), Attention(width, heads)
        self.norm3, self.mlp = nn.LayerNorm(width), MLP(width, 4 * width)

    def forward(self, x: Tensor, memory: Tensor, present: Tensor | None = None) -> Tensor:
        """x (B, M, D), memory (B, K, D), present (B, K) True for the groups there are -> (B, M, D).

        Padding stands at the end: a causal mask hides it.
        """
        x = x + self.attention(self.norm1(x), sees="left")
        x = x + self.cross(self.norm2(x), memory, present)
        return x + self.mlp(self.norm3(x))


@torch.no_grad()
def smooth_positions(position: nn.Embedding) -> None:
    """Start learned positions from sinusoids (Vaswani et al., 2017), so that neighbours begin alike.

    With random positions groups first bind to kinds of words, wherever they stand; with these, to stretches of the
    caption. The amplitude is above that of the initial token embeddings, so that positions dominate at first.
    """
    length, width = position.weight.shape
    rate = 2 * math.pi / torch.logspace(math.log10(200), math.log10(8), width // 2)  # periods of 200 to 8 tokens
    angle = torch.arange(length)[:, None] * rate  # (M, D / 2)
    position.weight[:, : 2 * (width // 2)] = 0.1 * torch.cat([angle.sin(), angle.cos()], dim=1)


def initialise(module: nn.Module) -> None:
    """GroupViT's initial weights: normal with standard deviation 0.02, cut at two; biases zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Embedding):
            nn.init.trunc_normal_(layer.weight, std=0.02, a=-0.04, b=0.04)
            if isinstance(layer, nn.Linear) and layer.bias is not None:
                nn.init.zeros_(layer.bias)
