"""The trainable model: text encoder, decoder and the two linear heads. The only place where text meets image."""

from typing import Any

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from textgroup.config import DecoderConfig, EncoderConfig
from textgroup.model.decoder import TextDecoder
from textgroup.model.dynamic import DynamicGroupTransformer
from textgroup.model.encoder import BaselineTransformer, Owners, TextGroups, TextGroupTransformer
from textgroup.model.layers import initialise, smooth_positions
from textgroup.model.noise import Noise

Encoder = TextGroupTransformer | DynamicGroupTransformer | BaselineTransformer


class TextGroupModel(nn.Module, PyTorchModelHubMixin, library_name="textgroup", license="apache-2.0"):
    """Everything that is trained (Figure 1, without the frozen image encoder).

    The arguments before the last are the fields of `ModelConfig`; they and `image_encoder` become config.json.
    image_encoder: identity of the encoder whose features the image head is trained on
    (`ObjectEncoder.identity()`); None for a model that has seen no images.
    """

    image_mean: Tensor
    image_std: Tensor

    def __init__(
        self,
        encoder: EncoderConfig,
        decoder: DecoderConfig | None,
        embedding: int,
        image_width: int | None,
        image_dropout: float = 0.0,
        image_encoder: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.image_encoder, self.image_dropout = image_encoder, image_dropout
        kinds: dict[str, type[Encoder]] = {
            "grouping": TextGroupTransformer,
            "dynamic": DynamicGroupTransformer,
            "baseline": BaselineTransformer,
        }
        self.encoder = kinds[encoder.kind](encoder)
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
        if isinstance(self.encoder, DynamicGroupTransformer) or (
            isinstance(self.encoder, TextGroupTransformer) and encoder.block == "equations"
        ):
            self.encoder.spread()

    @torch.no_grad()
    def standardise_images(self, mean: Tensor, std: Tensor) -> None:
        """From now on the image head sees standardised features; with the head this is still one linear map.

        mean, std: (D_image,) over the training images. Features after a rectifier share a large mean, that makes all
        cosines alike, each step of the head a step along it, and dropout noise.
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
        if isinstance(self.encoder, DynamicGroupTransformer):
            return self.encoder.owners(ids, mask)
        text = self.encoder(ids, mask)
        return Owners(text.owner, text.views)

    @property
    def groups(self) -> int:
        """K, the number of groups that a caption is given, or may have (1 for the baseline)."""
        config = self.encoder.config
        return 1 if config.kind == "baseline" else config.groups

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
        assert self.image_head is not None, "a model without an image side has no common space"
        pooled = (pooled - self.image_mean) / self.image_std
        if noise is not None and self.image_dropout:
            keep = noise.uniform("image", *pooled.shape[1:]) >= self.image_dropout
            pooled = pooled * keep / (1 - self.image_dropout)
        return F.normalize(self.image_head(pooled), dim=-1)

    def embed_units(self, text: TextGroups) -> Tensor:
        """Head on each group: unit vectors (B, K, E), zeros for groups that the caption does not have."""
        assert self.text_head is not None, "a model without an image side has no common space"
        return F.normalize(self.text_head(text.groups), dim=-1) * text.present[:, :, None]

    def embed_objects(self, groups: Tensor, noise: Noise | None = None) -> Tensor:
        """Image groups (B, G, D_image) -> unit vectors (B, G, E), zeros for objects that the image does not have:
        those whose group is zeros. noise: as in `embed_image`."""
        return self.embed_image(groups, noise) * (groups != 0).any(dim=-1, keepdim=True)

    def parameter_counts(self) -> dict[str, int]:
        """Trainable parameters by part."""
        parts = {
            "embeddings": self.encoder.embedding,
            "encoder": self.encoder,
            "decoder": self.decoder,
            "text head": self.text_head,
            "image head": self.image_head,
        }
        counts = {name: sum(p.numel() for p in part.parameters()) for name, part in parts.items() if part}
        counts["encoder"] -= counts["embeddings"]
        return counts | {"total": sum(counts.values())}
