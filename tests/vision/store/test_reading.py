"""A store is read by its keys, and one that is damaged is refused."""

import json
import os
from pathlib import Path

import pytest

from tests.vision.store.encoding import encode, stop_at
from tests.vision.tiny import write_images
from textgroup.errors import InputError
from textgroup.vision.store.reading import FeatureStore


def test_rows_are_found_by_key(tmp_path: Path) -> None:
    encode(write_images(tmp_path / "images", 5), tmp_path / "store")
    store = FeatureStore.open(tmp_path / "store")
    assert [store.index_of(key) for key in ("0003.png", "0000.png", "none.png")] == [3, 0, None]


def test_a_store_cut_short_on_disk_is_refused(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 25)
    encode(images, tmp_path / "store")
    os.truncate(tmp_path / "store" / "pooled.f16", 100)
    with pytest.raises(InputError, match=r"pooled\.f16: 100 bytes where the manifest says 250"):
        FeatureStore.open(tmp_path / "store")
    with pytest.raises(KeyboardInterrupt):
        encode(images, tmp_path / "half", progress=stop_at(15))
    os.truncate(tmp_path / "half" / "keys.txt", 10)
    with pytest.raises(InputError, match=r"keys\.txt: 10 bytes where"):
        encode(images, tmp_path / "half")


def test_an_incomplete_store_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode(write_images(tmp_path / "images", 25), tmp_path / "store", progress=stop_at(15))
    with pytest.raises(InputError, match="not complete: 10 images so far; run the same command again"):
        FeatureStore.open(tmp_path / "store")


def test_a_changed_byte_is_found_by_verify(tmp_path: Path) -> None:
    encode(write_images(tmp_path / "images", 25), tmp_path / "store")
    with (tmp_path / "store" / "pooled.f16").open("r+b") as file:
        file.seek(150)  # rows of 10 bytes, parts of 10 rows: in the second part
        file.write(b"\xff")
    store = FeatureStore.open(tmp_path / "store")
    with pytest.raises(InputError, match=r"pooled\.f16: part 1 has changed"):
        store.verify()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"version": 1}'])
def test_a_damaged_manifest_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match="damaged"):
        FeatureStore.open(tmp_path)


def test_a_manifest_of_another_version_is_told(tmp_path: Path) -> None:
    encode(write_images(tmp_path / "images", 3), tmp_path / "store")
    manifest = tmp_path / "store" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "version": 99}))
    with pytest.raises(InputError, match="version 99"):
        FeatureStore.open(tmp_path / "store")
