"""Resizing, cropping and normalising a photograph as an image encoder expects it. PIL and NumPy only."""

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from textgroup.errors import InputError
from textgroup.vision.decode import MAX_PIXELS, BrokenImage, decode, describe_image

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

MOST_PIXELS = 4096
"""Largest side that an encoder may be given."""


@dataclass(frozen=True)
class Transform:
    """Shorter side to `resize`, centre crop of `crop` x `crop`, values from 0..1 to (value - mean) / std.

    resize, crop: pixels. mean, std: of red, green and blue. interpolation: "bilinear" or "bicubic". squash: the whole
    image to `crop` x `crop` instead, whatever its aspect ratio.
    """

    resize: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bilinear"
    squash: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.crop <= self.resize <= MOST_PIXELS:
            raise InputError(
                f"resize {self.resize}: it must lie between the crop, {self.crop}, and {MOST_PIXELS} pixels"
            )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise InputError(f"mean {self.mean}, std {self.std}: three numbers each, std above 0")
        if self.interpolation not in _FILTERS:
            raise InputError(f"interpolation {self.interpolation!r}: take one of {', '.join(_FILTERS)}")

    def __call__(self, image: bytes | str | os.PathLike[str] | Image.Image) -> np.ndarray:
        """Pixels (3, crop, crop), float32, of encoded bytes, a path, or a PIL image. Raises `BrokenImage`."""
        picture = decode(image)
        if self.squash:
            return self._normalised(picture.resize((self.crop, self.crop), _FILTERS[self.interpolation]))
        width, height = picture.size
        size = self._resized(width, height)
        if math.prod(size) > MAX_PIXELS:
            raise BrokenImage(f"{describe_image(image)}: {width} x {height} pixels is too long and thin")
        if size != picture.size:
            picture = picture.resize(size, _FILTERS[self.interpolation])
        left, top = (round((side - self.crop) / 2) for side in size)
        return self._normalised(picture.crop((left, top, left + self.crop, top + self.crop)))

    def whole(self, side: int) -> "Transform":
        """The whole image to `side` x `side` pixels, whatever its aspect ratio; the colours as here."""
        return replace(self, resize=side, crop=side, squash=True)

    def seen(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The part of a photograph of so many pixels that is kept: x0, y0, x1, y1 as shares of its sides."""
        if self.squash:
            return 0.0, 0.0, 1.0, 1.0
        wide, high = self._resized(width, height)
        left, top = (round((side - self.crop) / 2) for side in (wide, high))
        return left / wide, top / high, (left + self.crop) / wide, (top + self.crop) / high

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """Width and height before the crop. The longer side is cut off as torchvision does, with which GroupViT was
        trained."""
        scale = self.resize / min(width, height)
        return (self.resize, int(height * scale)) if width <= height else (int(width * scale), self.resize)

    def _normalised(self, picture: Image.Image) -> np.ndarray:
        mean, std = (np.array(value, np.float32)[:, None, None] for value in (self.mean, self.std))
        values = np.asarray(picture).transpose(2, 0, 1).astype(np.float32, order="C")  # (3, H, W)
        values /= 255  # in place: half of the time of a new array each
        values -= mean
        values /= std
        return values

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it. `squash` is left out where it is false: older stores have no such field."""
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return values if self.squash else {k: v for k, v in values.items() if k != "squash"}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Transform":
        """The inverse of `to_dict`."""
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**settings)
