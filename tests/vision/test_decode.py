"""Strangers' images: a picture, or a reason in one line; no program is started, and nothing waits."""

import io
import os
import re
import socket
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from textgroup.vision.decode import FORMATS, BrokenImage, decode

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n8 8 scale\nshowpage\n%%EOF\n"


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of the names that PIL knows, on PATH; each writes its name to the file returned."""
    log, programs = tmp_path / "started", tmp_path / "bin"
    programs.mkdir()
    for name in ("gs", "gswin64c", "djpeg", "ppmquant"):
        (programs / name).write_text(f"#!/bin/sh\necho {name} >> {log}\n")
        (programs / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)  # where PIL remembers that it found none
    return log


@pytest.mark.parametrize("name", ["a.jpg", "a.eps"])
def test_a_picture_starts_no_program(tmp_path: Path, planted: Path, name: str) -> None:
    with Image.open(io.BytesIO(EPS)) as picture, pytest.raises(OSError):
        picture.load()
    assert "gs" in planted.read_text(), "the trap works: PIL by itself starts it"
    planted.unlink()
    (tmp_path / name).write_bytes(EPS)
    for image in (EPS, tmp_path / name):
        with pytest.raises(BrokenImage, match=r"not an image of a format that is read \(JPEG, PNG, "):
            decode(image)
    assert not planted.exists()


@pytest.mark.parametrize("kind", FORMATS)
def test_the_formats_are_known_by_their_content(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "wrong.txt"
    path.write_bytes(encoded(Image.new("RGB", (9, 7), "white"), kind))
    assert np.asarray(decode(path)).shape == (7, 9, 3)
    assert np.asarray(decode(path)).min() > 250


@pytest.mark.parametrize("kind", ["PPM", "PCX", "ICO", "TGA", "SGI", "EPS", "JPEG2000"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(BrokenImage, match="not an image of a format that is read"):
        decode(encoded(Image.new("RGB", (16, 16)), kind))


def test_pipes_sockets_devices_and_folders_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s.jpg"))
        for image in (tmp_path / "pipe.jpg", tmp_path / "link.jpg", tmp_path / "s.jpg", "/dev/zero"):
            with pytest.raises(BrokenImage, match=re.escape(f"image {image}: a pipe, socket or device; give a file")):
                decode(image)
    with pytest.raises(BrokenImage, match=r"folder\.jpg: a directory"):
        decode(tmp_path / "folder.jpg")


def test_an_empty_file_is_named_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    for image in (b"", tmp_path / "a.jpg"):
        with pytest.raises(BrokenImage, match="it is empty"):
            decode(image)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_shades(kind: str) -> None:
    ramp = np.linspace(0, 65_535, 64).astype(np.uint16).reshape(8, 8)
    found = np.asarray(decode(encoded(Image.fromarray(ramp), kind)))
    assert np.array_equal(found[:, :, 0], ramp // 256)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_values_without_a_range_are_refused_with_the_remedy(kind: type) -> None:
    picture = Image.fromarray(np.ones((8, 8), kind))
    for image in (picture, encoded(picture, "TIFF")):
        with pytest.raises(BrokenImage, match="32 bits, and nothing says which is white; save it with 8"):
            decode(image)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black", "black")]
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.asarray(decode(moving)).min() > 250


@pytest.mark.filterwarnings("ignore:::PIL")
def test_reasons_are_one_line_without_addresses_of_memory() -> None:
    whole = [encoded(Image.effect_noise((40, 40), 60).convert("RGB"), kind) for kind in FORMATS]
    random = np.random.default_rng(0)
    broken = 0
    for data in whole:
        for _ in range(40):
            damaged = bytearray(data[: random.integers(1, len(data))])
            for place in random.integers(0, len(damaged), 8):
                damaged[place] = random.integers(256)
            try:
                assert decode(bytes(damaged)).mode == "RGB"
            except BrokenImage as error:
                broken += 1
                assert re.fullmatch(r"image of \d+ bytes: [^\n]+", str(error))
                assert "0x" not in str(error)
                assert "object at" not in str(error)
    assert broken > 100
