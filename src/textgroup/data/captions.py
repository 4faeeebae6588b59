"""Captions as token ids in memory, and the seeded, length-bucketed batches that training takes from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.errors import InputError
from textgroup.tokenizer import CaptionTokenizer

BUCKETS = 4
"""Parts of equal size that a batch is cut into, by caption length, so that little padding is paid for."""


class Chunk(NamedTuple):
    """Captions padded to the longest among them: ids (B, M) and mask (B, M), True where a token is valid."""

    ids: Tensor
    mask: Tensor


class Batch(NamedTuple):
    """One training batch of B captions.

    chunks: the captions in order of length, in parts of similar length. image: (B, D) pooled vectors in the
    same order, or None.
    """

    chunks: list[Chunk]
    image: Tensor | None

    @property
    def size(self) -> int:
        """Number of captions."""
        return sum(len(chunk.ids) for chunk in self.chunks)


def pad(ids: Sequence[Sequence[int] | np.ndarray]) -> Chunk:
    """Pad lists of ids with 0 (a real token: the mask tells)."""
    lengths = np.array([len(row) for row in ids])
    mask = np.arange(lengths.max()) < lengths[:, None]  # (B, M)
    padded = np.zeros(mask.shape, dtype=np.int64)
    padded[mask] = np.concatenate(ids)
    return Chunk(torch.from_numpy(padded), torch.from_numpy(mask))


def inner(mask: Tensor) -> Tensor:
    """The mask (B, M) without each caption's first and last valid token (start and end of text)."""
    last = mask.sum(dim=1, keepdim=True) - 1
    position = torch.arange(mask.shape[1], device=mask.device)
    return mask & (position > 0) & (position < last)


@lru_cache(maxsize=2)
def _order(items: int, seed: int, epoch: int) -> np.ndarray:
    """The order of an epoch; kept, since every step of the epoch asks for it."""
    return np.random.default_rng([seed, epoch]).permutation(items)


@lru_cache(maxsize=2)
def _first_turns(items: int, seed: int) -> np.ndarray:
    """With which of its captions each item begins (modulo their number)."""
    return np.random.default_rng([seed]).integers(0, 1 << 30, items)


@dataclass(frozen=True)
class CaptionData:
    """A data set in memory: token ids, and the pooled image vectors where there are images.

    An *item* is an image with its captions, or, without images, a single caption.

    ids: all token ids, end to end. starts: (captions + 1,), where each caption begins in `ids`.
    first: (items + 1,), the first caption of each item. pooled: (N, D) memory map or array, or None.
    rows: (items,), the row of each item in `pooled`, or None.
    """

    ids: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    pooled: np.ndarray | None = None
    rows: np.ndarray | None = None

    @classmethod
    def build(
        cls,
        captions: Iterable[Sequence[str]],
        tokenizer: CaptionTokenizer,
        pooled: np.ndarray | None = None,
        rows: Sequence[int] | np.ndarray | None = None,
    ) -> "CaptionData":
        """Tokenise the captions of each item. rows: one number an item, needed where `pooled` is given."""
        groups = [tuple(item) for item in captions]
        if pooled is None:  # without images every caption stands for itself
            groups = [(caption,) for item in groups for caption in item]
        if not groups:
            raise InputError("the training data holds no captions")
        encoded = tokenizer.ids([caption for item in groups for caption in item])
        return cls(
            ids=np.concatenate([np.asarray(row, dtype=np.int32) for row in encoded]),
            starts=np.cumsum([0, *map(len, encoded)]),
            first=np.cumsum([0, *map(len, groups)]),
            pooled=pooled,
            rows=None if rows is None else np.asarray(rows),
        )

    def __len__(self) -> int:
        """Number of items."""
        return len(self.first) - 1

    def caption(self, index: int) -> np.ndarray:
        """Token ids of one caption."""
        return self.ids[self.starts[index] : self.starts[index + 1]]

    def steps_per_epoch(self, batch_size: int) -> int:
        """Whole batches in an epoch; what is left over is not seen in it. The next epoch has another order."""
        return max(1, len(self) // batch_size)

    def batch(self, step: int, batch_size: int, seed: int) -> Batch:
        """Batch number `step` of the run: a function of (seed, step) alone, so that a run can resume anywhere.

        Each epoch has its own order; an item gives one caption an epoch, and all its captions in turn.
        """
        epoch, place = divmod(step, self.steps_per_epoch(batch_size))
        items = _order(len(self), seed, epoch)[place * batch_size : (place + 1) * batch_size]
        counts = self.first[items + 1] - self.first[items]
        turn = _first_turns(len(self), seed)[items] + epoch
        chosen = self.first[items] + turn % counts
        by_length = np.argsort(self.starts[chosen + 1] - self.starts[chosen], kind="stable")
        chunks = [
            pad([self.caption(c) for c in part]) for part in np.array_split(chosen[by_length], BUCKETS) if len(part)
        ]
        return Batch(chunks, self._images(items[by_length]))

    def chunks(self, size: int = 256) -> Iterable[tuple[Chunk, np.ndarray]]:
        """Every caption once, in order of length: chunks, and the caption numbers in each (for evaluation)."""
        order = np.argsort(np.diff(self.starts), kind="stable")
        for a in range(0, len(order), size):
            yield pad([self.caption(c) for c in order[a : a + size]]), order[a : a + size]

    def images(self) -> Tensor:
        """The pooled vectors of all items (items, D), fp32."""
        images = self._images(np.arange(len(self)))
        assert images is not None, "a data set without images has no pooled vectors"
        return images

    def item_of_caption(self) -> np.ndarray:
        """(captions,), the item that each caption belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))

    def _images(self, items: np.ndarray) -> Tensor | None:
        if self.pooled is None or self.rows is None:
            return None
        return torch.from_numpy(np.asarray(self.pooled[self.rows[items]], dtype=np.float32))
