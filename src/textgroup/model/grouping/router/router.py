"""Where units begin, judged from two views: the type of the word, and the place where it stands.

The word view is a number a token type. It starts from a statistic of the training captions
(`data/statistics/entropy.py`) and is later refitted to the other view. The place view is a small Transformer that reads
everything but the token itself. Each corrects errors of the other (`cotraining.py`); no boundary is ever shown.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.router.boundaries import Boundaries, boundary_logit, find_boundaries
from textgroup.model.layers import MLP, EncoderLayer, TokenEmbedding

LENIENT = 4.0
"""Added to the naming logit. The place view learns naming from units of several words, but units of one word can name
something too. Chosen once, on the first 500 captions of Flickr30k Entities val (docs/experiments.md)."""


class Views(NamedTuple):
    """What the router gives for a caption; all (B, M), logits unless said otherwise.

    word, place: a unit begins with this token; judged by the token's type, and by all tokens but this one.
    names_word, names_place: this token's unit names something; judged by the type of its last token (so it is to be
    read at that token), and by all tokens outside the unit.
    closes: above 0 if a unit that begins with the word that this token ends tends to have no other word (by type).
    word_starts: True for the first token of each word of the caption. end: (B, 1), index of the end of text.
    boundaries: the units that follow from `word`, `place` and `closes`.
    """

    word: Tensor
    place: Tensor
    names_word: Tensor
    names_place: Tensor
    closes: Tensor
    word_starts: Tensor
    end: Tensor
    boundaries: Boundaries

    def boundary_probability(self) -> Tensor:
        """Probability that a unit begins at each token (B, M), by both views; 0 where it is no open question."""
        return boundary_logit(self.word, self.place).sigmoid() * self.undecided()

    def undecided(self) -> Tensor:
        """Where a unit may or may not begin (B, M): at the first token of every word but the caption's first."""
        return self.word_starts & (self.word_starts.cumsum(dim=1) > 1)

    def groundable(self) -> Tensor:
        """Whether a unit that ends with this token names something (B, M), by both views."""
        return self.names_word + self.names_place + LENIENT > 0


class Router(nn.Module):
    """The place views, and four facts about each token type, (V,): `word`, `names`, `closes` (see `Views`) and
    `ends_word`, True for a token that ends a word. These are buffers: `cotraining.py` counts them.

    The token embeddings are the router's own. Images and decoder need what a word means; the router needs what a word
    says about its neighbours. One table for both cost retrieval (docs/experiments.md).
    """

    word: Tensor
    names: Tensor
    closes: Tensor
    ends_word: Tensor

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__()
        width = config.router_width
        self.embedding = TokenEmbedding(vocabulary, config.max_tokens, width)
        self.left = nn.ModuleList(EncoderLayer(width, config.heads, "left") for _ in range(config.layers_before))
        self.right = nn.ModuleList(EncoderLayer(width, config.heads, "right") for _ in range(config.layers_before))
        self.place = nn.Sequential(nn.LayerNorm(2 * width), MLP(2 * width, width, 1))
        self.names_place = nn.Sequential(nn.LayerNorm(2 * width), MLP(2 * width, width, 1))
        for name in ("word", "names", "closes"):
            self.register_buffer(name, torch.zeros(vocabulary))
        self.register_buffer("ends_word", torch.ones(vocabulary, dtype=torch.bool))

    def forward(self, ids: Tensor, mask: Tensor) -> Views:
        """ids and mask (B, M). Of a token that the mask hides, the place views read its position and nothing else."""
        left = right = self.embedding(ids, mask)
        for layer in self.left:
            left = layer(left, mask)
        for layer in self.right:
            right = layer(right, mask)
        position = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)  # (B, M)
        end = (position * mask).amax(dim=1, keepdim=True)  # (B, 1), the end of text is never hidden
        starts = F.pad(self.ends_word[ids[:, :-1]], (1, 0)) & (position < end)  # the start of text ends a word
        place = self.place(_context(left, right, position, position)).squeeze(-1).float()
        word, closes = self.word[ids], self.closes[ids]
        boundaries = find_boundaries(boundary_logit(word, place), closes, starts, end)
        context = _context(left, right, boundaries.first, boundaries.final)
        names_place = self.names_place(context).squeeze(-1).float()
        return Views(word, place, self.names[ids], names_place, closes, starts, end, boundaries)


def _context(left: Tensor, right: Tensor, first: Tensor, final: Tensor) -> Tensor:
    """States before token `first` and after token `final`: (B, M, 2 D), for first and final (B, M)."""

    def gather(states: Tensor, index: Tensor) -> Tensor:
        captions, length, _ = states.shape
        row = index.clamp(0, length - 1) + length * torch.arange(captions, device=index.device)[:, None]  # (B, M)
        return states.flatten(0, 1).index_select(0, row.flatten()).unflatten(0, row.shape)

    return torch.cat([gather(left, first - 1), gather(right, final + 1)], dim=-1)
