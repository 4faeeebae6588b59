"""Captions in a batch: padded chunks, where to cut a batch into chunks, and the mask without start and end of text."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.text.padding import pad_ids


class Chunk(NamedTuple):
    """Captions padded to the longest of them: ids (B, M) and mask (B, M), True where a token is valid."""

    ids: Tensor
    mask: Tensor


class Batch(NamedTuple):
    """One training batch of B captions, or the share of it that one of several processes has.

    chunks: the captions in order of length, in chunks of similar length. image: (B, D) pooled vectors in the same
    order, or the pixels (B, 3, H, W) of photographs, or None. positions: (B,), where each caption stands in the batch
    of all processes, which has `total` captions; None where this is all of it. objects: (R, G, D), the objects of some
    captions' images, zeros after an image's last; or None. with_objects: (R,), which captions these are, in order.
    pairs: (images, 2), the positions of two captions of each image; None where each image has one caption in the batch.
    """

    chunks: list[Chunk]
    image: Tensor | None
    positions: Tensor | None = None
    total: int | None = None
    objects: Tensor | None = None
    with_objects: Tensor | None = None
    pairs: Tensor | None = None

    @property
    def size(self) -> int:
        """Number of captions, those of other processes not counted."""
        return sum(len(chunk.ids) for chunk in self.chunks)

    def each_chunk(self) -> Iterator["Batch"]:
        """Each chunk as a batch of its own, with the positions that its captions have in this one."""
        device = self.chunks[0].ids.device
        positions = torch.arange(self.size, device=device) if self.positions is None else self.positions
        a = 0
        for chunk in self.chunks:
            b = a + len(chunk.ids)
            image = None if self.image is None else self.image[a:b]
            objects = rows = None
            if self.objects is not None and self.with_objects is not None:
                first, last = (int((self.with_objects < end).sum()) for end in (a, b))
                objects, rows = self.objects[first:last], self.with_objects[first:last] - a
            yield Batch([chunk], image, positions[a:b], self.total, objects, rows)
            a = b


def pad(ids: Sequence[Sequence[int] | np.ndarray]) -> Chunk:
    """Pad lists of ids to a chunk."""
    return Chunk(*map(torch.from_numpy, pad_ids(ids)))


def bucket_ends(lengths: np.ndarray, buckets: int) -> list[int]:
    """Where to cut captions in order of length into at most `buckets`, so that the fewest tokens are padded.

    Gives the end of each bucket. Exact, by dynamic programming over the lengths that occur.
    """
    longest, count = np.unique(lengths, return_counts=True)
    ends = np.cumsum(count)
    tokens = longest * ends  # (n,): padded tokens of all captions up to this length, in one bucket
    before: list[np.ndarray] = []
    for _ in range(min(buckets, len(ends)) - 1):
        cost = tokens[:, None] + (ends - ends[:, None]) * longest  # (n, n): the last bucket goes from row to column
        cost[np.tril_indices(len(ends))] = np.iinfo(cost.dtype).max
        cost[0, 0] = tokens[0]
        before.append(cost.argmin(axis=0))
        tokens = cost.min(axis=0)
    cut, at = [int(ends[-1])], len(ends) - 1
    for last in reversed(before):
        at = int(last[at])
        cut.append(int(ends[at]))
    return sorted(set(cut))


def without_specials(mask: Tensor) -> Tensor:
    """The mask (B, M) without each caption's first and last valid token (start and end of text)."""
    last = mask.sum(dim=1, keepdim=True) - 1
    position = torch.arange(mask.shape[1], device=mask.device)
    return mask & (position > 0) & (position < last)
