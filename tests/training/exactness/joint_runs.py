"""Small runs that train an image tower, for tests."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.evaluation.two_towers import GROUPVIT
from tests.training.tiny import SHAPES, tiny_config
from textgroup.config.run import LogConfig, OptimConfig, RunConfig, TokenizerConfig

SMALL = {**GROUPVIT, "patch_size": 8}
PAINT = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (20, 180, 40), "pink": (250, 150, 190)}


def picture(colour: str, shape: str) -> Image.Image:
    """A colour in a place of its shape's own: four quarters for four shapes."""
    pixels = np.full((36, 36, 3), 235, np.uint8)
    y, x = divmod(SHAPES.index(shape), 2)
    pixels[18 * y : 18 * y + 18, 18 * x : 18 * x + 18] = PAINT[colour]
    return Image.fromarray(pixels)


def joint_config(out: Path, pictures: Path, start: Path) -> RunConfig:
    config = tiny_config(out, image_encoder=f"trainable:{start}", tokenizer=TokenizerConfig(vocabulary=560))
    captions = str(pictures)
    return replace(config, data=replace(config.data, captions=captions, val_captions=captions))


def few(out: Path, pictures: Path, start: Path) -> RunConfig:
    """Six steps in chunks, every one in the log."""
    config = joint_config(out, pictures, start)
    config = replace(config, optim=OptimConfig(batch_size=8, epochs=3, warmup_epochs=1, lr=5e-3, chunk=3))
    return replace(config, log=LogConfig(every=1, save_every=100))


def gradients(*modules: torch.nn.Module) -> dict[str, torch.Tensor]:
    found = {}
    for number, module in enumerate(modules):
        found |= {f"{number} {name}": p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}
        module.zero_grad()
    return found
