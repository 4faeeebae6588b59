"""Reading a feature store: memory-mapped, checked at open, never loaded as a whole."""

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np

from textgroup.errors import InputError
from textgroup.files import read_json_strings
from textgroup.vision.store.manifest import GROUPS, KEYS, POOLED, Manifest


class FeatureStore:
    """A complete store, for reading. Nothing is loaded but what is asked for.

    manifest: what it holds. pooled: (N, D) fp16, memory-mapped. objects: (N, G, D) likewise, or None.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest
        rows, width, objects = manifest.images, manifest.width, manifest.objects
        self.pooled: np.ndarray = np.memmap(path / POOLED, "<f2", "r", shape=(rows, width))
        self.objects: np.ndarray | None = None
        if manifest.groups:
            self.objects = np.memmap(path / GROUPS, "<f2", "r", shape=(rows, objects, width))

    @classmethod
    def open(cls, path: str | Path) -> "FeatureStore":
        """Open the store at `path`. Raises `InputError` if it is none, not complete, or cut short."""
        path = Path(path)
        manifest = Manifest.read(path)
        if not manifest.complete:
            raise InputError(
                f"the store {path} is not complete: {manifest.images} images so far; run the same command again"
            )
        if not manifest.images:
            raise InputError(f"the store {path} holds no images; encode again into a new directory")
        for name, size in manifest.files.items():
            actual = (path / name).stat().st_size if (path / name).is_file() else 0
            if actual != size:
                raise InputError(
                    f"{path / name}: {actual} bytes where the manifest says {size}; encode again into a new directory"
                )
        return cls(path, manifest)

    def __len__(self) -> int:
        """N, the number of images."""
        return self.manifest.images

    @cached_property
    def keys(self) -> list[str]:
        """The key of each row."""
        keys = list(read_json_strings(self.path / KEYS))
        if len(keys) != len(self):
            raise InputError(f"{self.path / KEYS}: {len(keys)} keys for {len(self)} rows; encode again elsewhere")
        return keys

    @cached_property
    def _index(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.keys)}

    def index_of(self, key: str) -> int | None:
        """The row of an image; None if the store has none (it was broken, or not in the source)."""
        return self._index.get(key)

    def in_words(self) -> str:
        """Whose images it has, with the key of one, for who asks it for another's."""
        example = f", such as {self.keys[0]!r}" if self.keys else ""
        return f"the store {self.path} has those of {self.manifest.source}{example}"

    def verify(self) -> None:
        """Read everything and compare it with the manifest. Raises `InputError` naming file and part."""
        for name in self.manifest.files:
            with (self.path / name).open("rb") as file:
                for number, part in enumerate(self.manifest.parts):
                    kept = part.files[name]
                    if hashlib.sha256(file.read(kept.bytes)).hexdigest() != kept.sha256:
                        raise InputError(f"{file.name}: part {number} has changed; encode again into a new directory")
