"""The trainable model: text encoder, decoder and the two linear heads. The only place where text meets image."""

from typing import Any

import torch
import torch.nn.functional as F
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from textgroup.config import DecoderConfig, EncoderConfig
from textgroup.model.decoder import TextDecoder
from textgroup.model.encoder import BaselineTransformer, TextGroups, TextGroupTransformer
from textgroup.model.layers import initialise


class TextGroupModel(nn.Module, PyTorchModelHubMixin, library_name="textgroup", license="apache-2.0"):
    """Everything that is trained (Figure 1, without the frozen image encoder).

    The first four arguments are the fields of `ModelConfig`; they and `image_encoder` become config.json.
    image_encoder: identity of the encoder whose features the image head is trained on
    (`ObjectEncoder.identity()`); None for a model that has seen no images.
    """

    def __init__(
        self,
        encoder: EncoderConfig,
        decoder: DecoderConfig | None,
        embedding: int,
        image_width: int | None,
        image_encoder: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.image_encoder = image_encoder
        self.encoder = (TextGroupTransformer if encoder.kind == "grouping" else BaselineTransformer)(encoder)
        self.decoder = TextDecoder(decoder, encoder) if decoder else None
        self.embedding = embedding
        self.text_head: nn.Linear | None = None
        self.image_head: nn.Linear | None = None
        if image_width is not None:
            self.text_head = nn.Linear(encoder.width, embedding)
            self.image_head = nn.Linear(image_width, embedding)
        initialise(self)

    def encode(
        self, ids: Tensor, mask: Tensor, noise: Tensor | None = None, forced: Tensor | None = None
    ) -> TextGroups:
        """ids and mask (B, M), noise (B, K, M) -> groups (B, K, D) and assignment (B, K, M)."""
        return self.encoder(ids, mask, noise, forced)

    @property
    def groups(self) -> int:
        """K, the number of groups that a caption is given (1 for the baseline)."""
        config = self.encoder.config
        return config.groups if config.kind == "grouping" else 1

    @property
    def noise(self) -> float:
        """Scale of the Gumbel noise in training."""
        return self.encoder.config.noise

    def decode(
        self, ids: Tensor, mask: Tensor, groups: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The decoder's states (B, M - 1, D), the ids to predict and where they are valid (B, M - 1): Eq. 9."""
        assert self.decoder is not None, "a model trained without reconstruction has no decoder"
        return self.decoder(ids, mask, groups, self.encoder.embedding.token, generator)

    def embed_text(self, groups: Tensor) -> Tensor:
        """groups (B, K, D) -> unit vectors (B, E): head on each group, mean over the groups (Section 2.2.1)."""
        assert self.text_head is not None, "a model without an image side has no common space"
        return F.normalize(self.text_head(groups).mean(dim=1), dim=-1)

    def embed_image(self, pooled: Tensor) -> Tensor:
        """Mean of the image groups (B, D_image) -> unit vectors (B, E). Head and mean commute."""
        assert self.image_head is not None, "a model without an image side has no common space"
        return F.normalize(self.image_head(pooled), dim=-1)

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
