"""The contract of a dual encoder: two towers into one space, so that images and captions can be compared by cosine.

`inference.textgroup.TextGroup` is one; `open_model.py` opens others. Every image and every caption is encoded once,
however many rows name it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch

from textgroup.errors import InputError
from textgroup.vision.decode import BrokenImage

T = TypeVar("T")
Progress = Callable[[int, str], None]
"""Called with the number of items done, and a note."""
CAPTIONS = 256
"""Captions encoded at once."""


class DualEncoder(Protocol):
    """Images and captions in, unit vectors out."""

    def prepare(self, image: bytes | Path) -> np.ndarray:
        """An encoded image or its path -> pixels (3, H, W). Raises `BrokenImage`."""
        ...

    def encode_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Prepared images (images, 3, H, W) -> unit vectors (images, E), fp32."""
        ...

    def encode_text(self, captions: Sequence[str]) -> np.ndarray:
        """Captions -> unit vectors (captions, E), fp32."""
        ...


class Images(NamedTuple):
    """vectors: (images, E). row: of each image, by name. broken: why an image has none, by name."""

    vectors: np.ndarray
    row: dict[str, int]
    broken: dict[str, str]


def embed_images(
    encoder: DualEncoder,
    images: Iterable[tuple[str, bytes | Path]],
    batch_size: int | None = None,
    progress: Progress = lambda done, note: None,
) -> Images:
    """The vectors of named images; one that cannot be decoded is left out and named.

    batch_size: images encoded at once; by default few on a CPU and many on a GPU. Raises `InputError` for a name that
    comes twice.
    """
    batch_size = batch_size or (256 if torch.cuda.is_available() else 8)
    blocks: list[np.ndarray] = []
    row: dict[str, int] = {}
    broken: dict[str, str] = {}

    def prepared(image: bytes | Path) -> np.ndarray | str:
        try:
            return encoder.prepare(image)
        except BrokenImage as error:
            return str(error)

    with ThreadPoolExecutor(thread_name_prefix="decode") as pool:
        for batch in _batches(images, batch_size):
            pixels = []
            for (name, _), prepared_image in zip(batch, pool.map(prepared, [image for _, image in batch])):
                if name in row or name in broken:
                    raise InputError(f"the image {name!r} comes twice: its rows must be consecutive")
                if isinstance(prepared_image, str):
                    broken[name] = prepared_image
                else:
                    row[name] = len(row)
                    pixels.append(prepared_image)
            if pixels:
                blocks.append(encoder.encode_pixels(np.stack(pixels)))
            progress(len(row), f"{len(broken)} broken")
    return Images(np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32), row, broken)


def embed_captions(
    encoder: DualEncoder, captions: Sequence[str], progress: Progress = lambda done, note: None
) -> np.ndarray:
    """The vectors of captions (captions, E), in their order. They are encoded in order of length, so that little is
    padded."""
    order = sorted(range(len(captions)), key=lambda i: len(captions[i]))
    blocks = []
    for batch in _batches(order, CAPTIONS):
        blocks.append(encoder.encode_text([captions[i] for i in batch]))
        progress(sum(map(len, blocks)), "")
    vectors = np.concatenate(blocks)
    in_order = np.empty_like(vectors)
    in_order[order] = vectors
    return in_order


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch
