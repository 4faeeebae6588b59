"""The feature store: every image through the frozen encoder once, then memory-mapped for ever.

A directory with `pooled.f16` (N, D), `groups.f16` (N, G, D) if asked for, `keys.txt` (a JSON string a line;
line i names row i) and `manifest.json`. Files only grow, a part at a time; a part counts once the manifest has it.
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import BinaryIO, NamedTuple

import numpy as np
import torch

from textgroup.data.sources.samples import Sample
from textgroup.errors import InputError
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.objects import ObjectEncoder
from textgroup.vision.preprocess import BrokenImage
from textgroup.vision.store.manifest import GROUPS, KEYS, POOLED, Manifest, Part, Skipped, Stored

PART = 1024
"""Images of a part: what a killed run loses at most."""
SHARE = 4096
"""A part is at least one in so many of the images before it: the manifest, rewritten after each part, stays small."""


class _Decoded(NamedTuple):
    key: str
    pixels: np.ndarray | None  # (3, H, W), or None for a broken image
    reason: str


def encode_features(
    samples: Iterable[Sample],
    encoder: ObjectEncoder,
    out: str | Path,
    *,
    source: str,
    groups: bool = False,
    batch_size: int | None = None,
    part: int = PART,
    progress: Callable[[int, int], None] = lambda images, skipped: None,
) -> Manifest:
    """Encode the image of every sample into the store at `out`, and return its manifest.

    Run again after a kill, it goes on where the last part ended, and writes what an unbroken run would have
    written. A store that is complete is left as it is, and no sample is read. A broken image is left out,
    counted and named in the manifest.

    source: what the samples were read from, as given; the store remembers it. groups: store the objects'
    vectors too. batch_size: images encoded at once; by default few on
    a CPU, where large activations cost more than they save, and many on a GPU. part: images between two
    commits, while the store is small. progress: called with (images, skipped) after every batch.

    Raises `InputError` if the store was made of another source, with another encoder, transform or `groups`,
    if a key comes twice, a sample has no image, features do not fit 16 bits, or if all images of a part are
    broken in a store that has none yet.
    """
    out = Path(out)
    if batch_size is None:
        batch_size = 256 if torch.cuda.is_available() else 4
    if batch_size < 1 or part < 1:
        raise InputError(f"batch_size {batch_size}, part {part}: both must be at least 1")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: no directory can be made there ({error.strerror})") from None
    with ExitStack() as stack:
        stack.enter_context(only_writer(out))
        manifest = _begin(out, encoder, source, groups)
        if manifest.complete:
            return manifest
        files = {name: stack.enter_context(_reopen(out / name, size)) for name, size in manifest.files.items()}
        stream = iter(samples)
        seen = _catch_up(stream, out, manifest)
        ahead = 1 if torch.cuda.is_available() else 0
        decoded = stack.enter_context(_decoding(stream, encoder, batch_size, ahead))
        while not manifest.complete:
            size = max(part, manifest.images // SHARE)
            done = _write_part(islice(decoded, size), encoder, manifest, files, seen, batch_size, progress)
            manifest.complete = done.samples < size
            if done.samples:
                manifest.parts.append(done)
            _need_images(manifest)
            manifest.write(out)
    return manifest


def _begin(out: Path, encoder: ObjectEncoder, source: str, groups: bool) -> Manifest:
    """The manifest to go on with: the one on disk if it fits, or an empty one."""
    fresh = Manifest(source, encoder.identity(), encoder.width, encoder.objects, groups)
    for rest in out.glob(".manifest.json.*.partial"):  # of a run that was killed while it wrote
        rest.unlink()
    if not (out / "manifest.json").exists():
        if strange := [path.name for path in out.iterdir() if path.name not in (POOLED, GROUPS, KEYS, ".lock")]:
            raise InputError(f"{out} holds other files ({strange[0]}): give a new or empty directory")
        return fresh
    old = Manifest.read(out)
    check_same_encoder(old.encoder, fresh.encoder, f"the store {out}", "this run")
    for name in ("source", "groups", "objects"):
        a, b = getattr(old, name), getattr(fresh, name)
        if a != b:
            raise InputError(f"the store {out} was made with {name} {a}, not {b}: give another directory")
    return old


@contextmanager
def only_writer(out: Path, wait: bool = False) -> Iterator[None]:
    """Two runs must not write the same store. The lock is the system's: it goes with the process.

    wait: for the other run, instead of raising `InputError`.
    """
    try:
        import fcntl
    except ImportError:  # no such lock on Windows
        yield
        return
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            raise InputError(f"another run is writing {out}: wait for it, or give another directory") from None
        yield


def _reopen(path: Path, size: int) -> BinaryIO:
    """The file, cut to what is committed, at its end."""
    file = path.open("r+b" if path.exists() else "w+b")
    actual = file.seek(0, os.SEEK_END)
    if actual < size:
        file.close()
        raise InputError(f"{path}: {actual} bytes where the manifest says {size}; encode again into a new directory")
    file.truncate(size)
    file.seek(size)
    return file


def _catch_up(stream: Iterator[Sample], out: Path, manifest: Manifest) -> set[str]:
    """Pass over the samples that the store has; the keys seen so far."""
    skipped = {item.key for item in manifest.skipped}
    seen: set[str] = set(skipped)
    with (out / KEYS).open(encoding="utf-8") as kept:
        for number in range(manifest.samples):
            sample = next(stream, None)
            if sample is None or sample.key not in skipped:
                key = json.loads(kept.readline() or "null")
                if sample is None or sample.key != key:
                    given = "nothing" if sample is None else repr(sample.key)
                    raise InputError(
                        f"the store {out} was made of other samples: number {number} is {given}, not {key!r}; "
                        "give another directory"
                    )
                seen.add(key)
    return seen


@contextmanager
def _decoding(
    samples: Iterator[Sample], encoder: ObjectEncoder, burst: int, ahead: int
) -> Iterator[Iterator[_Decoded]]:
    """Decoded images in the order of the samples.

    Reading has a thread of its own and decoding several. They decode `burst` images together, and are `ahead` bursts
    before what is asked for: 0 where the encoder is on the same cores, since a decoder that takes one of them from it
    makes all its others wait.
    """

    def decode(sample: Sample) -> _Decoded:
        if sample.image is None:
            raise InputError(f"sample {sample.key!r} has no image; features need a source with images")
        try:
            return _Decoded(sample.key, encoder.transform(sample.image), "")
        except BrokenImage as error:
            return _Decoded(sample.key, None, str(error))

    read: Queue[Sample | Exception | None] = Queue(2 * burst)
    stopped = Event()

    def reader() -> None:
        """Hand on samples until the source ends."""
        try:
            for sample in samples:
                read.put(sample)
                if stopped.is_set():
                    return
            read.put(None)
        except Exception as error:  # told where the images are asked for
            read.put(error)

    def source() -> Iterator[Sample]:
        while (item := read.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def images() -> Iterator[_Decoded]:
        stream, bursts = source(), deque[list[Future[_Decoded]]]()
        while wanted := list(islice(stream, burst)):
            bursts.append([pool.submit(decode, sample) for sample in wanted])
            if len(bursts) > ahead:
                yield from [image.result() for image in bursts.popleft()]
        for rest in bursts:
            yield from [image.result() for image in rest]

    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1), "decode")
    thread = Thread(target=reader, name="read", daemon=True)
    thread.start()
    try:
        yield images()
    finally:
        stopped.set()
        while not read.empty():  # so that the reader gets rid of what it has, and sees that it is to stop
            read.get()
        thread.join(timeout=5)
        pool.shutdown(cancel_futures=True)


def _write_part(
    images: Iterator[_Decoded],
    encoder: ObjectEncoder,
    manifest: Manifest,
    files: dict[str, BinaryIO],
    seen: set[str],
    batch_size: int,
    progress: Callable[[int, int], None],
) -> Part:
    """Encode and append one part, on disk when this returns. Broken images go to the manifest's list."""
    data: dict[str, list[bytes]] = {name: [] for name in files}
    batch: list[_Decoded] = []
    rows = samples = 0

    def encode() -> None:
        """Encode the images in hand and write them."""
        nonlocal rows
        pixels = torch.from_numpy(np.stack([image.pixels for image in batch if image.pixels is not None]))
        objects = encoder.encode(pixels, vectors=manifest.groups)
        for name, values in ((POOLED, objects.pooled), (GROUPS, objects.vectors)):
            if name in data and values is not None:
                data[name].append(_half(values, batch))
        data[KEYS].append("".join(json.dumps(image.key) + "\n" for image in batch).encode())
        rows += len(batch)
        batch.clear()
        progress(manifest.images + rows, len(manifest.skipped))

    for image in images:
        samples += 1
        if image.key in seen:
            raise InputError(
                f"the key {image.key!r} comes twice: keys must be unique, and rows of an image consecutive"
            )
        seen.add(image.key)
        if image.pixels is None:
            manifest.skipped.append(Skipped(image.key, image.reason))
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


def _half(values: torch.Tensor, batch: Sequence[_Decoded]) -> bytes:
    """values (B, ...) as fp16, if they fit."""
    half = values.to(torch.float16)
    finite = half.flatten(1).isfinite().all(1).tolist()
    if not all(finite):
        key = batch[finite.index(False)].key
        raise InputError(f"features of image {key!r} are not finite in 16 bits: this encoder cannot be stored")
    return half.cpu().numpy().astype("<f2").tobytes()


def _need_images(manifest: Manifest) -> None:
    if manifest.samples == 0:
        raise InputError(f"{manifest.source}: it holds no images")
    if manifest.images == 0:
        first = manifest.skipped[0]
        raise InputError(
            f"{manifest.source}: none of the first {manifest.samples} images can be read; {first.key}: {first.reason}"
        )
