"""Encoding one store in several processes: each encodes its shards, and the last to finish joins them.

No process waits for another or sends it a message, so nothing can hang: all state is in the directory of the store,
which all processes must see. After a kill, the same command continues.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textgroup.data.sources.count import Count
from textgroup.data.sources.members import Wanted
from textgroup.data.sources.names import files_of
from textgroup.data.sources.samples import read_files
from textgroup.errors import InputError
from textgroup.files import LOCK, lock_directory, read_json_strings
from textgroup.vision.encoders.objects import ObjectEncoder
from textgroup.vision.store.distinct import DistinctKeys
from textgroup.vision.store.manifest import GROUPS, KEYS, NAME, POOLED, SKIPPED, Manifest
from textgroup.vision.store.reading import FeatureStore
from textgroup.vision.store.writing import encode_features


def rank_and_world() -> tuple[int, int]:
    """Which process of how many this is, as `torchrun` says; (0, 1) without it. Raises `InputError`."""
    words = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not all(word.isdecimal() for word in words) or int(words[0]) >= int(words[1]):
        raise InputError(f"RANK {words[0]!r} and WORLD_SIZE {words[1]!r} are not set as torchrun sets them: unset both")
    return int(words[0]), int(words[1])


def encode_rank_share(
    source: str,
    encoder: ObjectEncoder,
    out: Path,
    *,
    rank: int,
    world: int,
    image_column: str = "image",
    count: Count | None = None,
    **options: Any,
) -> Manifest | None:
    """Encode the shards of this process: the rank-th of `world` stretches of the shards of `source`, in order.

    The store ends up with the rows of one process's, in its order. source: shards, see `names.files_of`. image_column,
    count: see `samples.read_samples`; the count is that of this share. options: those of `encode_features`. Returns the
    manifest of the whole store if it is complete, else None: the others are still at work, or the command must be run
    again. Raises `InputError`, in every process, if `source`
    has fewer shards than there are processes, and if the store was begun by another number of them.
    """
    shards = _check_shard_count(source, world)
    shares = [out / f"rank-{number}-of-{world}" for number in range(world)]
    if not (out / NAME).exists():
        _check_directory(out, shares)
        first, end = (number * len(shards) // world for number in (rank, rank + 1))
        wanted = Wanted(image_column=image_column, caption_column=None)
        samples = read_files(shards[first:end], wanted, count or Count())
        encode_features(samples, encoder, shares[rank], source=source, count=count, **options)
        with lock_directory(out, wait=True):  # of two that end together, one joins and one finds it done
            if not (out / NAME).exists():
                if not all((share / NAME).exists() and Manifest.read(share).complete for share in shares):
                    return None
                _join_shares(out, shares)
    elif not Manifest.read(out).complete:
        raise InputError(f"the store {out} was begun by one process: go on with one, or give another directory")
    for share in shares:
        shutil.rmtree(share, ignore_errors=True)
    return encode_features([], encoder, out, source=source, **options)


def _check_directory(out: Path, shares: Sequence[Path]) -> None:
    """Raise `InputError` if something else lies in `out`."""
    ours = {POOLED, GROUPS, KEYS, SKIPPED, LOCK, *(share.name for share in shares)}
    for path in sorted(out.glob("*")):
        if path.name.startswith("rank-") and path.name not in ours:
            raise InputError(f"the store {out} was begun by another number of processes ({path.name}): start as many")
        if path.name not in ours:
            raise InputError(f"{out} holds other files ({path.name}): give a new or empty directory")


def _check_shard_count(source: str, world: int) -> list[str]:
    shards = files_of(source)
    if shards is None:
        raise InputError(f"{world} processes share shards, and {source} has none: give .tar files, or start one")
    if len(shards) < world:
        raise InputError(
            f"{source}: {len(shards)} shards for {world} processes: start at most {len(shards)}, or write more shards"
        )
    return shards


def _join_shares(out: Path, shares: Sequence[Path]) -> None:
    """One store of several, end to end; it counts once its manifest is there."""
    stores = [FeatureStore.open(share) for share in shares]
    seen = DistinctKeys()
    for store in stores:
        for key in read_json_strings(store.path / KEYS):
            if not seen.add(key):
                raise InputError(f"the key {key!r} comes twice: keys must be unique")
    joined = stores[0].manifest
    for store in stores[1:]:
        joined.parts += store.manifest.parts
        joined.skipped += store.manifest.skipped
    for name in joined.files:
        with (out / name).open("wb") as file:
            for store in stores:
                with (store.path / name).open("rb") as share_file:
                    shutil.copyfileobj(share_file, file, 1 << 24)
            file.flush()
            os.fsync(file.fileno())
    with (out / SKIPPED).open("wb") as file:
        for path in (store.path / SKIPPED for store in stores):
            file.write(path.read_bytes() if path.exists() else b"")
    joined.write(out)
