"""A small encoder and small images, for tests that are about everything else."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from textgroup.vision.encoders.objects import Objects
from textgroup.vision.preprocess import Transform


class TinyEncoder:
    """An `ObjectEncoder` of one random layer: width 5, 2 objects (left and right half), images of 8 pixels."""

    def __init__(self, seed: int = 0, resize: int = 8, scale: float = 1.0) -> None:
        self.name, self.width, self.objects = "tiny", 5, 2
        self.transform = Transform(resize, 8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        self.sizes: tuple[int, ...] = (8,)
        self.weight = torch.randn(3 * 8 * 4, 5, generator=torch.Generator().manual_seed(seed)) * scale

    def identity(self) -> dict[str, Any]:
        return {
            "encoder": self.name,
            "weights": f"{self.weight.sum().item():.6f}",
            "transform": self.transform.to_dict(),
        }

    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        halves = torch.stack([pixels[..., :4].flatten(1), pixels[..., 4:].flatten(1)], dim=1)  # (B, 2, 96)
        found = halves @ self.weight
        return Objects(found if vectors else None, found.mean(1), None)


def write_images(folder: Path, count: int, broken: tuple[int, ...] = ()) -> Path:
    """Files 0000.png, 0001.png, ... of noise; those in `broken` are cut short."""
    folder.mkdir(parents=True)
    for i in range(count):
        pixels = np.random.default_rng(i).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        path = folder / f"{i:04}.png"
        Image.fromarray(pixels).save(path)
        if i in broken:
            path.write_bytes(path.read_bytes()[:60])
    return folder
