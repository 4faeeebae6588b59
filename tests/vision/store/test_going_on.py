"""Whatever breaks a run off, the same command goes on and ends with the same store."""

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vision.store.encoding import contents, encode, stop_at
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.errors import InputError
from textgroup.vision.store.manifest import Manifest
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
