"""As many groups as the caption needs: a router cuts the caption, and each unit is a group (not in the paper).

Groups do not compete for tokens here: each token continues the unit before it or begins the next one. A unit's vector
is the sum of its embedded tokens: Eq. 4 without the division, V(t) as printed. Units differ in length; in a mean over
units, each a mean over tokens, a preposition would weigh as much as "a blue hard hat" (docs/experiments.md).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.config.run import UnitsConfig
from textgroup.data.captions import CaptionData
from textgroup.data.statistics.cooccurrence import cooccurrence
from textgroup.errors import InputError
from textgroup.model.grouping.contract import Grouping, Owners, TextGroups
from textgroup.model.grouping.router import learning
from textgroup.model.grouping.router.router import REACH, Cuts, Router, unit_numbers, up_to_end
from textgroup.model.layers import EncoderLayer
from textgroup.text.tokenizer import CaptionTokenizer

DEVIATION, JITTER = 0.1, 0.02
"""Standard deviation of initial token embeddings; of the noise on them where they start from co-occurrence."""


class DynamicGroupTransformer(Grouping):
    """A router over the tokens, the sum of each unit's embedded tokens, layers over the units.

    Only what is in a unit reaches its vector: the values are embedded tokens, not encoded ones. The router is trained
    before the first step and never again: gradients of the losses through its cuts would put everything into one unit
    (docs/experiments.md).
    """

    trains_assignment = False
    draws_noise = False
    reach = REACH

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__(config, vocabulary)
        self.router = Router(config, vocabulary).requires_grad_(False)
        self.after = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        self.norm = nn.LayerNorm(config.width) if config.layers_after else nn.Identity()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Token embeddings larger than positions: in a sum, the length of a word's vector is its weight."""
        nn.init.normal_(self.embedding.token.weight, std=DEVIATION)

    def take_router(self, other: Grouping) -> None:
        """See `Grouping.take_router`."""
        if not isinstance(other, DynamicGroupTransformer):
            raise InputError(f"router: a checkpoint of model.encoder.kind {other.config.kind} has none")
        try:
            self.router.load_state_dict(other.router.state_dict())
        except RuntimeError:
            sizes = [(c.router_width, c.router_hidden) for c in (other.config, self.config)]
            raise InputError(
                f"router: router_width, router_hidden are {sizes[0]} there and {sizes[1]} here: make them equal"
            ) from None

    def learn_to_cut(
        self,
        captions: CaptionData,
        tokenizer: CaptionTokenizer,
        config: UnitsConfig,
        seed: int,
        translations: Sequence[CaptionData] = (),
    ) -> None:
        """See `Grouping.learn_to_cut` and `router/learning.py`."""
        self.router.requires_grad_(True)
        learning.learn(self.router, captions, tokenizer, config, seed, translations)
        self.router.requires_grad_(False)

    @torch.no_grad()
    def start_from(self, captions: CaptionData, tokenizer: CaptionTokenizer, seed: int) -> None:
        """With images, start the token embeddings from co-occurrence: images are few beside what the captions alone say
        about words."""
        if captions.pooled is not None:
            token = self.embedding.token.weight
            vectors = cooccurrence(captions, len(tokenizer), self.config.width, seed)
            token.copy_(DEVIATION * vectors + torch.randn_like(token) * JITTER)

    def owners(self, ids: Tensor, mask: Tensor) -> Owners:
        """See `Grouping.owners`; a fraction of the work of `forward`, and as many units as there are."""
        cuts = self.router(ids, mask)
        owner = (cuts.begins.cumsum(dim=1) - 1).clamp_min(0).masked_fill(~mask, -1)
        return Owners(owner, cuts.names > 0)

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """See `Grouping.forward`. Nothing is drawn at random here: `noise` is not used."""
        units = self.config.groups
        cuts = self.router(ids, up_to_end(mask))  # words that training hides are cut as they are in use
        owner = unit_numbers(cuts.begins, units)  # (B, M)
        own = F.one_hot(owner, units).transpose(1, 2) * mask[:, None, :].float()  # (B, K, M)
        hard = own if forced is None else forced * mask[:, None, :].float()
        embedded = self.embedding(ids, mask)  # (B, M, D)
        groups = hard.to(embedded.dtype) @ embedded  # (B, K, D)
        present = hard.sum(dim=2) > 0.5  # (B, K)
        present = present | F.one_hot(torch.zeros_like(ids[:, 0]), units).bool()  # every caption has a first unit
        for layer in self.after:
            groups = layer(groups, present)
        names = self._names(cuts, owner)
        return TextGroups(self.norm(groups), own, owner.masked_fill(~mask, -1), mask, present, cuts.names > 0, names)

    def _names(self, cuts: Cuts, owner: Tensor) -> Tensor:
        """(B, K), whether each unit names something."""
        named = (cuts.begins & (cuts.names > 0)).float()
        return torch.zeros(len(owner), self.config.groups, device=owner.device).scatter_add(1, owner, named) > 0
