"""From an encoded image to an RGB picture. PIL only; what is too large is refused before it is decoded."""

import io
import math
import os
import re
import stat
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from textgroup.data.sources.samples import MAX_IMAGE
from textgroup.errors import InputError

MAX_PIXELS = 1 << 26
"""Largest number of pixels of an image, before and after resizing; below PIL's own guard against decompression
bombs."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What is decoded, whatever a file's name says. PIL knows formats, such as EPS, for which it starts a program."""
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>")


class BrokenImage(InputError):
    """An image that cannot be decoded, or that is too large to be."""


def decode(image: bytes | str | os.PathLike[str] | Image.Image) -> Image.Image:
    """An RGB picture, turned as its EXIF orientation says; of several frames the first. Raises `BrokenImage`."""
    name = describe_image(image)
    try:
        if isinstance(image, Image.Image):
            return _as_rgb(image)
        _check_size(image)
        with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image, formats=FORMATS) as picture:
            if math.prod(picture.size) > MAX_PIXELS:
                raise BrokenImage(f"{picture.width} x {picture.height} pixels is more than {MAX_PIXELS}")
            return _as_rgb(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise BrokenImage(f"{name}: no such file") from None
    except UnidentifiedImageError:
        raise BrokenImage(f"{name}: not an image of a format that is read ({', '.join(FORMATS)})") from None
    except Exception as error:  # PIL's decoders raise whatever a damaged file leads them to
        reason = " ".join(_ADDRESS.sub("the image", str(error)).split())[:120] or type(error).__name__
        raise BrokenImage(f"{name}: {reason}") from None


def _check_size(image: bytes | str | os.PathLike[str]) -> None:
    """Raise `BrokenImage` for what is no file of a size that may be read. A pipe or a device is never opened."""
    if isinstance(image, bytes):
        size = len(image)
    else:
        status = Path(image).stat()
        if stat.S_ISDIR(status.st_mode):
            raise BrokenImage("a directory; give one photograph")
        if not stat.S_ISREG(status.st_mode):
            raise BrokenImage("a pipe, socket or device; give a file")
        size = status.st_size
    if size == 0:
        raise BrokenImage("it is empty")
    if size > MAX_IMAGE:
        raise BrokenImage(f"more than {MAX_IMAGE >> 20} MiB encoded")


def _as_rgb(picture: Image.Image) -> Image.Image:
    """Eight bits a colour. PIL would cut 16 bits off at 255, so that most of such a picture were white."""
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise BrokenImage("its values have 32 bits, and nothing says which is white; save it with 8")
    return picture.convert("RGB")


def describe_image(image: bytes | str | os.PathLike[str] | Image.Image) -> str:
    """How a message names an image."""
    if isinstance(image, (str, os.PathLike)):
        return f"image {image}"
    return f"image of {len(image)} bytes" if isinstance(image, bytes) else "image"
