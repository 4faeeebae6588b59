"""The oracle of the generated scenes: the objects that a perfect image encoder would give."""

from collections.abc import Sequence

import torch
from torch import nn

from textgroup.data.scenes.scene import Scene, features
from textgroup.data.scenes.scene import masks as draw_masks
from textgroup.vision.encoders.objects import Objects

OBJECTS = 6
"""The most that a scene has; scenes with fewer are filled up with zeros."""


def encode_scenes(scenes: Sequence[Scene], masks: bool = False, size: int = 224) -> Objects:
    """groups (B, 6, FEATURE_WIDTH), pooled (B, FEATURE_WIDTH): the mean over the objects that are there.

    masks: also give (B, 6, size, size), 0 or 1, all 0 for an object that is not there.
    """
    vectors_of = [torch.from_numpy(features(scene)) for scene in scenes]  # (objects, D) each
    vectors = torch.stack([_pad_objects(rows) for rows in vectors_of])
    pooled = torch.stack([rows.mean(0) for rows in vectors_of])
    if not masks:
        return Objects(vectors, pooled, None)
    drawn = [_pad_objects(torch.from_numpy(draw_masks(scene, size)).float()) for scene in scenes]
    return Objects(vectors, pooled, torch.stack(drawn))


def _pad_objects(rows: torch.Tensor) -> torch.Tensor:
    """Zeros after the last row, up to `OBJECTS` rows."""
    return nn.functional.pad(rows, [0, 0] * (rows.dim() - 1) + [0, OBJECTS - len(rows)])
