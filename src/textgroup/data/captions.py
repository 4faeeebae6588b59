"""Captions as token ids in memory, and the seeded, length-bucketed batches that training takes from them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from textgroup.data.order import scattered, shuffled
from textgroup.errors import InputError
from textgroup.keys import key_of
from textgroup.text.tokenizer import CaptionTokenizer

CHUNKS = 4
"""Parts that a batch is cut into, by caption length, where memory does not ask for more: little padding is paid for."""


class Chunk(NamedTuple):
    """Captions padded to the longest among them: ids (B, M) and mask (B, M), True where a token is valid."""

    ids: Tensor
    mask: Tensor


class Batch(NamedTuple):
    """One training batch of B captions, or the share of it that one of several processes has.

    chunks: the captions in order of length, in parts of similar length. image: (B, D) pooled vectors in the
    same order, or the pixels (B, 3, H, W) of photographs, or None. rows: (B,), the place of each caption in the
    batch of all processes, which has `whole` captions; None where this is all of it. objects: (B, G, D), the
    objects of each image, zeros after its last; or None. pairs: (images, 2), the places of two captions of each image
    in the batch of all processes; None where each image has one caption in it.
    """

    chunks: list[Chunk]
    image: Tensor | None
    rows: Tensor | None = None
    whole: int | None = None
    objects: Tensor | None = None
    pairs: Tensor | None = None

    @property
    def size(self) -> int:
        """Number of captions, those of other processes not counted."""
        return sum(len(chunk.ids) for chunk in self.chunks)

    def parts(self) -> Iterator["Batch"]:
        """Each chunk as a batch of its own, with the places that its captions have in this one."""
        rows = torch.arange(self.size, device=self.chunks[0].ids.device) if self.rows is None else self.rows
        a = 0
        for chunk in self.chunks:
            b = a + len(chunk.ids)
            image, objects = (None if x is None else x[a:b] for x in (self.image, self.objects))
            yield Batch([chunk], image, rows[a:b], self.whole, objects)
            a = b


def pad(ids: Sequence[Sequence[int] | np.ndarray]) -> Chunk:
    """Pad lists of ids with 0 (a real token: the mask tells)."""
    lengths = np.array([len(row) for row in ids])
    mask = np.arange(lengths.max()) < lengths[:, None]  # (B, M)
    padded = np.zeros(mask.shape, dtype=np.int64)
    padded[mask] = np.concatenate(ids)
    return Chunk(torch.from_numpy(padded), torch.from_numpy(mask))


def cuts(lengths: np.ndarray, parts: int) -> list[int]:
    """Where to cut captions in order of length into at most `parts`, so that the fewest tokens are padded.

    Gives the end of each part. Exact, by dynamic programming over the lengths that occur.
    """
    longest, count = np.unique(lengths, return_counts=True)
    ends = np.cumsum(count)
    tokens = longest * ends  # (n,): padded tokens of all captions up to this length, in one part
    before: list[np.ndarray] = []
    for _ in range(min(parts, len(ends)) - 1):
        cost = tokens[:, None] + (ends - ends[:, None]) * longest  # (n, n): the last part goes from row to column
        cost[np.tril_indices(len(ends))] = np.iinfo(cost.dtype).max
        cost[0, 0] = tokens[0]
        before.append(cost.argmin(axis=0))
        tokens = cost.min(axis=0)
    found, at = [int(ends[-1])], len(ends) - 1
    for last in reversed(before):
        at = int(last[at])
        found.append(int(ends[at]))
    return sorted(set(found))


def inner(mask: Tensor) -> Tensor:
    """The mask (B, M) without each caption's first and last valid token (start and end of text)."""
    last = mask.sum(dim=1, keepdim=True) - 1
    position = torch.arange(mask.shape[1], device=mask.device)
    return mask & (position > 0) & (position < last)


class Rows(Protocol):
    """Something of each of N images, by their numbers: an array, a memory map, or `photographs.Pixels`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N, then that of one image."""
        ...

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray:
        """(B, ...) of these images."""
        ...


