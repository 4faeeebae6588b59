"""As many groups as the caption needs: a router cuts the caption, and each unit is a group (not in the paper).

Groups do not compete for tokens here: each token continues the unit before it or begins the next one. A unit's vector
is the sum of its embedded tokens: Eq. 4 without the division, V(t) as printed. Units differ in length; in a mean over
units, each a mean over tokens, a preposition would weigh as much as "a blue hard hat" (docs/experiments.md).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.config.model import EncoderConfig
from textgroup.data.captions import CaptionData
from textgroup.data.statistics.cooccurrence import cooccurrence
from textgroup.errors import InputError
from textgroup.model.grouping.contract import Grouping, Owners, TextGroups
from textgroup.model.grouping.router import cotraining
from textgroup.model.grouping.router.boundaries import unit_marginals, unit_numbers
from textgroup.model.grouping.router.router import Router, Views
from textgroup.model.layers import EncoderLayer
from textgroup.text.tokenizer import CaptionTokenizer

DEVIATION, JITTER = 0.1, 0.02
"""Standard deviation of initial token embeddings; of the noise on them where they start from co-occurrence."""


class DynamicGroupTransformer(Grouping):
    """A router over the tokens, the sum of each unit's embedded tokens, layers over the units.

    Only what is in a unit reaches its vector: the values are embedded tokens, not encoded ones. The router learns from
    its own two views alone: gradients of the other losses through its cuts would put everything into one unit
    (docs/experiments.md).
    """

    own_terms: tuple[str, ...] = ("views", "names")
    trains_assignment = False

    def __init__(self, config: EncoderConfig, vocabulary: int) -> None:
        super().__init__(config, vocabulary)
        self.router = Router(config, vocabulary)
        self.after = nn.ModuleList(EncoderLayer(config.width, config.heads) for _ in range(config.layers_after))
        self.norm = nn.LayerNorm(config.width) if config.layers_after else nn.Identity()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Token embeddings larger than positions: in a sum, the length of a word's vector is its weight."""
        nn.init.normal_(self.embedding.token.weight, std=DEVIATION)

    def take_router(self, other: Grouping) -> None:
        """See `Grouping.take_router`; the router is not trained any more, and there are no own terms."""
        if not isinstance(other, DynamicGroupTransformer):
            raise InputError(f"router: a checkpoint of model.encoder.kind {other.config.kind} has none")
        try:
            self.router.load_state_dict(other.router.state_dict())
        except RuntimeError:
            sizes = [(c.router_width, c.layers_before, c.heads, c.max_tokens) for c in (other.config, self.config)]
            raise InputError(
                f"router: router_width, layers_before, heads, max_tokens are {sizes[0]} there and {sizes[1]} here: "
                "make them equal"
            ) from None
        self.router.requires_grad_(False)
        self.own_terms = ()

    @torch.no_grad()
    def start_from(self, captions: CaptionData, tokenizer: CaptionTokenizer, seed: int) -> None:
        """Count the router's facts. With images, also start the token embeddings from co-occurrence: images are few
        beside what the captions alone say about words."""
        if self.own_terms:
            cotraining.initialise(self.router, captions, tokenizer)
        if captions.pooled is not None:
            token = self.embedding.token.weight
            vectors = cooccurrence(captions, len(tokenizer), self.config.width, seed)
            token.copy_(DEVIATION * vectors + torch.randn_like(token) * JITTER)

    def refit(self, captions: CaptionData, seed: int) -> None:
        """See `Grouping.refit` and `cotraining.refit`."""
        cotraining.refit(self.router, captions, seed)

    def terms(self, text: TextGroups) -> dict[str, Tensor]:
        """See `Grouping.terms`: the cross-entropies that the place views learn from."""
        if not self.own_terms:
            return {}
        assert isinstance(text.state, Views), "the state of a TextGroups is its grouping's own"
        return {"views": cotraining.place_loss(text.state), "names": cotraining.naming_loss(text.state)}

    def owners(self, ids: Tensor, mask: Tensor) -> Owners:
        """See `Grouping.owners`; a fraction of the work of `forward`: the vectors of units decide nothing."""
        owner, views = self._route(ids, mask)
        return Owners(owner, views.groundable())

    def forward(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """See `Grouping.forward`. Nothing is drawn at random here: `noise` is not used."""
        units = self.config.groups
        valid = mask[:, None, :].float()
        owner, views = self._route(ids, mask)
        with torch.no_grad():
            soft = unit_marginals(views.boundary_probability(), units) * valid  # (B, K, M)
        hard = F.one_hot(owner.clamp_min(0), units).transpose(1, 2) if forced is None else forced  # (B, K, M)
        hard = hard * valid
        embedded = self.embedding(ids, mask)  # (B, M, D)
        groups = hard.to(embedded.dtype) @ embedded  # (B, K, D)
        present = hard.sum(dim=2) > 0.5  # (B, K)
        present = present | F.one_hot(torch.zeros_like(ids[:, 0]), units).bool()  # every caption has a first unit
        for layer in self.after:
            groups = layer(groups, present)
        names = self._names(views)
        return TextGroups(self.norm(groups), soft, owner, mask, present, views.groundable(), names, views)

    def _names(self, views: Views) -> Tensor:
        """(B, K), whether each unit names something: it is to be read at the unit's last token."""
        begins, final = views.boundaries.begins, views.boundaries.final
        position = torch.arange(final.shape[1], device=final.device)
        ends = (final == position) & (position > 0) & (position < views.end)  # (B, M), start and end of text end none
        number = unit_numbers(begins, self.config.groups)
        named = (views.groundable() & ends).float()
        return torch.zeros(len(final), self.config.groups, device=final.device).scatter_add(1, number, named) > 0

    def _route(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Views]:
        """The unit of each token (B, M), -1 on padding, and what decided it."""
        views = self.router(ids, mask)
        return unit_numbers(views.boundaries.begins, self.config.groups).masked_fill(~mask, -1), views
