"""Resizing, cropping and normalising a photograph as an image encoder expects it. PIL and NumPy only."""

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from textgroup.errors import InputError
from textgroup.vision.decode import MAX_PIXELS, BrokenImage, decode, describe_image

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Transform:
    """Shorter side to `resize`, centre crop of `crop` x `crop`, values from 0..1 to (value - mean) / std.

    resize, crop: pixels. mean, std: of red, green and blue. interpolation: "bilinear" or "bicubic".
    """

    resize: int
    crop: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if not 1 <= self.crop <= self.resize <= 4096:
            raise InputError(f"resize {self.resize}: it must lie between the crop, {self.crop}, and 4096 pixels")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise InputError(f"mean {self.mean}, std {self.std}: three numbers each, std above 0")
        if self.interpolation not in _FILTERS:
            raise InputError(f"interpolation {self.interpolation!r}: take one of {', '.join(_FILTERS)}")

    def __call__(self, image: bytes | str | os.PathLike[str] | Image.Image) -> np.ndarray:
        """Pixels (3, crop, crop), float32, of encoded bytes, a path, or a PIL image. Raises `BrokenImage`."""
        picture = decode(image)
        width, height = picture.size
        scale = self.resize / min(width, height)
        # The longer side is cut off as torchvision does, with which GroupViT was trained.
        size = (self.resize, int(height * scale)) if width <= height else (int(width * scale), self.resize)
        if math.prod(size) > MAX_PIXELS:
            raise BrokenImage(f"{describe_image(image)}: {width} x {height} pixels is too long and thin")
        if size != picture.size:
            picture = picture.resize(size, _FILTERS[self.interpolation])
        left, top = (round((side - self.crop) / 2) for side in size)
        picture = picture.crop((left, top, left + self.crop, top + self.crop))
        mean, std = (np.array(value, np.float32)[:, None, None] for value in (self.mean, self.std))
        values = np.asarray(picture).transpose(2, 0, 1).astype(np.float32, order="C")  # (3, H, W)
        values /= 255  # in place: half of the time of a new array each
        values -= mean
        values /= std
        return values

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Transform":
        """The inverse of `to_dict`."""
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**settings)