@dataclass(frozen=True)
class CaptionData:
    """A data set in memory: token ids, and the pooled image vectors where there are images.

    An *item* is an image with its captions, or, without images, a single caption.

    ids: all token ids, end to end. starts: (captions + 1,), where each caption begins in `ids`.
    first: (items + 1,), the first caption of each item. pooled: (N, D) memory map or array, the photographs' pixels
    (N, 3, H, W), or None.
    rows: (items,), the row of each item in `pooled`, or None. groups: (N, G, D), the objects of each image, zeros where
    it has fewer than G; None where nothing asks for them. each: captions of an item in a batch, 1 or 2.
    """

    ids: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    pooled: Rows | None = None
    rows: np.ndarray | None = None
    groups: np.ndarray | None = None
    each: int = 1

    @classmethod
    def build(
        cls,
        captions: Iterable[Sequence[str]],
        tokenizer: CaptionTokenizer,
        pooled: Rows | None = None,
        rows: Sequence[int] | np.ndarray | None = None,
        objects: np.ndarray | None = None,
    ) -> "CaptionData":
        """Tokenise the captions of each item. rows: one number an item, needed where `pooled` is given."""
        items = [tuple(item) for item in captions]
        if pooled is None:  # without images every caption stands for itself
            items = [(caption,) for item in items for caption in item]
        if not items:
            raise InputError("the training data holds no captions")
        encoded = tokenizer.ids([caption for item in items for caption in item])
        return cls(
            ids=np.concatenate([np.asarray(row, dtype=np.int32) for row in encoded]),
            starts=np.cumsum([0, *map(len, encoded)]),
            first=np.cumsum([0, *map(len, items)]),
            pooled=pooled,
            rows=None if rows is None else np.asarray(rows),
            groups=objects,
        )

    def __len__(self) -> int:
        """Number of items."""
        return len(self.first) - 1

    def caption(self, index: int) -> np.ndarray:
        """Token ids of one caption."""
        return self.ids[self.starts[index] : self.starts[index + 1]]

    def steps_per_epoch(self, batch_size: int) -> int:
        """Whole batches in an epoch; what is left over is not seen in it. The next epoch has another order."""
        return max(1, len(self) * self.each // batch_size)

    def batch(
        self, step: int, batch_size: int, seed: int, chunk: int | None = None, share: tuple[int, int] = (0, 1)
    ) -> Batch:
        """Batch number `step` of the run: a function of (seed, step) alone, so that a run can resume anywhere.

        Each epoch has its own order; an item gives `each` captions an epoch, and all its captions in turn. chunk:
        captions of a chunk, the last of which may be short; None cuts where the least is padded. share: (r, n) is
        every n-th caption by length, from number r on: what the r-th of n processes trains on.
        """
        assert batch_size % self.each == 0, "a batch holds whole items"
        epoch, place = divmod(step, self.steps_per_epoch(batch_size))
        most = batch_size // self.each
        places = np.arange(place * most, min((place + 1) * most, len(self)))
        drawn = shuffled(places, len(self), key_of(seed, "epoch", epoch))
        items = np.tile(drawn, self.each)
        counts = self.first[items + 1] - self.first[items]
        turn = scattered(items, key_of(seed, "captions")) + epoch * self.each + np.arange(len(items)) // len(drawn)
        chosen = self.first[items] + turn % counts
        lengths = self.starts[chosen + 1] - self.starts[chosen]
        order = np.argsort(lengths, kind="stable")
        rows = np.arange(share[0], len(items), share[1])
        mine = order[rows]
        ends = cuts(lengths[mine], CHUNKS) if chunk is None else [*range(chunk, len(mine), chunk), len(mine)]
        chunks = [self._chunk(chosen[mine[a:b]]) for a, b in pairwise([0, *ends])]
        image, objects = (self._seen(vectors, items[mine]) for vectors in (self.pooled, self.groups))
        pairs = None if self.each == 1 else torch.from_numpy(np.argsort(order).reshape(self.each, -1).T)
        if share == (0, 1):
            return Batch(chunks, image, objects=objects, pairs=pairs)
        return Batch(chunks, image, torch.from_numpy(rows), len(items), objects, pairs)

    def chunks(self, size: int = 256) -> Iterable[tuple[Chunk, np.ndarray]]:
        """Every caption once, in order of length: chunks, and the caption numbers in each (for evaluation)."""
        order = np.argsort(np.diff(self.starts), kind="stable")
        for a in range(0, len(order), size):
            yield self._chunk(order[a : a + size]), order[a : a + size]

    def images(self) -> Tensor:
        """The pooled vectors of all items (items, D), fp32."""
        images = self._seen(self.pooled, np.arange(len(self)))
        assert images is not None, "a data set without images has no pooled vectors"
        return images

    def item_of_caption(self) -> np.ndarray:
        """(captions,), the item that each caption belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))

    def _chunk(self, captions: np.ndarray) -> Chunk:
        begin, end = self.starts[captions, None], self.starts[captions + 1, None]  # (B, 1)
        place = begin + np.arange((end - begin).max())  # (B, M)
        mask = place < end
        ids = np.where(mask, self.ids[np.minimum(place, end - 1)], 0).astype(np.int64)
        return Chunk(torch.from_numpy(ids), torch.from_numpy(mask))

    def _seen(self, vectors: Rows | None, items: np.ndarray) -> Tensor | None:
        """What an encoder saw in the images of some items: their rows of `vectors`, fp32."""
        if vectors is None or self.rows is None:
            return None
        return torch.from_numpy(np.asarray(vectors[self.rows[items]], dtype=np.float32))
