"""Where units begin, seen twice: what kind of word stands here, and what kind of place this is.

The word view is a number a token type. It starts from a statistic of the training captions (`data/statistics.py`)
and is later taken anew from the other view. The place view reads everything but the token itself. Each corrects
what the other cannot know; nobody says where a unit begins.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config import EncoderConfig
from textgroup.model.layers import MLP, EncoderLayer


class Views(NamedTuple):
    """What the router sees in each token; logits, (B, M).

    word: a unit begins here, from the token's type alone. place: the same, from all tokens but this one. closes: a
    unit that begins with this word ends with it (type). several: a unit that ends with this word has several (type).
    allowed: True where a unit may begin, that is at the second word of the caption and after.
    """

    word: Tensor
    place: Tensor
    closes: Tensor
    several: Tensor
    allowed: Tensor

    def probability(self) -> Tensor:
        """Of a unit beginning at each token (B, M), both views together; 0 where none may."""
        return (self.word + self.place).sigmoid() * self.allowed

    def begins(self) -> Tensor:
        """Where units begin (B, M): where it is probable, and after a word that as a rule makes a unit alone.

        So "with books" is cut as "with a book" is, though nothing about "books" itself says that a unit begins.
        """
        probable = (self.word + self.place > 0) & self.allowed
        after_closing = F.pad(self.closes[:, :-1] > 0, (1, 0)) & self.allowed
        alone = torch.ones_like(probable[:, 0])  # the unit so far is one word
        found = []
        for here, closed, allowed in zip(probable.unbind(1), after_closing.unbind(1), self.allowed.unbind(1)):
            begin = here | (alone & closed)
            alone = begin | (alone & ~allowed)
            found.append(begin)
        return torch.stack(found, dim=1)


class Router(nn.Module):
    """The place view, and four facts of each token type, (V,): `word`, `closes` and `several` (logits; see `Views`),
    and `ends_word`, True for a token that ends a word. They are buffers: `training/teaching.py` counts them."""

    word: Tensor
    closes: Tensor
    several: Tensor
    ends_word: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.width
        self.left = nn.ModuleList(EncoderLayer(width, config.heads, "left") for _ in range(config.layers_before))
        self.right = nn.ModuleList(EncoderLayer(width, config.heads, "right") for _ in range(config.layers_before))
        self.norm = nn.LayerNorm(2 * width)
        self.place = MLP(2 * width, width, 1)
        for name in ("word", "closes", "several"):
            self.register_buffer(name, torch.zeros(config.vocabulary))
        self.register_buffer("ends_word", torch.ones(config.vocabulary, dtype=torch.bool))

    def forward(self, ids: Tensor, embedded: Tensor, mask: Tensor) -> Views:
        """ids and mask (B, M), embedded (B, M, D), zero but for its position where a token is hidden."""
        left = right = embedded
        for layer in self.left:
            left = layer(left, mask)
        for layer in self.right:
            right = layer(right, mask)
        around = torch.cat([F.pad(left, (0, 0, 1, 0))[:, :-1], F.pad(right, (0, 0, 0, 1))[:, 1:]], dim=-1)
        place = self.place(self.norm(around)).squeeze(-1).float()  # (B, M): what stands before and after
        end = len(self.word) - 1  # the last id: CLIP's layout
        allowed = F.pad(self.ends_word[ids[:, :-1]], (1, 0)) & mask & (ids != end)
        allowed[:, :2] = False  # start of text, and the first word: the first unit begins there anyway
        return Views(self.word[ids], place, self.closes[ids], self.several[ids], allowed)


def unit_of(begins: Tensor, units: int) -> Tensor:
    """The number of each token's unit (B, M), counted from 0; what comes after the last joins the last."""
    return begins.cumsum(dim=1).clamp_max(units - 1)


def marginals(probability: Tensor, units: int) -> Tensor:
    """Probability that each token lies in each unit, (B, K, M), fp32, if units begin as often as `probability` says.

    One step a token: a unit goes on, or the next begins; the last one takes what is left.
    """
    state = F.one_hot(torch.zeros(len(probability), dtype=torch.long, device=probability.device), units).float()
    found = [state]
    for begin in probability[:, 1:].unbind(dim=1):
        moved = state[:, :-1] * begin[:, None]  # (B, K - 1)
        state = state - F.pad(moved, (0, 1)) + F.pad(moved, (1, 0))
        found.append(state)
    return torch.stack(found, dim=2)
