"""From logits to units: where each unit of a caption begins, and how probable each way to cut is."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

PRICE = 0.8
"""In nats. A unit begins where the logits of both views add up to more than this; chosen on the first 500 captions of
Flickr30k Entities val (docs/experiments.md)."""
PULL = 6.0
"""In nats. After a word that closes its unit, a unit begins if the logit is above minus this; chosen on the same."""


class Boundaries(NamedTuple):
    """A caption cut into units; all (B, M). Start and end of text lie in no unit.

    begins: True for the first token of a unit. first, final: index of the first and the last token of each token's
    unit. several: True where the token's unit has more than one word.
    """

    begins: Tensor
    first: Tensor
    final: Tensor
    several: Tensor


def boundary_logit(word: Tensor, place: Tensor) -> Tensor:
    """The logits of both views (B, M) as one: above 0 where a unit begins."""
    return word + place - PRICE


@torch.no_grad()
def find_boundaries(logits: Tensor, closes: Tensor, word_starts: Tensor, end: Tensor) -> Boundaries:
    """Units begin with the first word, where the logit is above 0, and, if `PULL` allows it, after a word that closes
    its unit and has so far been alone in it.

    So "with books" is cut as "with a book" is, although nothing about "books" says that a unit begins. "a black and
    white dog" stays whole, because there the place view is sure that no unit begins.
    logits, closes, word_starts: (B, M), see `router.Views`. end: (B, 1), index of the end of text.
    """
    word_number = word_starts.cumsum(dim=1)  # of the word that each token is in, from 1
    probable = word_starts & ((logits > 0) | (word_number == 1))
    after_closing = F.pad(closes[:, :-1] > 0, (1, 0)) & word_starts & (logits > -PULL)
    alone = torch.zeros_like(word_starts[:, 0])  # (B,), the unit so far is one word
    columns = []
    for likely, closed, starts in zip(probable.unbind(1), after_closing.unbind(1), word_starts.unbind(1)):
        begins_here = likely | (alone & closed)
        alone = begins_here | (alone & ~starts)
        columns.append(begins_here)
    begins = torch.stack(columns, dim=1)  # (B, M)

    position = torch.arange(begins.shape[1], device=begins.device).expand_as(begins)
    first = torch.where(begins, position, 0).cummax(dim=1).values
    next_begin = torch.where(begins, position, end).flip(1).cummin(dim=1).values.flip(1)  # here or later
    final = F.pad(next_begin[:, 1:], (0, 1), value=begins.shape[1]) - 1
    several = word_number.gather(1, final) > word_number.gather(1, first)
    return Boundaries(begins, first, final, several)


def unit_numbers(begins: Tensor, units: int) -> Tensor:
    """The number of each token's unit (B, M), from 0. What comes after the last of `units` joins the last."""
    return (begins.cumsum(dim=1) - 1).clamp(0, units - 1)


def unit_marginals(probability: Tensor, units: int) -> Tensor:
    """Probability that each token lies in each unit, (B, K, M), fp32, if units begin as often as `probability` says.

    probability: (B, M). One step a token: the unit goes on, or the next begins; the last unit takes what is left.
    """
    state = F.one_hot(torch.zeros(len(probability), dtype=torch.long, device=probability.device), units).float()
    columns = [state]
    for begins in probability[:, 1:].unbind(dim=1):
        moved = state[:, :-1] * begins[:, None]  # (B, K - 1)
        state = state - F.pad(moved, (0, 1)) + F.pad(moved, (1, 0))
        columns.append(state)
    return torch.stack(columns, dim=2)
