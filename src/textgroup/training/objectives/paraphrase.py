"""InfoNCE between two captions of an image (not in the paper)."""

from dataclasses import dataclass

from torch import Tensor

from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk
from textgroup.training.objectives.contrastive import info_nce


@dataclass(frozen=True)
class Paraphrase:
    """An `Objective`: two captions of an image are to be as alike as a caption and its image (Eq. 6-8)."""

    weight: float
    temperature: float

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """Vectors "text", (B, E), as `Contrastive` has them."""
        return ChunkOutput({} if chunk.model.text_head is None else {"text": chunk.text_vector}, {})

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`; none where each image has one caption in the batch."""
        if pairs is None or "text" not in batch.vectors:
            return {}
        first, second = (batch.vectors["text"][pairs[:, i]] for i in (0, 1))
        return {"paraphrase": info_nce(first, second, self.temperature)}
