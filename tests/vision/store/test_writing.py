"""The feature store: every image once, whatever happens on the way."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch

from tests.vision.tiny import TinyEncoder, write_images
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.errors import InputError
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.objects import Objects
from textgroup.vision.preprocess import Transform
from textgroup.vision.store.manifest import Manifest
from textgroup.vision.store.reading import FeatureStore
from textgroup.vision.store.writing import encode_features

RUN = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from tiny import TinyEncoder
from textgroup.data.sources.samples import read_samples
from textgroup.vision.store.writing import encode_features

def kill(images, skipped):
    if images >= {kill_at}:
        os.kill(os.getpid(), signal.SIGKILL)

encode_features(
    read_samples({images!r}), TinyEncoder(), {out!r}, source="x", groups=True, batch_size=4, part=10, progress=kill
)
"""


def encode(images: Path, out: Path, **options: object) -> Manifest:
    """Encode a folder in parts of 10, the usual way of these tests."""
    settings = {"encoder": TinyEncoder(), "source": "x", "batch_size": 4, "part": 10, **options}
    return encode_features(read_samples(images), out=out, **settings)


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store."""
    return {path.name: path.read_bytes() for path in store.iterdir() if path.name != ".lock"}


def stop_at(images: int) -> Callable[[int, int], None]:
    """A progress callback that breaks the run off."""

    def progress(done: int, skipped: int) -> None:
        if done >= images:
            raise KeyboardInterrupt

    return progress


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


def test_rows_are_found_by_key(tmp_path: Path) -> None:
    encode(write_images(tmp_path / "images", 5), tmp_path / "store")
    store = FeatureStore.open(tmp_path / "store")
    assert [store.index_of(key) for key in ("0003.png", "0000.png", "none.png")] == [3, 0, None]


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


def test_a_run_killed_half_way_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 45, broken=(3, 12, 31))
    encode(images, tmp_path / "whole", groups=True)
    half = tmp_path / "half"
    code = RUN.format(tests=str(Path(__file__).parents[1]), images=str(images), out=str(half), kill_at=25)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    partial = Manifest.read(half)
    assert not partial.complete
    assert partial.samples == 20
    seen: list[int] = []
    encode(images, half, groups=True, progress=lambda done, skipped: seen.append(done))
    assert seen[0] > partial.images  # what was committed is not encoded again
    assert contents(half) == contents(tmp_path / "whole")


@pytest.mark.parametrize("at", [1, 9, 10, 18, 30])
def test_wherever_a_run_is_broken_off_it_ends_with_the_same_bytes(tmp_path: Path, at: int) -> None:
    images = write_images(tmp_path / "images", 30)
    encode(images, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        encode(images, tmp_path / "half", progress=stop_at(at))
    encode(images, tmp_path / "half")
    assert contents(tmp_path / "half") == contents(tmp_path / "whole")


def test_rows_written_after_the_last_commit_are_cut_off(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 30)
    encode(images, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        encode(images, tmp_path / "half", progress=stop_at(12))
    for name in ("pooled.f16", "keys.txt"):
        with (tmp_path / "half" / name).open("ab") as file:
            file.write(b"half a row")
    (tmp_path / "half" / ".manifest.json.1.partial").write_text("half a manifest")
    encode(images, tmp_path / "half")
    assert contents(tmp_path / "half") == contents(tmp_path / "whole")


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


def test_a_complete_store_is_left_alone_and_no_sample_is_read(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 20)
    encode(images, tmp_path / "store")
    before = contents(tmp_path / "store")

    def never() -> object:
        raise AssertionError("a sample was read")
        yield

    called: list[int] = []
    manifest = encode_features(
        never(), TinyEncoder(), tmp_path / "store", source="x", progress=lambda done, skipped: called.append(done)
    )
    assert manifest.complete
    assert not called
    assert contents(tmp_path / "store") == before


def test_another_encoder_transform_source_or_groups_is_refused_by_name(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 3)
    encode(images, tmp_path / "store")
    other = TinyEncoder()
    other.name = "other"
    for options, message in (
        ({"encoder": other}, "encoder tiny"),
        ({"encoder": TinyEncoder(seed=1)}, "weights"),
        ({"encoder": TinyEncoder(resize=9)}, "resize 8 and 9"),
        ({"source": "y"}, "source x, not y"),
        ({"groups": True}, "groups False, not True"),
    ):
        with pytest.raises(InputError, match=message):
            encode(images, tmp_path / "store", **options)


def test_half_a_store_does_not_go_on_with_other_images(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        encode(write_images(tmp_path / "images", 30), tmp_path / "store", progress=stop_at(12))
    (tmp_path / "images" / "0004.png").unlink()
    with pytest.raises(InputError, match=r"made of other samples: number 4 is '0005\.png', not '0004\.png'"):
        encode(tmp_path / "images", tmp_path / "store")
    with pytest.raises(InputError, match="number 2 is nothing"):
        encode(write_images(tmp_path / "few", 2), tmp_path / "store")


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


def test_decoding_runs_ahead_of_the_encoder_by_a_bounded_number(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 60)
    taken = 0

    def samples() -> object:
        nonlocal taken
        for sample in read_samples(images):
            taken += 1
            yield sample

    ahead: list[int] = []
    encode_features(
        samples(),
        TinyEncoder(),
        tmp_path / "store",
        source="x",
        batch_size=4,
        progress=lambda done, skipped: ahead.append(taken - done),
    )
    assert max(ahead) <= 2 * 4 + 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU leaves the cores to the decoders")
def test_nothing_is_decoded_while_an_encoder_works_on_the_same_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that takes one core from the encoder makes its others wait."""
    encoding = Event()
    beside: list[bool] = []
    decode = Transform.__call__

    def watched(self: Transform, image: Path) -> np.ndarray:
        beside.append(encoding.is_set())
        return decode(self, image)

    class Slow(TinyEncoder):
        def encode(self, pixels: torch.Tensor, vectors: bool = False, masks: bool = False) -> Objects:
            encoding.set()
            time.sleep(0.02)
            encoding.clear()
            return super().encode(pixels, vectors, masks)

    monkeypatch.setattr(Transform, "__call__", watched)
    encode(write_images(tmp_path / "images", 24), tmp_path / "store", encoder=Slow())
    assert len(beside) == 24
    assert not any(beside)


