"""Noise: it has the law that it should have, and depends on nothing but its name."""

import math

import pytest
import torch

from textgroup.keys import key_of
from textgroup.model.noise import Noise


def of(*rows: int, key: int = 0) -> Noise:
    return Noise(key, torch.tensor(rows))


def test_a_captions_noise_is_the_same_in_any_company_and_at_any_padding() -> None:
    alone = of(7).uniform("x", 3, 5)
    among = of(1, 7, 2).uniform("x", 3, 9)
    assert torch.equal(alone[0], among[1, :, :5])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (of(1).uniform("x", 50), of(2).uniform("x", 50)),
        (of(1).uniform("x", 50), of(1).uniform("y", 50)),
        (of(1).uniform("x", 50), of(1, key=key_of(0, 1)).uniform("x", 50)),
    ],
)
def test_captions_names_and_steps_have_noise_of_their_own(a: torch.Tensor, b: torch.Tensor) -> None:
    assert (a != b).float().mean() > 0.9
    assert abs(torch.corrcoef(torch.cat([a, b]))[0, 1]) < 0.5


def test_uniform_numbers_are_uniform_and_not_correlated_with_their_neighbours() -> None:
    found = Noise(key_of(3, 4), torch.arange(500)).uniform("x", 4, 100)
    assert found.min() > 0
    assert found.max() < 1
    count = torch.histc(found, bins=20, min=0, max=1)
    expected = found.numel() / 20
    assert ((count - expected) ** 2 / expected).sum() < 43.8  # chi squared, 19 degrees of freedom, p = 0.001
    for axis in range(3):
        a, b = found.narrow(axis, 0, found.shape[axis] - 1), found.narrow(axis, 1, found.shape[axis] - 1)
        both = torch.stack([a.flatten(), b.flatten()])
        assert abs(torch.corrcoef(both)[0, 1]) < 4 / math.sqrt(a.numel())


def test_normal_and_gumbel_numbers_have_the_moments_of_their_laws() -> None:
    noise = Noise(0, torch.arange(2000))
    normal, gumbel = noise.normal("n", 100), noise.gumbel("g", 100)
    assert abs(normal.mean().item()) < 0.01
    assert abs(normal.var().item() - 1) < 0.02
    assert abs(gumbel.mean().item() - 0.5772) < 0.02
    assert abs(gumbel.var().item() - math.pi**2 / 6) < 0.05
    assert torch.isfinite(normal).all()
    assert torch.isfinite(gumbel).all()
