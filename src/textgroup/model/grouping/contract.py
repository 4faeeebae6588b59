"""What a grouping is: a text encoder that gives the groups of a caption, and says which token belongs to which.

The decoder, the losses, the trainer and inference ask for what is named here, and never which grouping it is. A new
mechanism is one file beside this one and one line in `mechanisms.GROUPINGS`.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.config.run import UnitsConfig
from textgroup.data.captions import CaptionData
from textgroup.errors import InputError
from textgroup.model.layers import TokenEmbedding
from textgroup.text.tokenizer import CaptionTokenizer


class Owners(NamedTuple):
    """What cuts captions into units, without their vectors: `owner` and `groundable` of `TextGroups`."""

    owner: Tensor
    groundable: Tensor | None = None


class TextGroups(NamedTuple):
    """What a grouping gives for B captions of M tokens.

    groups: (B, K, D). assignment: (B, K, M), fp32, soft where groups compete, no noise; zero on padding. owner: (B, M),
    the group of each token without noise; -1 on padding. mask: (B, M), True where a token is valid. present: (B, K),
    True for the groups that the caption has: all of them, unless the grouping chooses their number. groundable: (B, M),
    whether this token's unit names something; None where the grouping makes no such mark. names: (B, K), the same for
    each group.
    """

    groups: Tensor
    assignment: Tensor
    owner: Tensor
    mask: Tensor
    present: Tensor
    groundable: Tensor | None = None
    names: Tensor | None = None

    @classmethod
    def fixed(cls, groups: Tensor, assignment: Tensor, mask: Tensor) -> "TextGroups":
        """All groups are present; a token's owner is its most probable group."""
        owner = assignment.argmax(dim=1).masked_fill(~mask, -1)
        return cls(groups, assignment, owner, mask, torch.ones_like(groups[:, :, 0], dtype=torch.bool))


class Grouping(nn.Module):
    """Base class of all groupings. A subclass writes `forward`; the other methods have defaults.

    trains_assignment: whether the soft assignment has a gradient, so that `loss.balance` and `loss.contiguity` can
    change it. draws_noise: whether `forward` uses its noise. reach: number of tokens on either side that decide where a
    token belongs; None: the whole caption. Facts to save are parameters and buffers, as of any module.
    """

    trains_assignment: ClassVar[bool] = True
    draws_noise: ClassVar[bool] = True
    reach: ClassVar[int | None] = None

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = TokenEmbedding(vocabulary, config.max_tokens, config.width)

    @property
    def most_groups(self) -> int:
        """K, the number of groups that a caption is given, or may have."""
        return self.config.groups

    @property
    def noise_groups(self) -> int:
        """Number of groups that the noise of training is drawn for; 0 where `forward` uses none."""
        return self.config.groups if self.draws_noise else 0

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """ids and mask (B, M); noise (B, `noise_groups`, M) Gumbel, in training; forced (B, K, M) in the place of the
        assignment."""
        raise NotImplementedError

    def owners(self, ids: Tensor, mask: Tensor) -> Owners:
        """ids and mask (B, M) -> the group of each token, without the groups' vectors. As `forward` gives it, except
        that no number of groups is too large."""
        text = self(ids, mask)
        return Owners(text.owner, text.groundable)

    def encode_tokens(self, ids: Tensor, mask: Tensor) -> Tensor:
        """ids and mask (B, M) -> encoded tokens (B, M, D). Raises `InputError` where groups are all there is."""
        raise InputError(f"model.encoder.kind {self.config.kind} encodes no single tokens: take a baseline checkpoint")

    def reset_parameters(self) -> None:
        """Change the initial weights where GroupViT's do not serve. Called once, by a new model."""

    def start_from(self, captions: CaptionData, tokenizer: CaptionTokenizer, seed: int) -> None:
        """Take from the training captions what the first step needs. Called once, before training."""

    def take_router(self, other: "Grouping") -> None:
        """Cut captions as a trained grouping does, and go on doing so. Raises `InputError` where a grouping has no part
        that decides the cuts alone."""
        raise InputError(f"model.encoder.kind {self.config.kind} has no router of its own: set router to null")

    def learn_to_cut(
        self,
        captions: CaptionData,
        tokenizer: CaptionTokenizer,
        config: UnitsConfig,
        seed: int,
        translations: Sequence[CaptionData] = (),
    ) -> None:
        """Train the part that decides the cuts alone, where there is one. Called once, before `start_from`, unless
        `take_router` was. translations: captions in one language, and then the same ones in others, which are among
        `captions`."""