def test_what_differs_between_two_encoders_is_named() -> None:
    one = TinyEncoder().identity()
    check_same_encoder(one, {**one, "encoder": "tiny:elsewhere"}, "the checkpoint", "the store")
    with pytest.raises(InputError, match=r"the checkpoint and the store .* encoder tiny .* and groupvit"):
        check_same_encoder(one, {**one, "encoder": "groupvit"}, "the checkpoint", "the store")
    with pytest.raises(InputError, match="weights"):
        check_same_encoder(one, {**one, "weights": "abc"}, "the checkpoint", "the store")
    with pytest.raises(InputError, match=r"mean \[0.5, 0.5, 0.5\] and \[0.4, 0.5, 0.5\]"):
        changed = {**one["transform"], "mean": [0.4, 0.5, 0.5]}
        check_same_encoder(one, {**one, "transform": changed}, "the checkpoint", "the store")


@pytest.mark.parametrize("stopped", [False, True], ids=["complete", "half done"])
def test_pictures_that_were_replaced_under_their_names_are_noticed(tmp_path: Path, stopped: bool) -> None:
    images = write_images(tmp_path / "images", 12)
    if stopped:
        with pytest.raises(KeyboardInterrupt):
            encode(images, tmp_path / "store", source=str(images), progress=stop_at(12))
    else:
        encode(images, tmp_path / "store", source=str(images))
    (images / "0003.png").write_bytes((images / "0004.png").read_bytes() + b" ")
    before = contents(tmp_path / "store")
    with pytest.raises(InputError, match=r"made of other files than .* has now"):
        encode(images, tmp_path / "store", source=str(images))
    assert contents(tmp_path / "store") == before


def test_a_store_without_a_fingerprint_is_of_an_older_version_and_is_taken(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 3)
    encode(images, tmp_path / "store", source=str(images))
    file = tmp_path / "store" / "manifest.json"
    values = json.loads(file.read_text())
    del values["fingerprint"]
    file.write_text(json.dumps(values))
    assert encode(images, tmp_path / "store", source=str(images)).images == 3


def test_a_full_disk_is_one_line_and_the_same_command_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = write_images(tmp_path / "images", 25)
    encode(images, tmp_path / "unbroken")
    done = 0

    def full(_: int) -> None:
        nonlocal done
        done += 1
        if done > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"store: No space left on device: .* whole up to its last part"):
        encode(images, tmp_path / "store")
    monkeypatch.undo()
    encode(images, tmp_path / "store")
    assert contents(tmp_path / "store") == contents(tmp_path / "unbroken")
