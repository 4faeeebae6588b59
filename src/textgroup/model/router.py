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
from textgroup.model.layers import MLP, EncoderLayer, TokenEmbedding

LENIENT = 4.0
"""Added to the logit of naming: the places learn it from units of several words, and names of one word count too.
Chosen once, on the first 500 captions of Flickr30k Entities val (docs/experiments.md)."""


PRICE = 0.8
"""Of a unit, in nats: by how much more probable than not it is to be that one begins; chosen on the same captions."""


PULL = 6.0
"""By how much, in nats, a word that closes its unit makes a unit begin after it; chosen on the same captions."""


class Cut(NamedTuple):
    """A caption cut into units; all (B, M). Start and end of text lie in no unit.

    begins: True for the first token of a unit. first, final: index of the first and the last token of each token's
    unit. several: True where the token's unit has more than one word.
    """

    begins: Tensor
    first: Tensor
    final: Tensor
    several: Tensor


class Views(NamedTuple):
    """What the router sees in a caption; all (B, M), logits unless said otherwise.

    word, place: a unit begins with this token; from the token's type alone, from all tokens but this one.
    names_word, names_place: this token's unit names something; from the type of its last token (so it is to be read
    there), from all tokens outside the unit.
    closes: a unit that begins with the word that this token ends has no other word; above 0 if that may well be (type).
    words: True for the first token of each word of the caption. end: (B, 1), index of the end of text.
    cut: into units, by `word`, `place` and `closes`.
    """

    word: Tensor
    place: Tensor
    names_word: Tensor
    names_place: Tensor
    closes: Tensor
    words: Tensor
    end: Tensor
    cut: Cut

    def probability(self) -> Tensor:
        """Of a unit beginning at each token (B, M) after the first, both views together."""
        return together(self.word, self.place).sigmoid() * self.open()

    def open(self) -> Tensor:
        """Where it is open whether a unit begins (B, M): at the second word and after."""
        return self.words & (self.words.cumsum(dim=1) > 1)

    def groundable(self) -> Tensor:
        """Whether a unit that ends with this token names something (B, M), both views together."""
        return self.names_word + self.names_place + LENIENT > 0


class Router(nn.Module):
    """The place views, and four facts of each token type, (V,): `word`, `names`, `closes` (see `Views`) and
    `ends_word`, True for a token that ends a word. They are buffers: `training/teaching.py` counts them.

    The token embeddings are the router's own: what a word means to the images and to the decoder is another thing than
    what kind of place it makes of its neighbours, and one table for both served the images badly (docs/experiments.md).
    """

    word: Tensor
    names: Tensor
    closes: Tensor
    ends_word: Tensor

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.router_width
        self.embedding = TokenEmbedding(config.vocabulary, config.max_tokens, width)
        self.left = nn.ModuleList(EncoderLayer(width, config.heads, "left") for _ in range(config.layers_before))
        self.right = nn.ModuleList(EncoderLayer(width, config.heads, "right") for _ in range(config.layers_before))
        self.place = nn.Sequential(nn.LayerNorm(2 * width), MLP(2 * width, width, 1))
        self.names_place = nn.Sequential(nn.LayerNorm(2 * width), MLP(2 * width, width, 1))
        for name in ("word", "names", "closes"):
            self.register_buffer(name, torch.zeros(config.vocabulary))
        self.register_buffer("ends_word", torch.ones(config.vocabulary, dtype=torch.bool))

    def forward(self, ids: Tensor, mask: Tensor) -> Views:
        """ids and mask (B, M). Of a token that the mask hides, the place views read nothing but its position."""
        left = right = self.embedding(ids, mask)
        for layer in self.left:
            left = layer(left, mask)
        for layer in self.right:
            right = layer(right, mask)
        position = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)  # (B, M)
        end = (position * mask).amax(dim=1, keepdim=True)  # (B, 1), the end of text is always shown
        words = F.pad(self.ends_word[ids[:, :-1]], (1, 0)) & (position < end)  # the start of text ends a word
        place = self.place(_around(left, right, position, position)).squeeze(-1).float()
        word, closes = self.word[ids], self.closes[ids]
        found = cut(together(word, place), closes, words, end)
        names_place = self.names_place(_around(left, right, found.first, found.final)).squeeze(-1).float()
        return Views(word, place, self.names[ids], names_place, closes, words, end, found)


def _around(left: Tensor, right: Tensor, first: Tensor, final: Tensor) -> Tensor:
    """What stands before token `first` and after token `final`: (B, M, 2 D), for first and final (B, M)."""

    def at(states: Tensor, place: Tensor) -> Tensor:
        captions, length, _ = states.shape
        row = place.clamp(0, length - 1) + length * torch.arange(captions, device=place.device)[:, None]  # (B, M)
        return states.flatten(0, 1).index_select(0, row.flatten()).unflatten(0, row.shape)

    return torch.cat([at(left, first - 1), at(right, final + 1)], dim=-1)


def together(word: Tensor, place: Tensor) -> Tensor:
    """The logits of both views as one: of a unit that is worth its price."""
    return word + place - PRICE


@torch.no_grad()
def cut(logits: Tensor, closes: Tensor, words: Tensor, end: Tensor) -> Cut:
    """A unit begins with the first word, where it is probable, and (less readily refused) after a word that closes its.

    So "with books" is cut as "with a book" is, though nothing about "books" itself says that a unit begins; but "a
    black and white dog" is not, where the place is sure that nothing does.
    logits, closes, words: (B, M), see `Views`. end: (B, 1), index of the end of text.
    """
    number = words.cumsum(dim=1)  # of the word that each token is in, from 1
    probable = words & ((logits > 0) | (number == 1))
    after_closing = F.pad(closes[:, :-1] > 0, (1, 0)) & words & (logits > -PULL)
    alone = torch.zeros_like(words[:, 0])  # the unit so far is one word
    found = []
    for here, closed, word in zip(probable.unbind(1), after_closing.unbind(1), words.unbind(1)):
        begin = here | (alone & closed)
        alone = begin | (alone & ~word)
        found.append(begin)
    begins = torch.stack(found, dim=1)  # (B, M)

    position = torch.arange(begins.shape[1], device=begins.device).expand_as(begins)
    first = torch.where(begins, position, 0).cummax(dim=1).values
    later = (
        torch.where(begins, position, end).flip(1).cummin(dim=1).values.flip(1)
    )  # where a unit begins, here or later
    final = F.pad(later[:, 1:], (0, 1), value=begins.shape[1]) - 1
    return Cut(begins, first, final, number.gather(1, final) > number.gather(1, first))


def unit_of(begins: Tensor, units: int) -> Tensor:
    """The number of each token's unit (B, M), counted from 0; what comes after the last joins the last."""
    return (begins.cumsum(dim=1) - 1).clamp(0, units - 1)


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
