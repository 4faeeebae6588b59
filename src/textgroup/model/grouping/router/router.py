"""The router: where units begin, and which of them name something, judged from the tokens around each place.

Two convolutions over token embeddings, without positions: a cut depends on the `REACH` tokens on either side and on
nothing else, so a caption of any length is cut as well in its middle as at its ends. How it learns: `learning.py`.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.model.grouping.router.places import find_places, mean_over_units
from textgroup.text.tokenizer import CaptionTokenizer

NEAR, FAR = 3, 2
"""Tokens on either side that the first convolution reads, and the second of what the first gives."""
REACH = NEAR + FAR
"""Tokens on either side that decide whether a unit begins at a token."""


class Cuts(NamedTuple):
    """What the router gives for a caption; all (B, M).

    logit: above 0 where a unit begins. undecided: where that decides; elsewhere there is no choice. begins: True for
    the first token of each unit. names: above 0 if the token's unit names something: a logit, the mean over the unit.
    """

    logit: Tensor
    undecided: Tensor
    begins: Tensor
    names: Tensor


class Router(nn.Module):
    """Three facts about each token type, (V,), and two convolutions with a linear map to two logits a token.

    ends_word, goes_on, alone: see `places.find_places`. The token embeddings are the router's own. Images and decoder
    need what a word means; the router needs what a word says about its neighbours.
    """

    ends_word: Tensor
    goes_on: Tensor
    alone: Tensor

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__()
        width, hidden = config.router_width, config.router_hidden
        self.token = nn.Embedding(vocabulary, width)
        self.near = nn.Conv1d(width, hidden, 2 * NEAR + 1, padding=NEAR)
        self.far = nn.Conv1d(hidden, hidden, 2 * FAR + 1, padding=FAR)
        self.norm_near, self.norm_far = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.logits = nn.Linear(hidden, 2)
        for name in ("ends_word", "goes_on", "alone"):
            self.register_buffer(name, torch.zeros(vocabulary, dtype=torch.bool))

    def know(self, tokenizer: CaptionTokenizer) -> None:
        """Take the facts about token types from the tokenizer."""
        for name, fact in tokenizer.facts().items():
            getattr(self, name).copy_(torch.from_numpy(np.array(fact)))

    def token_logits(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """ids and mask (B, M) -> a unit begins with this token, and its unit names something: logits (B, M).

        A token that the mask hides is a zero vector, as padding is.
        """
        x = (self.token(ids) * mask[:, :, None]).transpose(1, 2)  # (B, D, M)
        near = F.gelu(self.norm_near(self.near(x).transpose(1, 2)))  # (B, M, H)
        near = near * up_to_end(mask)[:, :, None]  # so that a caption is cut alike however much it is padded
        far = F.gelu(self.norm_far(self.far(near.transpose(1, 2)).transpose(1, 2)))
        begins, names = self.logits(near + far).float().unbind(dim=2)
        return begins, names

    def forward(self, ids: Tensor, mask: Tensor) -> Cuts:
        """ids and mask (B, M)."""
        places = find_places(ids, mask, self.ends_word, self.goes_on, self.alone)
        logit, names = self.token_logits(ids, mask)
        undecided = places.undecided
        begins = places.must | undecided & (logit > 0)
        names = mean_over_units(names, begins, places.inside).masked_fill(places.alone, -torch.inf)
        return Cuts(logit, undecided, begins, names)


def up_to_end(mask: Tensor) -> Tensor:
    """The mask (B, M) with the tokens that it hides before the end of text, which is never hidden."""
    return mask.flip(1).cumsum(dim=1).flip(1) > 0


def unit_numbers(begins: Tensor, units: int) -> Tensor:
    """The number of each token's unit (B, M), from 0. What comes after the last of `units` joins the last."""
    return (begins.cumsum(dim=1) - 1).clamp(0, units - 1)
