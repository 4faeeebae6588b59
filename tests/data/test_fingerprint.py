"""A fingerprint changes when what a source gives may have changed, and only then."""

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from textgroup.data.fingerprint import fingerprint
from textgroup.errors import InputError
from textgroup.files import lock_directory


def write_tar(path: Path, text: str) -> None:
    (path.parent / "a.txt").write_text(text)
    with tarfile.open(path, "w") as tar:
        tar.add(path.parent / "a.txt", "a.txt")


def touch(path: Path) -> None:
    """Another time of change, and nothing else."""
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Shards, an Entities directory, a table with two images, and a text."""
    for name in ("s-00.tar", "s-01.tar"):
        write_tar(tmp_path / name, "a red ring")
    (tmp_path / "entities" / "Sentences").mkdir(parents=True)
    (tmp_path / "entities" / "train.txt").write_text("1\n")
    (tmp_path / "entities" / "Sentences" / "1.txt").write_text("[/EN#1/other A ring]\n")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "t.csv").write_text("image,caption\na.png,a red ring\nb.png,a blue star\n")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("s-{00..01}.tar", "s-01.tar"),
        ("s-*.tar", "s-00.tar"),
        ("s-00.tar", "s-00.tar"),
        ("entities", "entities/Sentences/1.txt"),
        ("t.csv", "t.csv"),
    ],
)
@pytest.mark.parametrize("change", [touch, lambda path: path.write_bytes(path.read_bytes() + b"\0" * 512)])
def test_it_changes_with_any_file_of_the_source(
    folder: Path, source: str, changed: str, change: Callable[[Path], object]
) -> None:
    before = fingerprint(f"{folder}/{source}")
    assert fingerprint(f"{folder}/{source}") == before
    touch(folder / "a.png")
    assert fingerprint(f"{folder}/{source}") == before, "no file of this source"
    change(folder / changed)
    assert fingerprint(f"{folder}/{source}") != before


def test_images_of_a_table_count_where_images_are_read(folder: Path) -> None:
    table = str(folder / "t.csv")
    captions, images = fingerprint(table), fingerprint(table, "image")
    touch(folder / "b.png")
    assert fingerprint(table) == captions
    assert fingerprint(table, "image") != images


def test_a_store_below_its_source_is_no_part_of_it(folder: Path) -> None:
    before = fingerprint(str(folder / "entities"))
    with lock_directory(folder / "entities" / "store"):
        (folder / "entities" / "store" / "pooled.f16").write_bytes(b"x")
        assert fingerprint(str(folder / "entities")) == before


def test_urls_and_commands_are_known_by_name() -> None:
    assert fingerprint("pipe:cat a.tar") == fingerprint("pipe:cat a.tar") != fingerprint("pipe:cat b.tar")


def test_a_user_who_is_not_there_is_told() -> None:
    with pytest.raises(InputError, match="~nobody-of-this-name"):
        fingerprint("~nobody-of-this-name/captions.txt")
