"""The photographs of a run that trains its image tower: packed once, memory-mapped, decoded when a batch wants them.

A directory with `images.bin` (the encoded images as they are, end to end), `starts.bin` (where each begins),
`keys.txt` (a JSON string a line; line i names row i) and `manifest.json`. It is written under another name and
renamed when it is whole.
"""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from textgroup.data.sources.samples import Sample
from textgroup.errors import InputError
from textgroup.files import atomic_write, read_json, read_json_strings, remove_abandoned
from textgroup.vision.decode import BrokenImage
from textgroup.vision.preprocess import Transform
from textgroup.vision.store.distinct import DistinctKeys
from textgroup.vision.store.manifest import KEYS, LONGEST, NAME, Skipped

IMAGES, STARTS = "images.bin", "starts.bin"
BLOCK = 256
"""Images decoded at once while they are packed."""


@dataclass
class PhotographManifest:
    """made_of: what decides the content, for JSON. skipped: images that could not be decoded, and why."""

    made_of: dict[str, Any]
    images: int = 0
    skipped: list[Skipped] = field(default_factory=list)


class Pixels:
    """N encoded images that are decoded when they are asked for: `pixels[rows]` is (B, 3, H, W), fp32."""

    def __init__(self, encoded: np.ndarray, starts: np.ndarray, transform: Transform) -> None:
        self.shape = (len(starts) - 1, 3, transform.crop, transform.crop)
        self._encoded, self._starts, self._transform = encoded, starts, transform

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        with ThreadPoolExecutor() as pool:
            return np.stack(list(pool.map(self._decode, rows)))

    def _decode(self, row: int) -> np.ndarray:
        start, end = self._starts[row], self._starts[row + 1]
        if not 0 <= start < end:
            raise InputError(f"photograph {row} of a packed directory has no bytes: it is damaged; remove it")
        return self._transform(self._encoded[start:end].tobytes())


class PhotographStore:
    """Packed photographs, for reading; in its use like a `FeatureStore`, with pixels for features. pooled: `Pixels`."""

    def __init__(self, path: Path, manifest: PhotographManifest, transform: Transform) -> None:
        self.path, self.manifest = path, manifest
        encoded = np.memmap(path / IMAGES, np.uint8, "r")
        starts = np.memmap(path / STARTS, "<i8", "r")
        if (len(starts), starts[-1]) != (manifest.images + 1, len(encoded)):
            raise ValueError("cut short")
        self.pooled = Pixels(encoded, starts, transform)

    @classmethod
    def open(cls, path: Path, made_of: dict[str, Any], transform: Transform) -> "PhotographStore | None":
        """The store at `path`; None if there is none, if it is damaged, or if it was made of anything else."""
        try:
            values = read_json(path / NAME, LONGEST)
            if values["made_of"] != made_of:
                return None
            skipped = [Skipped(**one) for one in values["skipped"]]
            return cls(path, PhotographManifest(made_of, values["images"], skipped), transform)
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None

    def index_of(self, key: str) -> int | None:
        """The row of an image; None if there is none."""
        return self._index.get(key)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(read_json_strings(self.path / KEYS))}


def pack(samples: Iterable[Sample], where: Path, made_of: dict[str, Any], name: str, transform: Transform) -> None:
    """Write the photographs of all samples that have captions into the directory `where`.

    Each is decoded once, so that a broken one is left out, and named in the manifest, before the first step. name: of
    the source, for messages. Raises `InputError` if a sample has no image, a key comes twice or no image can be read.
    """
    if where.exists() and not (where / NAME).is_file():
        raise InputError(f"{where} is there and holds no photographs: give data.tokens another directory")
    manifest, end, seen = PhotographManifest(made_of), 0, DistinctKeys()
    with atomic_write(where) as partial, ExitStack() as stack:
        partial.mkdir()
        images, starts, keys = (stack.enter_context((partial / file).open("wb")) for file in (IMAGES, STARTS, KEYS))
        starts.write(np.array([0], "<i8").tobytes())
        for key, encoded in _check_images(samples, name, transform):
            if not seen.add(key):
                raise InputError(f"{name}: the key {key!r} comes twice: keys must be unique, rows of an image in a row")
            if isinstance(encoded, BrokenImage):
                manifest.skipped.append(Skipped(key, str(encoded)))
                continue
            manifest.images, end = manifest.images + 1, end + len(encoded)
            images.write(encoded)
            starts.write(np.array([end], "<i8").tobytes())
            keys.write((json.dumps(key) + "\n").encode())
        if not manifest.images:
            first = f"; {manifest.skipped[0].key}: {manifest.skipped[0].reason}" if manifest.skipped else ""
            raise InputError(f"{name}: it holds no photograph that can be read and has a caption{first}")
        (partial / NAME).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
    remove_abandoned(where)


def _check_images(
    samples: Iterable[Sample], name: str, transform: Transform
) -> Iterator[tuple[str, bytes | BrokenImage]]:
    """Key and encoded image of each sample with captions, or why it cannot be decoded."""

    def check(sample: Sample) -> tuple[str, bytes | BrokenImage]:
        """One sample, in a thread of its own."""
        image = sample.image
        if image is None:
            raise InputError(
                f"{name}: {sample.key} has no photograph, and image_encoder trainable needs one of each: "
                "give shards, or a table with an image column"
            )
        try:
            transform(image)  # also refuses what is too large, before it is read as a whole
            return sample.key, image if isinstance(image, bytes) else image.read_bytes()
        except BrokenImage as error:
            return sample.key, error

    stream = (sample for sample in samples if sample.captions)
    with ThreadPoolExecutor() as pool:
        while block := list(islice(stream, BLOCK)):
            yield from pool.map(check, block)
