"""The contract of an objective: one term of the loss, or a few that share their input.

A loss is a function of what all chunks of a batch give (`ChunkOutput`): vectors for InfoNCE, sums for the others. So
its value does not depend on how the batch is cut into chunks or divided among processes. A new objective is one file
beside this one and one line in `total.objectives_for`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from torch import Tensor

from textgroup.model.grouping.contract import TextGroups
from textgroup.model.noise import Noise
from textgroup.model.textgroup import TextGroupModel


class ChunkOutput(NamedTuple):
    """What the losses need of some captions.

    vectors: one for each caption, such as "text" and "image" (B, E), gathered over the batch in its order. sums: by
    name, (2,) or more numbers, added up over the batch.
    """

    vectors: dict[str, Tensor]
    sums: dict[str, Tensor]

    def mean(self, name: str) -> Tensor:
        """The first number of a sum divided by the second, or by 1 where that is less."""
        return self.sums[name][0] / self.sums[name][1].clamp_min(1)


@dataclass(frozen=True)
class EncodedChunk:
    """One chunk of a batch after the text encoder.

    ids, mask: (B, M), nothing hidden. text: its groups. image: (B, D_image) or None. objects: (R, G, D_image) or None.
    with_objects: (R,), the captions whose objects these are. noise: of the training step; None is evaluation. decode:
    False leaves the decoder out (GradCache's first pass).
    """

    model: TextGroupModel
    ids: Tensor
    mask: Tensor
    text: TextGroups
    image: Tensor | None
    objects: Tensor | None
    with_objects: Tensor | None
    noise: Noise | None
    decode: bool

    @cached_property
    def text_vector(self) -> Tensor:
        """(B, E), unit length."""
        return self.model.embed_text(self.text)

    @cached_property
    def units_and_objects(self) -> ChunkOutput:
        """Vectors "units" (B, K, E) and "objects" (B, G, E): unit length, zeros where there is none. Nothing where the
        data set has no objects."""
        if self.objects is None or self.with_objects is None:
            return ChunkOutput({}, {})
        noise = None if self.noise is None else Noise(self.noise.key, self.noise.rows[self.with_objects])
        some = self.model.embed_objects(self.objects, noise)  # (R, G, E)
        objects = some.new_zeros(len(self.ids), *some.shape[1:]).index_copy(0, self.with_objects, some)
        return ChunkOutput({"units": self.model.embed_units(self.text), "objects": objects}, {})


class Objective(Protocol):
    """One term of the total loss (Eq. 5)."""

    @property
    def weight(self) -> float:
        """What its losses are multiplied by."""
        ...

    def of_chunk(self, chunk: EncodedChunk) -> ChunkOutput:
        """What the loss needs of one chunk; names are the objective's own, or mean the same as another's."""
        ...

    def losses(self, batch: ChunkOutput, pairs: Tensor | None) -> dict[str, Tensor]:
        """The losses of a batch by name, from what all of its chunks gave; none where the batch has no input for them.

        pairs: see `data.batches.Batch`.
        """
        ...


@dataclass(frozen=True)
class Losses:
    """Scalars of one batch. total: what is minimised. terms: by name, each before its weight."""

    total: Tensor
    terms: dict[str, Tensor]

    def as_dict(self) -> dict[str, Tensor]:
        """`total` and the terms."""
        return {"total": self.total, **self.terms}
