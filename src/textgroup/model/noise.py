"""Random numbers by name: each is a function of (key, name, caption, index) and of nothing else.

They are computed where they are needed, on any device. So the noise of a chunk can be drawn twice and be the same
(GradCache), and a batch has the same noise however it is cut into chunks or divided among processes.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from textgroup.keys import key_of

STRIDE = 1 << 16
"""Largest size of an axis: a number does not change with the padding of its chunk."""
GOLDEN, FIRST, SECOND = (x - (1 << 64) for x in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
"""Constants of splitmix64 (Steele et al., 2014), as signed integers."""


class Noise(NamedTuple):
    """The random numbers of some captions in one training step.

    key: of the step (`key_of(seed, step)`). rows: (B,), the position of each caption in the batch, int64, on the device
    of the noise.
    """

    key: int
    rows: Tensor

    def uniform(self, name: str, *shape: int) -> Tensor:
        """(B, *shape), fp32, strictly between 0 and 1. name: of what is drawn."""
        index = torch.zeros((), dtype=torch.int64, device=self.rows.device)
        for size in shape:
            index = index[..., None] * STRIDE + torch.arange(size, device=self.rows.device)
        row = _splitmix(self.rows * GOLDEN + key_of(self.key, name))
        bits = _splitmix(row.view(-1, *(1 for _ in shape)) + (index + 1) * GOLDEN)
        return ((bits >> 41 & (1 << 23) - 1).float() + 0.5) / (1 << 23)

    def normal(self, name: str, *shape: int) -> Tensor:
        """(B, *shape), standard normal, fp32."""
        return torch.special.ndtri(self.uniform(name, *shape))

    def gumbel(self, name: str, *shape: int) -> Tensor:
        """(B, *shape), standard Gumbel, fp32."""
        return -torch.log(-torch.log(self.uniform(name, *shape)))


def _splitmix(x: Tensor) -> Tensor:
    """splitmix64's last step; shifts are logical, products wrap."""
    x = (x ^ (x >> 30 & (1 << 34) - 1)) * FIRST
    x = (x ^ (x >> 27 & (1 << 37) - 1)) * SECOND
    return x ^ (x >> 31 & (1 << 33) - 1)
