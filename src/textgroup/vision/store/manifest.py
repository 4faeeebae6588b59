"""The manifest of a feature store, `manifest.json`, which is replaced as a whole after every part."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textgroup.errors import InputError
from textgroup.files import atomic_write, read_json

VERSION = 1
NAME = "manifest.json"
LONGEST = 1 << 28
"""Bytes of a manifest, of which each skipped image takes some 200."""
MOST = 1 << 48
"""Rows, bytes, numbers: far beyond any disk."""
POOLED, GROUPS, KEYS = "pooled.f16", "groups.f16", "keys.txt"
SKIPPED = "skipped.jsonl"
"""What the source held and the store lacks, all of it: a JSON line, {"where": ..., "why": ...}, each."""


@dataclass(frozen=True)
class Stored:
    """What a part added to a file: how many bytes, and their digest."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """A committed stretch of the store. rows: images kept. samples: images read, broken ones included."""

    rows: int
    samples: int
    files: dict[str, Stored]


@dataclass(frozen=True)
class Skipped:
    """An image that could not be decoded, and why."""

    key: str
    reason: str


@dataclass
class Manifest:
    """source: as it was given. encoder: its identity. width: D. objects: G. groups: whether they are stored.
    fingerprint: of the source's files; None in a store of an older version."""

    source: str
    encoder: dict[str, Any]
    width: int
    objects: int
    groups: bool
    complete: bool = False
    parts: list[Part] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for values of another type, and for parts whose bytes are not those of their rows."""
        texts = [self.source, *(text for item in self.skipped for text in (item.key, item.reason))]
        flags = [self.groups, self.complete]
        sizes = [self.width, self.objects, *(part.samples for part in self.parts)]
        counts = [part.rows for part in self.parts]
        stored = [kept for part in self.parts for kept in part.files.values()]
        if not all(type(text) is str for text in [*texts, *(kept.sha256 for kept in stored)]):
            raise ValueError("source, keys, reasons and digests must be text")
        if not all(type(flag) is bool for flag in flags):
            raise ValueError("groups and complete must be true or false")
        if not all(type(n) is int and 0 <= n < MOST for n in [*sizes, *counts, *(kept.bytes for kept in stored)]):
            raise ValueError("sizes and counts must be whole numbers, none below 0")
        if not isinstance(self.encoder, dict) or min(sizes) < 1:
            raise ValueError("encoder must be an object; width, objects and samples at least 1")
        for part in self.parts:
            row = 2 * self.width  # bytes
            due = {POOLED: part.rows * row} | ({GROUPS: part.rows * row * self.objects} if self.groups else {})
            if any(part.files[name].bytes != size for name, size in due.items()) or KEYS not in part.files:
                raise ValueError("rows and bytes of a part do not fit")

    @property
    def images(self) -> int:
        """Rows of the store."""
        return sum(part.rows for part in self.parts)

    @property
    def samples(self) -> int:
        """Images read: those kept and those skipped."""
        return sum(part.samples for part in self.parts)

    @property
    def files(self) -> dict[str, int]:
        """Committed bytes of each file."""
        names = (POOLED, GROUPS, KEYS) if self.groups else (POOLED, KEYS)
        return {name: sum(part.files[name].bytes for part in self.parts) for name in names}

    def write(self, store: Path) -> None:
        """Replace the manifest on disk; after this the newest part is kept whatever happens."""
        values = {"version": VERSION, "images": self.images, "samples": self.samples, **vars(self)}
        with atomic_write(store / NAME) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(values, default=vars))  # in lines it would take five times as long
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def read(cls, store: Path) -> "Manifest":
        """The manifest of a store. Raises `InputError` if there is none, or none that this version reads."""
        path = store / NAME
        if not path.is_file():
            raise InputError(f"{store} is not a feature store: it has no {NAME} (make one with `textgroup features`)")
        try:
            values = read_json(path, LONGEST)
            if values["version"] != VERSION:
                raise InputError(f"{path}: format version {values['version']!r:.40}, but this program reads {VERSION}")
            parts = [
                Part(part["rows"], part["samples"], {name: Stored(**kept) for name, kept in part["files"].items()})
                for part in values["parts"]
            ]
            skipped = [Skipped(**item) for item in values["skipped"]]
            plain = {name: values[name] for name in ("source", "encoder", "width", "objects", "groups", "complete")}
            return cls(**plain, parts=parts, skipped=skipped, fingerprint=values.get("fingerprint"))
        except InputError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: damaged ({error!r:.120}); encode again into a new directory") from None
