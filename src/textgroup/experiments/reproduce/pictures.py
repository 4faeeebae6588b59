"""Pictures of generated scenes for the small object encoder: drawn, encoded, and compared with its groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from textgroup.data.scenes.scene import Scene, masks, render
from textgroup.evaluation.object_discovery import object_discovery
from textgroup.vision.encoders.objects import ObjectEncoder
from textgroup.vision.encoders.tower import ImageTower
from textgroup.vision.preprocess import Transform

SIDE = 64
"""Pixels of a picture's side: 8 x 8 patches."""
SIZES: dict[str, Any] = {
    "image_size": SIDE,
    "patch_size": 8,
    "hidden_size": 64,
    "intermediate_size": 128,
    "depths": [2, 1, 1],
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_group_tokens": [16, 8, 0],
    "num_output_groups": [16, 8, 0],
}
"""GroupViT with every size scaled down: 16 groups, then 8, for the paper's 64 and 8."""
AT_ONCE = 256
"""Pictures encoded at once."""


class Pictures:
    """Scenes as pixels (N, 3, SIDE, SIDE), drawn when they are asked for."""

    def __init__(self, drawn: Sequence[Scene], transform: Transform) -> None:
        self.shape = (len(drawn), 3, SIDE, SIDE)
        self._scenes, self._transform = drawn, transform.whole(SIDE)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([self._transform(render(self._scenes[row], SIDE)) for row in rows])


def small_tower(seed: int) -> ImageTower:
    """An untrained GroupViT of these sizes."""
    return ImageTower.random(seed, unit_variance=True, **SIZES)


def encode(encoder: ObjectEncoder, drawn: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Pooled vectors (N, D) and objects (N, G, D) of scenes."""
    pixels = Pictures(drawn, encoder.transform)
    pooled, objects = [], []
    for a in range(0, len(drawn), AT_ONCE):
        rows = np.arange(a, min(a + AT_ONCE, len(drawn)))
        found = encoder.encode(torch.from_numpy(pixels[rows]), vectors=True)
        assert found.vectors is not None, "they were asked for"
        pooled.append(found.pooled.float().cpu().numpy())
        objects.append(found.vectors.float().cpu().numpy())
    return np.concatenate(pooled), np.concatenate(objects)


def discovery(encoder: ObjectEncoder, drawn: Sequence[Scene]) -> dict[str, float]:
    """How well the encoder's groups are the objects of the scenes; see `object_discovery`."""
    pixels = Pictures(drawn, encoder.transform)
    found = encoder.encode(torch.from_numpy(pixels[np.arange(len(drawn))]), masks=True).masks
    assert found is not None, "they were asked for"
    shares = torch.nn.functional.interpolate(found.float(), size=(SIDE, SIDE)).cpu().numpy()
    return object_discovery(shares, [masks(scene, SIDE) for scene in drawn])
