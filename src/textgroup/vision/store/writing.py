"""Writing a feature store: every image passes the frozen encoder once.

A directory with `pooled.f16` (N, D), `groups.f16` (N, G, D) if asked for, `keys.txt` (a JSON string a line; line i
names row i) and `manifest.json`. Files only grow, a part at a time; a part counts once the manifest has it.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from textgroup.data.fingerprint import fingerprint
from textgroup.data.sources.count import Count
from textgroup.data.sources.sample import Sample
from textgroup.errors import InputError
from textgroup.files import LOCK, full_disk_told, lock_directory, read_json_strings
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.objects import ObjectEncoder
from textgroup.vision.store.decoding import Decoded, decoded_images
from textgroup.vision.store.distinct import DistinctKeys
from textgroup.vision.store.manifest import GROUPS, KEYS, POOLED, SKIPPED, Manifest, Part, Skipped, Stored

PART = 1024
"""Images of a part: what a killed run loses at most."""
SHARE = 4096
"""A part is at least one in so many of the images before it: the manifest, rewritten after each part, stays small."""


def encode_features(
    samples: Iterable[Sample],
    encoder: ObjectEncoder,
    out: str | Path,
    *,
    source: str,
    image_column: str = "image",
    groups: bool = False,
    batch_size: int | None = None,
    part: int = PART,
    progress: Callable[[int, int], None] = lambda images, skipped: None,
    count: Count | None = None,
) -> Manifest:
    """Encode the image of every sample into the store at `out`, and return its manifest.

    Run again after a kill, it goes on where the last part ended, and writes what an unbroken run would have
    written. A store that is complete is left as it is, and no sample is read. A broken image is left out,
    counted and named in the manifest.

    source: what the samples were read from, as given; the store remembers it, and sizes and times of its files.
    image_column: of a source that is a table. groups: store the objects' vectors too. batch_size: images encoded at
    once; by default few on a CPU, where large activations cost more than they save, and many on a GPU. part: images
    between two commits, while the store is small. progress: called with (images, skipped) after every batch. count:
    that of `samples`; broken images are added to it, and all that it skips is written to `skipped.jsonl`.

    Raises `InputError` if the store was made of another source, or of other files in it, with another encoder,
    transform or `groups`, if a key comes twice, a sample has no image, features do not fit 16 bits, or if all images of
    a part are broken in a store that has none yet.
    """
    out = Path(out)
    files_now = fingerprint(source, image_column)
    if batch_size is None:
        batch_size = 256 if torch.cuda.is_available() else 4
    if batch_size < 1 or part < 1:
        raise InputError(f"batch_size {batch_size}, part {part}: both must be at least 1")
    with ExitStack() as stack:
        stack.enter_context(full_disk_told(out, "the store is whole up to its last part; run the same command again"))
        stack.enter_context(lock_directory(out))
        fresh = Manifest(source, encoder.identity(), encoder.width, encoder.objects, groups, fingerprint=files_now)
        manifest = _open_manifest(out, fresh)
        if manifest.complete:
            return manifest
        files = {name: stack.enter_context(_open_at(out / name, size)) for name, size in manifest.files.items()}
        if count is not None:
            count.log = stack.enter_context((out / SKIPPED).open("w", encoding="utf-8"))
        stream = iter(samples)
        seen = _skip_stored(stream, out, manifest, count)
        ahead = 1 if torch.cuda.is_available() else 0
        decoded = stack.enter_context(decoded_images(stream, encoder, batch_size, ahead))
        while not manifest.complete:
            size = max(part, manifest.images // SHARE)
            done = _write_part(islice(decoded, size), encoder, manifest, files, seen, batch_size, progress, count)
            manifest.complete = done.samples < size
            if done.samples:
                manifest.parts.append(done)
            _check_any_image(manifest)
            manifest.write(out)
    return manifest


def _open_manifest(out: Path, fresh: Manifest) -> Manifest:
    """The manifest to continue: the one on disk if it fits, or the fresh one."""
    for rest in out.glob(".manifest.json.*.partial"):  # of a run that was killed while it wrote
        rest.unlink()
    if not (out / "manifest.json").exists():
        known = (POOLED, GROUPS, KEYS, SKIPPED, LOCK)
        if strange := [path.name for path in out.iterdir() if path.name not in known]:
            raise InputError(f"{out} holds other files ({strange[0]}): give a new or empty directory")
        return fresh
    old = Manifest.read(out)
    check_same_encoder(old.encoder, fresh.encoder, f"the store {out}", "this run")
    for name in ("source", "groups", "objects"):
        a, b = getattr(old, name), getattr(fresh, name)
        if a != b:
            raise InputError(f"the store {out} was made with {name} {a}, not {b}: give another directory")
    if old.fingerprint not in (None, fresh.fingerprint):
        raise InputError(
            f"the store {out} was made of other files than {fresh.source} has now (their sizes or times differ): "
            "encode them into another directory"
        )
    return old


def _open_at(path: Path, size: int) -> BinaryIO:
    """Open the file, truncated to what is committed, at its end."""
    file = path.open("r+b" if path.exists() else "w+b")
    actual = file.seek(0, os.SEEK_END)
    if actual < size:
        file.close()
        raise InputError(f"{path}: {actual} bytes where the manifest says {size}; encode again into a new directory")
    file.truncate(size)
    file.seek(size)
    return file


def _skip_stored(stream: Iterator[Sample], out: Path, manifest: Manifest, count: Count | None) -> DistinctKeys:
    """Skip the samples that the store already has; returns the keys seen so far."""
    skipped = {item.key for item in manifest.skipped}
    seen = DistinctKeys()
    for item in manifest.skipped:
        _count_broken(item, count)
        seen.add(item.key)
    if manifest.samples:
        kept = read_json_strings(out / KEYS)
        for number in range(manifest.samples):
            sample = next(stream, None)
            if sample is None or sample.key not in skipped:
                key = next(kept, None)
                if sample is None or sample.key != key:
                    given = "nothing" if sample is None else repr(sample.key)
                    raise InputError(
                        f"the store {out} was made of other samples: number {number} is {given}, not {key!r}; "
                        "give another directory"
                    )
                seen.add(sample.key)
    return seen


def _write_part(
    images: Iterator[Decoded],
    encoder: ObjectEncoder,
    manifest: Manifest,
    files: dict[str, BinaryIO],
    seen: DistinctKeys,
    batch_size: int,
    progress: Callable[[int, int], None],
    count: Count | None,
) -> Part:
    """Encode and append one part; it is on disk on return. Broken images go to the manifest's list."""
    data: dict[str, list[bytes]] = {name: [] for name in files}
    batch: list[Decoded] = []
    rows = samples = 0

    def encode() -> None:
        """Encode the images in hand and write them."""
        nonlocal rows
        pixels = torch.from_numpy(np.stack([image.pixels for image in batch if image.pixels is not None]))
        objects = encoder.encode(pixels, vectors=manifest.groups)
        for name, values in ((POOLED, objects.pooled), (GROUPS, objects.vectors)):
            if name in data and values is not None:
                data[name].append(_as_half(values, batch))
        data[KEYS].append("".join(json.dumps(image.key) + "\n" for image in batch).encode())
        rows += len(batch)
        batch.clear()
        progress(manifest.images + rows, len(manifest.skipped))

    for image in images:
        samples += 1
        if not seen.add(image.key):
            raise InputError(
                f"the key {image.key!r} comes twice{image.place and f', again in {image.place}'}: "
                "keys must be unique, over all shards"
            )
        if image.pixels is None:
            manifest.skipped.append(Skipped(image.key, image.reason))
            _count_broken(manifest.skipped[-1], count)
        else:
            batch.append(image)
        if len(batch) == batch_size:
            encode()
    if batch:
        encode()
    stored = {}
    for name, pieces in data.items():
        content = b"".join(pieces)
        files[name].write(content)
        files[name].flush()
        os.fsync(files[name].fileno())
        stored[name] = Stored(len(content), hashlib.sha256(content).hexdigest())
    return Part(rows, samples, stored)


def _count_broken(image: Skipped, count: Count | None) -> None:
    if count is not None:
        count.lose_image(image.key, "an image that cannot be decoded", image.reason)


def _as_half(values: torch.Tensor, batch: Sequence[Decoded]) -> bytes:
    """values (B, ...) as fp16, if they fit."""
    half = values.to(torch.float16)
    finite = half.flatten(1).isfinite().all(1).tolist()
    if not all(finite):
        key = batch[finite.index(False)].key
        raise InputError(f"features of image {key!r} are not finite in 16 bits: this encoder cannot be stored")
    return half.cpu().numpy().astype("<f2").tobytes()


def _check_any_image(manifest: Manifest) -> None:
    if manifest.samples == 0:
        raise InputError(f"{manifest.source}: it holds no images")
    if manifest.images == 0:
        first = manifest.skipped[0]
        raise InputError(
            f"{manifest.source}: none of the first {manifest.samples} images can be read; {first.key}: {first.reason}"
        )
