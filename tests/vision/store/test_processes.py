"""Several processes make the store that one makes, whatever happens to one of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data.sources.test_samples import write_tar
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.vision.store.processes import encode_rank_share, rank_and_world
from textgroup.vision.store.reading import FeatureStore
from textgroup.vision.store.writing import encode_features

RUN = """
import os, signal, sys
from pathlib import Path
from tests.vision.tiny import TinyEncoder
from textgroup.vision.store.processes import encode_rank_share, rank_and_world

def kill(images, skipped):
    if images >= {kill_at}:
        os.kill(os.getpid(), signal.SIGKILL)

rank, world = rank_and_world()
encode_rank_share(
    {source!r}, TinyEncoder(), Path({out!r}), rank=rank, world=world, groups=True, batch_size=4, part=8, progress=kill
)
"""


def write_shards(folder: Path, count: int = 5, images: int = 16) -> str:
    """Shards of 16 pictures; two of all pictures are broken. The name of all of them."""
    pictures = sorted(write_images(folder / "images", count * images, broken=(3, 40)).iterdir())
    for i in range(count):
        here = pictures[i * images : (i + 1) * images]
        write_tar(folder / f"{i:03}.tar", {path.name: path.read_bytes() for path in here})
    return f"{folder}/{{000..{count - 1:03}}}.tar"


def one_process(source: str, out: Path) -> FeatureStore:
    """The store as one process makes it."""
    encode_features(
        read_samples(source, captions=False), TinyEncoder(), out, source=source, groups=True, batch_size=4, part=8
    )
    return FeatureStore.open(out)


def share(source: str, out: Path, rank: int, world: int, **options: object) -> object:
    """The share of one process, encoded here."""
    settings = {"groups": True, "batch_size": 4, "part": 8, **options}
    return encode_rank_share(source, TinyEncoder(), out, rank=rank, world=world, **settings)


def start(source: str, out: Path, rank: int, world: int, kill_at: int = 10**9) -> "subprocess.Popen[bytes]":
    """The share of one process, as torchrun would start it."""
    code = RUN.format(source=source, out=str(out), kill_at=kill_at)
    environment = os.environ | {"RANK": str(rank), "WORLD_SIZE": str(world)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[3])


def assert_same(one: FeatureStore, other: FeatureStore) -> None:
    """Same rows in the same order, and the same images left out."""
    assert one.keys == other.keys
    for name in one.manifest.files:
        assert (one.path / name).read_bytes() == (other.path / name).read_bytes()
    assert one.manifest.skipped == other.manifest.skipped
    assert (one.manifest.images, one.manifest.samples) == (other.manifest.images, other.manifest.samples)
    assert (one.manifest.source, one.manifest.encoder) == (other.manifest.source, other.manifest.encoder)
    other.verify()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_whoever_finishes_last_joins_the_shares_to_the_store_of_one_process(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    source = write_shards(tmp_path)
    *early, last = (share(source, tmp_path / "many", rank, 3) for rank in order)
    assert early == [None, None]
    assert last == FeatureStore.open(tmp_path / "many").manifest
    assert_same(one_process(source, tmp_path / "one"), FeatureStore.open(tmp_path / "many"))
    assert not list((tmp_path / "many").glob("rank-*"))
    assert share(source, tmp_path / "many", 1, 3) == last  # and again: nothing to do


def test_a_process_that_is_killed_goes_on_and_the_store_is_the_same(tmp_path: Path) -> None:
    source, out = write_shards(tmp_path), tmp_path / "many"
    running = [start(source, out, rank, 2, kill_at=20 if rank == 1 else 10**9) for rank in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, -signal.SIGKILL]
    with pytest.raises(InputError, match="not a feature store"):
        FeatureStore.open(out)
    assert [start(source, out, rank, 2).wait(timeout=120) for rank in range(2)] == [0, 0]
    assert_same(one_process(source, tmp_path / "one"), FeatureStore.open(out))


def test_a_kill_while_the_shares_are_joined_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = write_shards(tmp_path), tmp_path / "many"
    share(source, out, 0, 2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(
            "textgroup.vision.store.processes.shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        share(source, out, 1, 2)
    share(source, out, 1, 2)
    assert_same(one_process(source, tmp_path / "one"), FeatureStore.open(out))


def test_fewer_shards_than_processes_is_told_by_every_process(tmp_path: Path) -> None:
    source = write_shards(tmp_path, count=3)
    for rank in range(4):
        with pytest.raises(InputError, match="3 shards for 4 processes: start at most 3"):
            share(source, tmp_path / "many", rank, 4)
    with pytest.raises(InputError, match=r"has none: give \.tar files"):
        share(str(tmp_path / "images"), tmp_path / "many", 0, 2)
    assert not (tmp_path / "many").exists()


def test_a_store_begun_otherwise_is_not_mixed_up(tmp_path: Path) -> None:
    source = write_shards(tmp_path)
    share(source, tmp_path / "many", 0, 3)
    with pytest.raises(InputError, match=r"begun by another number of processes \(rank-0-of-3\)"):
        share(source, tmp_path / "many", 0, 2)
    with pytest.raises(InputError, match="holds other files"):
        one_process(source, tmp_path / "many")
    with pytest.raises(InputError, match="holds other files"):
        share(source, tmp_path / "images", 0, 2)


def test_a_key_that_two_processes_have_is_refused_by_name(tmp_path: Path) -> None:
    write_shards(tmp_path, count=1)
    source = f"{tmp_path}/{{000,000}}.tar"
    share(source, tmp_path / "many", 0, 2)
    with pytest.raises(InputError, match=r"the key '0000' comes twice"):
        share(source, tmp_path / "many", 1, 2)


def test_rank_and_world_are_torchruns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert rank_and_world() == (0, 1)
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert rank_and_world() == (3, 8)
    monkeypatch.setenv("RANK", "8")
    with pytest.raises(InputError, match="RANK '8' and WORLD_SIZE '8'"):
        rank_and_world()
