"""The trainable model: text encoder, decoder and the two linear heads. Text and image meet here and nowhere else."""

from typing import Any

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from textgroup.config.model import DecoderConfig, EncoderConfig
from textgroup.devices import quick
from textgroup.model.decoder import TextDecoder
from textgroup.model.grouping.contract import Owners, TextGroups
from textgroup.model.grouping.mechanisms import new_grouping
from textgroup.model.layers import initialise, smooth_positions
from textgroup.model.noise import Noise

FORMAT = 3
"""Of config.json. Format 1, which says no format, had `vocabulary` among the encoder's fields; up to format 2 a dynamic
encoder had another router."""


class TextGroupModel(nn.Module, PyTorchModelHubMixin, library_name="textgroup", license="apache-2.0"):
    """Everything that is trained (Figure 1, without the frozen image encoder).

    The first four arguments are the fields of `ModelConfig`. All of them become config.json.
    vocabulary: number of token ids. image_width: D_image, width of the image encoder's objects; None: no heads.
    image_encoder: identity of the encoder whose features the image head is trained on (`ObjectEncoder.identity()`);
    None for a model that has seen no images. format: see `FORMAT`. Raises `InputError` for an unknown encoder kind.
    """

    image_mean: Tensor
    image_std: Tensor

    def __init__(
        self,
        encoder: EncoderConfig,
        decoder: DecoderConfig | None,
        embedding: int,
        image_dropout: float = 0.0,
        *,
        vocabulary: int,
        image_width: int | None = None,
        image_encoder: dict[str, Any] | None = None,
        format: int = FORMAT,
    ) -> None:
        super().__init__()
        self.image_encoder, self.image_dropout = image_encoder, image_dropout
        self.vocabulary = vocabulary
        self.encoder = new_grouping(encoder, vocabulary)
        self.decoder = TextDecoder(decoder, encoder) if decoder else None
        self.embedding = embedding
        self.text_head: nn.Linear | None = None
        self.image_head: nn.Linear | None = None
        if image_width is not None:
            self.text_head = nn.Linear(encoder.width, embedding)
            self.image_head = nn.Linear(image_width, embedding)
            self.register_buffer("image_mean", torch.zeros(image_width))
            self.register_buffer("image_std", torch.ones(image_width))
        initialise(self)
        if encoder.positions == "smooth":
            smooth_positions(self.encoder.embedding.position)
            if self.decoder is not None:
                smooth_positions(self.decoder.position)
        self.encoder.reset_parameters()

    @torch.no_grad()
    def standardise_images(self, mean: Tensor, std: Tensor) -> None:
        """Standardise the image features before the image head; both together are still one linear map.

        mean, std: (D_image,) over the training images. Features after a rectifier share a large mean. It makes all
        cosines alike, turns each step of the head into a step along it, and turns dropout into noise.
        """
        assert self.image_head is not None, "a model without an image side has no image head"
        self.image_mean.copy_(mean)
        self.image_std.copy_(std)

    def encode(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """ids and mask (B, M), noise (B, K, M) -> groups (B, K, D) and assignment (B, K, M)."""
        return self.encoder(ids, mask, noise, forced)

    def owners(self, ids: Tensor, mask: Tensor) -> Owners:
        """ids and mask (B, M) -> the group of each token (B, M), as `encode` gives it, and no vectors."""
        return self.encoder.owners(ids, mask)

    @property
    def most_groups(self) -> int:
        """K, the number of groups that a caption is given, or may have (1 for the baseline)."""
        return self.encoder.most_groups

    @property
    def noise(self) -> float:
        """Scale of the Gumbel noise in training."""
        return self.encoder.config.noise

    @property
    def word_dropout(self) -> float:
        """Share of the tokens hidden from the encoder in training."""
        return self.encoder.config.word_dropout

    def decode(
        self, ids: Tensor, mask: Tensor, text: TextGroups, noise: Noise | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The decoder's states (B, M - 1, D), the ids to predict and where they are valid (B, M - 1): Eq. 9.

        ids and mask (B, M) of the captions to write from the groups of `text`.
        """
        assert self.decoder is not None, "a model trained without reconstruction has no decoder"
        return self.decoder(ids, mask, text.groups, text.present, self.encoder.embedding.token, noise)

    def embed_text(self, text: TextGroups) -> Tensor:
        """Unit vectors (B, E): head on each group, mean over the groups of the caption (Section 2.2.1)."""
        assert self.text_head is not None, "a model without an image side has no common space"
        present = text.present[:, :, None]  # (B, K, 1)
        pooled = (self.text_head(text.groups) * present).sum(dim=1) / present.sum(dim=1)
        return F.normalize(pooled, dim=-1)

    def embed_image(self, pooled: Tensor, noise: Noise | None = None) -> Tensor:
        """Mean of the image groups (B, D_image) -> unit vectors (B, E). Head and mean commute.

        noise: of the dropout in training; None is evaluation.
        """
        return self._embed(pooled[:, None], noise)[:, 0]

    def embed_units(self, text: TextGroups) -> Tensor:
        """Head on each group: unit vectors (B, K, E), zeros for groups that the caption does not have."""
        assert self.text_head is not None, "a model without an image side has no common space"
        units = self.text_head(text.groups)
        units = units.to(torch.promote_types(units.dtype, torch.float32))  # as the objects' vectors are
        return F.normalize(units, dim=-1) * text.present[:, :, None]

    def embed_objects(self, groups: Tensor, noise: Noise | None = None) -> Tensor:
        """Image groups (B, G, D_image) -> unit vectors (B, G, E), zeros for objects that the image does not have:
        those whose group is zeros. noise: as in `embed_image`; what is dropped of one object is dropped of all."""
        return self._embed(groups, noise) * (groups != 0).any(dim=-1, keepdim=True)

    def _embed(self, vectors: Tensor, noise: Noise | None) -> Tensor:
        """(B, G, D_image) -> unit vectors (B, G, E). Standardised and dropped in one pass over what may be a lot."""
        assert self.image_head is not None, "a model without an image side has no common space"
        scale = (1 / self.image_std)[None]
        if noise is not None and self.image_dropout:
            keep = noise.uniform("image", vectors.shape[-1]) >= self.image_dropout  # (B, D_image)
            scale = scale * keep / (1 - self.image_dropout)
        scale = scale[:, None]  # (B or 1, 1, D_image)
        x = torch.addcmul(-self.image_mean * scale, vectors.to(scale.dtype), scale)
        head = self.image_head
        if self.training:  # not in use, where a caption may be compared with others to the last digit
            return F.normalize(F.linear(*quick(x, head.weight, head.bias)).to(x.dtype), dim=-1)
        return F.normalize(head(x), dim=-1)

    def parameter_counts(self) -> dict[str, int]:
        """Trainable parameters by part."""
        modules = {
            "embeddings": self.encoder.embedding,
            "encoder": self.encoder,
            "decoder": self.decoder,
            "text head": self.text_head,
            "image head": self.image_head,
        }
        counts = {name: sum(p.numel() for p in module.parameters()) for name, module in modules.items() if module}
        counts["encoder"] -= counts["embeddings"]
        return counts | {"total": sum(counts.values())}
