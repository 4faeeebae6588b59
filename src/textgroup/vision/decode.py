"""From an encoded image to an RGB picture. PIL only; what is too large is refused before it is decoded."""

import io
import math
import os
from pathlib import Path

from PIL import Image, ImageOps

from textgroup.data.sources.samples import MAX_IMAGE
from textgroup.errors import InputError

MAX_PIXELS = 1 << 26
"""Largest number of pixels of an image, before and after resizing; below PIL's own guard against decompression
bombs."""


class BrokenImage(InputError):
    """An image that cannot be decoded, or that is too large to be."""


def decode(image: bytes | str | os.PathLike[str] | Image.Image) -> Image.Image:
    """An RGB picture, turned as its EXIF orientation says. Raises `BrokenImage`."""
    name = describe_image(image)
    try:
        if isinstance(image, Image.Image):
            return image.convert("RGB")
        size = len(image) if isinstance(image, bytes) else Path(image).stat().st_size
        if size > MAX_IMAGE:
            raise BrokenImage(f"{name}: more than {MAX_IMAGE >> 20} MiB encoded")
        with Image.open(io.BytesIO(image) if isinstance(image, bytes) else image) as picture:
            if math.prod(picture.size) > MAX_PIXELS:
                raise BrokenImage(f"{name}: {picture.width} x {picture.height} pixels is more than {MAX_PIXELS}")
            return ImageOps.exif_transpose(picture).convert("RGB")
    except BrokenImage:
        raise
    except FileNotFoundError:
        raise BrokenImage(f"{name}: no such file") from None
    except IsADirectoryError:
        raise BrokenImage(f"{name}: a directory; give one photograph") from None
    except Exception as error:  # PIL's decoders raise whatever a damaged file leads them to
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BrokenImage(f"{name}: {reason}") from None


def describe_image(image: bytes | str | os.PathLike[str] | Image.Image) -> str:
    if isinstance(image, (str, os.PathLike)):
        return f"image {image}"
    return f"image of {len(image)} bytes" if isinstance(image, bytes) else "image"
