"""The losses that a grouping defines itself, such as the co-training of a router's two views (not in the paper)."""

from dataclasses import dataclass

from torch import Tensor

from textgroup.training.objectives.contract import ChunkOutput, EncodedChunk


@dataclass(frozen=True)
class OwnTerms:
    """An `Objective` of what `Grouping.terms` gives: means of sums."""

    weight: float

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """The grouping's sums and counts, under its own names."""
        own = chunk.model.encoder.terms(chunk.text)
        return ChunkOutput({}, {f"own {name}": total for name, total in own.items()})

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """See `Objective.losses`."""
        return {name.removeprefix("own "): batch.mean(name) for name in batch.sums if name.startswith("own ")}
