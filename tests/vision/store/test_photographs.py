"""Photographs packed for a tower that is trained: each with its key, broken ones left out by name."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.vision.tiny import TinyEncoder, write_images
from textgroup.data.sources.samples import Sample
from textgroup.errors import InputError
from textgroup.vision.store.photographs import PhotographStore, pack

TRANSFORM = TinyEncoder().transform
MADE_OF = {"captions": ["here"]}


def samples(folder: Path, count: int) -> Iterator[Sample]:
    """Every other one as encoded bytes, as tars give them."""
    for i in range(count):
        path = folder / f"{i:04}.png"
        yield Sample(path.name, ("a picture",), path if i % 2 else path.read_bytes())


def packed(where: Path, given: Iterator[Sample]) -> PhotographStore:
    pack(given, where, MADE_OF, "here", TRANSFORM)
    store = PhotographStore.open(where, MADE_OF, TRANSFORM)
    assert store is not None
    return store


def test_a_row_is_the_pixels_of_its_picture_whatever_was_left_out(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", 7, broken=(2,))
    store = packed(tmp_path / "store", samples(folder, 7))
    assert store.pooled.shape == (6, 3, 8, 8)
    assert [one.key for one in store.manifest.skipped] == ["0002.png"]
    keys = ["0005.png", "0000.png", "0003.png"]
    rows = np.array([store.index_of(key) for key in keys])
    for key, pixels in zip(keys, store.pooled[rows]):
        assert np.array_equal(pixels, TRANSFORM(folder / key)), key
    assert store.index_of("0002.png") is None


def test_a_store_that_is_damaged_or_of_something_else_counts_as_none(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", 3)
    packed(tmp_path / "store", samples(folder, 3))
    assert PhotographStore.open(tmp_path / "store", {"captions": ["there"]}, TRANSFORM) is None
    assert PhotographStore.open(tmp_path / "nowhere", MADE_OF, TRANSFORM) is None
    with (tmp_path / "store" / "images.bin").open("r+b") as file:
        file.truncate(100)
    assert PhotographStore.open(tmp_path / "store", MADE_OF, TRANSFORM) is None


def test_what_cannot_be_packed_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", 2, broken=(0, 1))
    one, other = samples(folder, 2)
    for given, said in (
        ([one, other], r"no photograph that can be read and has a caption; 0000\.png: "),
        ([one, one], r"the key '0000\.png' comes twice"),
        ([Sample("7", ("a picture",), None)], "7 has no photograph"),
        ([Sample("7", (), b"")], "no photograph that can be read and has a caption$"),
    ):
        with pytest.raises(InputError, match=said):
            pack(given, tmp_path / "store", MADE_OF, "here", TRANSFORM)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]


def test_a_directory_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "images", 2)
    with pytest.raises(InputError, match="holds no photographs"):
        pack(samples(folder, 2), folder, MADE_OF, "here", TRANSFORM)
    assert len(list(folder.iterdir())) == 2
