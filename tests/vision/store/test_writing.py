"""The feature store: every image once, and what cannot be stored is named."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.store.encoding import contents, encode, stop_at
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.data.sources.samples import Sample
from textgroup.errors import InputError
from textgroup.vision.store.reading import FeatureStore
from textgroup.vision.store.writing import encode_features


def test_a_row_holds_what_the_encoder_gives_for_the_image_of_its_key(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 23)
    manifest = encode(images, tmp_path / "store", groups=True)
    store = FeatureStore.open(tmp_path / "store")
    assert manifest == store.manifest
    assert len(store) == manifest.images == 23
    assert store.pooled.shape == (23, 5)
    assert store.objects is not None
    assert store.objects.shape == (23, 2, 5)
    encoder = TinyEncoder()
    for row, key in enumerate(store.keys):
        seen = encoder.encode(torch.from_numpy(encoder.transform(images / key))[None], vectors=True)
        assert seen.vectors is not None
        assert np.allclose(store.pooled[row], seen.pooled[0], atol=0.02)
        assert np.allclose(store.objects[row], seen.vectors[0], atol=0.02)
    store.verify()


def test_groups_are_stored_only_if_asked_for(tmp_path: Path) -> None:
    encode(write_images(tmp_path / "images", 3), tmp_path / "store")
    assert FeatureStore.open(tmp_path / "store").objects is None
    assert sorted(contents(tmp_path / "store")) == ["keys.txt", "manifest.json", "pooled.f16"]


def test_a_broken_image_is_skipped_counted_and_named_and_leaves_no_hole(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 25, broken=(0, 7, 24))
    manifest = encode(images, tmp_path / "store")
    store = FeatureStore.open(tmp_path / "store")
    assert (manifest.images, manifest.samples) == (22, 25)
    assert [item.key for item in manifest.skipped] == ["0000.png", "0007.png", "0024.png"]
    assert all(item.key in item.reason for item in manifest.skipped)
    assert store.keys == [f"{i:04}.png" for i in range(25) if i not in (0, 7, 24)]
    expected = TinyEncoder().encode(torch.from_numpy(TinyEncoder().transform(images / "0008.png"))[None]).pooled[0]
    assert np.allclose(store.pooled[store.index_of("0008.png")], expected, atol=0.02)


def test_parts_grow_with_the_store_so_that_its_manifest_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textgroup.vision.store.writing.SHARE", 2)
    images = write_images(tmp_path / "images", 45)
    manifest = encode(images, tmp_path / "store", part=4)
    assert [part.rows for part in manifest.parts] == [4, 4, 4, 6, 9, 13, 5]
    with pytest.raises(KeyboardInterrupt):
        encode(images, tmp_path / "half", part=4, progress=stop_at(30))
    encode(images, tmp_path / "half", part=4)
    assert contents(tmp_path / "half") == contents(tmp_path / "store")


def test_a_key_that_comes_twice_is_refused_by_name(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 15)
    paths = [*sorted(images.iterdir()), images / "0002.png"]
    samples = [Sample(path.name, (), path) for path in paths]
    with pytest.raises(InputError, match=r"the key '0002\.png' comes twice"):
        encode_features(samples, TinyEncoder(), tmp_path / "store", source="x", part=10)
    with pytest.raises(InputError, match=r"the key '0002\.png' comes twice"):  # and when the run goes on as well
        encode_features(samples, TinyEncoder(), tmp_path / "store", source="x", part=10)


def test_a_sample_without_an_image_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sample '7' has no image"):
        encode_features([Sample("7", ("a dog",), None)], TinyEncoder(), tmp_path / "store", source="x")


def test_if_nothing_can_be_read_the_run_says_so_at_once(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 12, broken=tuple(range(12)))
    with pytest.raises(InputError, match=r"none of the first 10 images can be read; 0000\.png"):
        encode(images, tmp_path / "store")
    with pytest.raises(InputError, match="it holds no images"):
        encode_features([], TinyEncoder(), tmp_path / "store", source="x")
    with pytest.raises(InputError, match="not a feature store"):
        FeatureStore.open(tmp_path / "store")


def test_features_that_do_not_fit_16_bits_are_noticed(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 3)
    with pytest.raises(InputError, match=r"image '0000\.png' are not finite"):
        encode(images, tmp_path / "store", encoder=TinyEncoder(scale=1e5))


def test_two_runs_do_not_write_the_same_store(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 12)
    told: list[str] = []

    def other_run(done: int, skipped: int) -> None:
        with pytest.raises(InputError) as raised:
            encode(images, tmp_path / "store")
        told.append(str(raised.value))

    encode(images, tmp_path / "store", progress=other_run)
    assert "another process is writing" in told[0]
    assert len(FeatureStore.open(tmp_path / "store")) == 12


def test_a_directory_with_other_files_is_not_taken_for_a_store(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 3)
    with pytest.raises(InputError, match="holds other files"):
        encode(images, images)
    with pytest.raises(InputError, match="no directory can be made there"):
        encode(images, images / "0000.png")
