"""InfoNCE between captions and images (Eq. 6-8)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk
from textgroup.training.objectives.cross_entropy import linear_cross_entropy


def info_nce(text: Tensor, image: Tensor, temperature: float) -> Tensor:
    """Eq. 6-8: mean of image-to-text and text-to-image InfoNCE. text, image: (B, E) unit vectors, paired.

    The similarities (B, B) are never all in memory.
    """
    pair = torch.arange(len(text), device=text.device)
    each = torch.full_like(text[:, 0], 0.5 / len(text))
    text = text / temperature  # sim of Eq. 6: cosine
    return linear_cross_entropy(image, text, pair, each) + linear_cross_entropy(text, image, pair, each)


@dataclass(frozen=True)
class Contrastive:
    """An `Objective`; of a model or a batch without images it has no loss."""

    temperature: float
    weight: float = 1.0

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """Vectors "text" and "image", (B, E), unit length."""
        if chunk.image is None or chunk.model.image_head is None:
            return ChunkOutput({}, {})
        image = chunk.model.embed_image(chunk.image, chunk.noise)
        return ChunkOutput({"text": chunk.text_vector, "image": image}, {})

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        if "image" not in batch.vectors:
            return {}
        return {"contrastive": info_nce(batch.vectors["text"], batch.vectors["image"], self.temperature)}
