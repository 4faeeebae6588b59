"""A data set of captions as token ids, and the seeded, length-bucketed batches that training draws from it."""

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from textgroup.data.batches import Batch, Chunk, bucket_ends
from textgroup.data.order import hash_integers, permute
from textgroup.errors import InputError
from textgroup.keys import key_of
from textgroup.text.tokenizer import CaptionTokenizer

BUCKETS = 4
"""Chunks of similar caption length that a batch is cut into, so that little is padded, where `chunk` does not set their
size."""


class ImageRows(Protocol):
    """An array with one entry for each of N images: in memory, memory-mapped, or decoded when asked for
    (`photographs.Pixels`)."""

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
    rows: (items,), the row of each item in `pooled`, or None. objects: (N, G, D), those of each image, zeros where
    it has fewer than G; None where nothing asks for them. share: of a batch's captions that come with objects.
    per_item: captions of an item in a batch, 1 or 2.
    """

    ids: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    pooled: ImageRows | None = None
    rows: np.ndarray | None = None
    objects: np.ndarray | None = None
    share: float = 1.0
    per_item: int = 1

    @classmethod
    def build(
        cls,
        captions: Iterable[Sequence[str]],
        tokenizer: CaptionTokenizer,
        pooled: ImageRows | None = None,
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
            objects=objects,
        )

    def __len__(self) -> int:
        """Number of items."""
        return len(self.first) - 1

    def with_shuffled_images(self, seed: int) -> "CaptionData":
        """The same items with the images in another order: what any image says, and no caption its own."""
        if self.rows is None:
            return self
        return replace(self, rows=np.random.default_rng(seed).permutation(self.rows))

    def caption(self, index: int) -> np.ndarray:
        """Token ids of one caption."""
        return self.ids[self.starts[index] : self.starts[index + 1]]

    def steps_per_epoch(self, batch_size: int) -> int:
        """Whole batches in an epoch. What is left over is not used in this epoch; the next has another order."""
        return max(1, len(self) * self.per_item // batch_size)

    def batch(
        self, step: int, batch_size: int, seed: int, chunk: int | None = None, share: tuple[int, int] = (0, 1)
    ) -> Batch:
        """Batch number `step` of the run: a function of (seed, step) alone, so that a run can resume anywhere.

        Each epoch has its own order; an item gives `per_item` captions an epoch, and over the epochs all of them in
        turn. chunk: captions of a chunk, the last of which may be short; None cuts where the least is padded. share:
        (r, n) is every n-th caption by length, from number r on: what the r-th of n processes trains on.
        """
        assert batch_size % self.per_item == 0, "a batch holds whole items"
        epoch, number = divmod(step, self.steps_per_epoch(batch_size))
        items_a_batch = batch_size // self.per_item
        places_in_epoch = np.arange(number * items_a_batch, min((number + 1) * items_a_batch, len(self)))
        drawn = permute(places_in_epoch, len(self), key_of(seed, "epoch", epoch))
        items = np.tile(drawn, self.per_item)  # (B,)
        captions = self.first[items] + self._turns(items, epoch, seed)
        lengths = self.starts[captions + 1] - self.starts[captions]
        order = np.argsort(lengths, kind="stable")
        positions = np.arange(share[0], len(items), share[1])
        mine = order[positions]
        ends = bucket_ends(lengths[mine], BUCKETS) if chunk is None else [*range(chunk, len(mine), chunk), len(mine)]
        chunks = [self._chunk(captions[mine[a:b]]) for a, b in pairwise([0, *ends])]
        image = self._rows_of(self.pooled, items[mine])
        objects = rows = None
        if self.objects is not None:  # of the captions that were drawn first, whatever their length
            drawn_first = np.flatnonzero(mine < max(1, round(self.share * len(items))))
            objects = self._objects_of(self.objects, items[mine[drawn_first]])
            rows = torch.from_numpy(drawn_first)
        pairs = None if self.per_item == 1 else torch.from_numpy(np.argsort(order).reshape(self.per_item, -1).T)
        if share == (0, 1):
            return Batch(chunks, image, objects=objects, with_objects=rows, pairs=pairs)
        return Batch(chunks, image, torch.from_numpy(positions), len(items), objects, rows, pairs)

    def _turns(self, items: np.ndarray, epoch: int, seed: int) -> np.ndarray:
        """Which of its captions each item gives in this epoch, (B,): numbers from 0 within the item."""
        count = self.first[items + 1] - self.first[items]
        offset = np.arange(len(items)) // (len(items) // self.per_item)  # 0, then 1 for the second caption of an item
        return (hash_integers(items, key_of(seed, "captions")) + epoch * self.per_item + offset) % count

    def chunks(self, size: int = 256) -> Iterable[tuple[Chunk, np.ndarray]]:
        """Every caption once, in order of length: chunks, and the caption numbers in each (for evaluation)."""
        order = np.argsort(np.diff(self.starts), kind="stable")
        for a in range(0, len(order), size):
            yield self._chunk(order[a : a + size]), order[a : a + size]

    def images(self) -> Tensor:
        """The pooled vectors of all items (items, D), fp32."""
        images = self._rows_of(self.pooled, np.arange(len(self)))
        assert images is not None, "a data set without images has no pooled vectors"
        return images

    def digest(self) -> str:
        """A digest of the captions, and of the vectors of a thousand images: what a run is trained on. Photographs are
        not read for it."""
        digest = hashlib.blake2b(digest_size=16)
        for array in (self.ids, self.starts, self.first, self.rows):
            if array is not None:
                digest.update(np.ascontiguousarray(array).data)
        if isinstance(self.pooled, np.ndarray):
            digest.update(np.ascontiguousarray(self.pooled[:: max(1, len(self.pooled) // 1000)]).data)
        return digest.hexdigest()

    def item_of_caption(self) -> np.ndarray:
        """(captions,), the item that each caption belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))

    def _chunk(self, captions: np.ndarray) -> Chunk:
        begin, end = self.starts[captions, None], self.starts[captions + 1, None]  # (B, 1)
        index = begin + np.arange((end - begin).max())  # (B, M)
        mask = index < end
        ids = np.where(mask, self.ids[np.minimum(index, end - 1)], 0).astype(np.int64)
        return Chunk(torch.from_numpy(ids), torch.from_numpy(mask))

    def _objects_of(self, objects: np.ndarray, items: np.ndarray) -> Tensor:
        """(items, G, D), as they are stored: there are many numbers, and the device can widen them."""
        assert self.rows is not None, "a data set with objects has rows"
        with warnings.catch_warnings(action="ignore"):  # of a memory map that is open for reading; nobody writes here
            stored = torch.from_numpy(objects)
        return stored[torch.from_numpy(self.rows[items])]

    def _rows_of(self, vectors: ImageRows | None, items: np.ndarray) -> Tensor | None:
        """The rows of `vectors` for the images of these items, fp32."""
        if vectors is None or self.rows is None:
            return None
        return torch.from_numpy(np.asarray(vectors[self.rows[items]], dtype=np.float32))
