"""A GroupViT in training: noise where its authors had it, drawn by name; a graph of one chunk."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.evaluation.two_towers import GROUPVIT
from textgroup.keys import key_of
from textgroup.model.noise import Noise
from textgroup.vision.encoders.groupvit import GroupViT
from textgroup.vision.encoders.tower import ImageTower

SMALL = {**GROUPVIT, "patch_size": 8}
NOISE = Noise(key_of(0, 1), torch.arange(7))


@pytest.fixture(scope="module")
def tower() -> ImageTower:
    return ImageTower.random(0, **SMALL)


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    return torch.randn(7, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_from_scratch_no_two_groups_begin_alike_and_the_seed_decides(tower: ImageTower) -> None:
    tokens = dict(tower.named_parameters())["model.vision_model.encoder.stages.0.group_token"]
    assert 0 < tokens.abs().max() <= 0.04
    assert len(tokens[0].unique(dim=0)) == 8
    again = ImageTower.random(0, **SMALL)
    assert all(torch.equal(p, q) for p, q in zip(tower.parameters(), again.parameters()))


@torch.no_grad()
def test_without_noise_it_is_the_frozen_encoder(tower: ImageTower, pixels: Tensor, tmp_path: Path) -> None:
    tower.save(tmp_path)
    frozen = GroupViT.open(str(tmp_path / "image_encoder"), device="cpu")
    assert torch.equal(tower(pixels), frozen.encode(pixels).pooled)
    assert tower.transform == frozen.transform
    assert tower.identity()["weights"] == frozen.identity()["weights"]


@torch.no_grad()
def test_the_noise_is_where_transformers_in_training_mode_would_put_its_own(
    tower: ImageTower, pixels: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given the same numbers, the same vectors."""
    drawn = iter([NOISE.gumbel("objects 0", 8, 16), NOISE.gumbel("objects 1", 4, 8)])
    monkeypatch.setattr("torch.distributions.gumbel.Gumbel.sample", lambda self, shape: next(drawn))
    found = tower(pixels, NOISE)
    wanted = tower.model.train()(pixel_values=pixels).last_hidden_state.mean(1)
    tower.eval()
    assert torch.allclose(found, wanted, atol=1e-5)
    assert not torch.allclose(found, tower(pixels), atol=1e-3), "noise matters, and none is left over"


@torch.no_grad()
def test_soft_steps_share_each_patch_out_and_evaluation_is_hard_all_the_same(
    pixels: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    tower = ImageTower.random(0, **SMALL)
    hard, noisy = tower(pixels), tower(pixels, NOISE)
    tower.soft = True
    assert torch.equal(tower(pixels), hard)
    soft = tower(pixels, NOISE)
    other = Noise(key_of(0, 2), NOISE.rows)
    assert torch.equal(tower(pixels, other), soft), "no noise is drawn"
    tower.soft = False
    assert torch.equal(tower(pixels, NOISE), noisy)
    hardened = "transformers.models.groupvit.modeling_groupvit.hard_softmax"
    monkeypatch.setattr(hardened, lambda logits, dim: logits.softmax(dim))
    assert torch.allclose(soft, tower(pixels), atol=1e-5)


@torch.no_grad()
def test_training_mode_does_not_reach_transformers_own_noise(tower: ImageTower, pixels: Tensor) -> None:
    before = tower(pixels)
    assert torch.equal(tower.train()(pixels), before)
    assert torch.equal(torch.nn.ModuleList([tower]).train()[0](pixels), before)


@torch.no_grad()
def test_an_images_vector_does_not_depend_on_the_chunk_it_is_in(tower: ImageTower, pixels: Tensor) -> None:
    assert torch.allclose(tower(pixels, NOISE), tower(pixels, NOISE, 3), atol=1e-5)
    assert torch.allclose(tower(pixels, NOISE)[2:4], tower(pixels[2:4], Noise(NOISE.key, NOISE.rows[2:4])), atol=1e-5)


def test_before_backward_a_chunked_pass_keeps_the_pixels_and_nothing_else(tower: ImageTower, pixels: Tensor) -> None:
    def kept(chunk: int | None) -> int:
        """Numbers that autograd keeps."""
        numbers = 0

        def count(x: Tensor) -> Tensor:
            nonlocal numbers
            numbers += x.numel()
            return x

        with torch.autograd.graph.saved_tensors_hooks(count, lambda x: x):
            tower(pixels, NOISE, chunk)
        return numbers

    assert kept(3) == pixels.numel()
    assert kept(None) > 10 * pixels.numel()
