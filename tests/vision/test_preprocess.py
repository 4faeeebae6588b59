"""Images become the pixels that an encoder was trained on, and bad ones are refused by name."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from textgroup.errors import InputError
from textgroup.vision import decode as module
from textgroup.vision.decode import BrokenImage, decode
from textgroup.vision.preprocess import Transform

PLAIN = Transform(8, 8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def encoded(picture: Image.Image, kind: str = "png", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_an_image_of_the_right_size_is_not_resampled() -> None:
    picture = noise(8, 8)
    pixels = PLAIN(encoded(picture))
    assert pixels.shape == (3, 8, 8)
    assert pixels.dtype == np.float32
    assert np.array_equal(pixels, np.asarray(picture, dtype=np.float32).transpose(2, 0, 1) / 255)


def test_mean_and_std_are_applied_to_each_colour() -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 51))
    pixels = Transform(8, 8, (0.5, 0.25, 0.1), (0.5, 0.5, 0.1))(red)
    assert np.allclose(pixels[:, 0, 0], [1.0, -0.5, 1.0])


@pytest.mark.parametrize(("width", "height"), [(40, 20), (20, 40), (37, 23), (16, 16)])
def test_shorter_side_and_centre_crop_are_those_of_transformers(width: int, height: int) -> None:
    from transformers.image_transforms import center_crop, get_resize_output_image_size, resize

    picture = noise(width, height)
    image = np.asarray(picture)
    size = get_resize_output_image_size(image, 10, default_to_square=False)
    wanted = center_crop(resize(image, size, resample=Image.Resampling.BILINEAR), (8, 8)) / 255
    found = Transform(10, 8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))(picture)
    assert np.abs(found.transpose(1, 2, 0) - wanted).max() < 1e-6


@pytest.mark.parametrize(("width", "height"), [(400, 200), (200, 400), (370, 230), (160, 160)])
@pytest.mark.parametrize("squash", [False, True])
def test_it_knows_which_part_of_a_photograph_is_seen(width: int, height: int, squash: bool) -> None:
    """A picture whose red says how far it is from the left, and whose green how far from the top."""
    across = np.broadcast_to(255 * (np.arange(width) + 0.5) / width, (height, width))
    down = np.broadcast_to((255 * (np.arange(height) + 0.5) / height)[:, None], (height, width))
    picture = Image.fromarray(np.stack([across, down, down], axis=2).round().astype(np.uint8))
    transform = Transform(100, 80, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), squash=squash)
    pixels = transform(picture)
    x0, y0, x1, y1 = transform.seen(width, height)
    assert pixels[0, 0, [0, -1]] == pytest.approx([x0, x1], abs=0.02)
    assert pixels[1, [0, -1], 0] == pytest.approx([y0, y1], abs=0.02)


def test_an_image_is_turned_as_its_exif_orientation_says() -> None:
    picture = Image.new("RGB", (16, 8), "black")
    picture.paste("white", (0, 0, 8, 8))  # the left half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    turned = np.asarray(decode(encoded(picture, "png", exif=exif)))
    assert turned.shape == (16, 8, 3)
    assert (turned[:8] == 255).all()
    assert (turned[8:] == 0).all()


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    kind = "tiff" if mode == "CMYK" else "png"
    assert PLAIN(encoded(noise(8, 8).convert("RGB").convert(mode), kind)).shape == (3, 8, 8)


def test_bytes_a_path_and_a_picture_give_the_same_pixels(tmp_path: Path) -> None:
    picture = noise(9, 12)
    (tmp_path / "a.png").write_bytes(encoded(picture))
    for image in (tmp_path / "a.png", str(tmp_path / "a.png"), encoded(picture)):
        assert np.array_equal(PLAIN(image), PLAIN(picture))


def test_a_cut_image_is_broken() -> None:
    whole = encoded(noise(64, 64), "jpeg")
    with pytest.raises(BrokenImage, match="truncated"):
        PLAIN(whole[: len(whole) // 2])


@pytest.mark.parametrize("data", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + bytes(50), b"GIF89a" + bytes(20)])
def test_what_is_no_image_is_broken(data: bytes) -> None:
    with pytest.raises(BrokenImage, match="image of"):
        PLAIN(data)


def test_a_missing_file_is_broken_and_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenImage, match=r"none\.jpg: no such file"):
        PLAIN(tmp_path / "none.jpg")
    with pytest.raises(BrokenImage, match="image "):
        PLAIN(tmp_path)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (9_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
        with pytest.raises(BrokenImage, match="pixels"):
            PLAIN(bomb)


def test_an_image_too_thin_to_be_resized_is_refused() -> None:
    with pytest.raises(BrokenImage, match="too long and thin"):
        Transform(256, 224, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))(Image.new("RGB", (1, 2000)))


def test_an_image_of_too_many_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_IMAGE", 10)
    (tmp_path / "a.png").write_bytes(encoded(noise(8, 8)))
    for image in (tmp_path / "a.png", encoded(noise(8, 8))):
        with pytest.raises(BrokenImage, match="encoded"):
            PLAIN(image)


def test_settings_survive_json() -> None:
    import json

    setting = Transform(256, 224, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), "bicubic")
    assert Transform.from_dict(json.loads(json.dumps(setting.to_dict()))) == setting


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(InputError, match="resize 200"):
        Transform(200, 224, (0, 0, 0), (1, 1, 1))
    with pytest.raises(InputError, match="interpolation 'cubic'"):
        Transform(224, 224, (0, 0, 0), (1, 1, 1), "cubic")
    with pytest.raises(InputError, match="std"):
        Transform(224, 224, (0, 0, 0), (1, 0, 1))
