"""Where units lie in a photograph, by an encoder that sees two halves."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import textgroup
from tests.training.tiny import tiny_config, tiny_inputs
from tests.vision.tiny import TinyEncoder
from textgroup.config.run import LossConfig
from textgroup.inference.heat import MIDDLE
from textgroup.inference.looking import look_at
from textgroup.inference.scene import ALIKE, NEAR, Scene
from textgroup.model.sharpness import SHARPNESS
from textgroup.training.loop import train
from textgroup.vision.encoders.objects import Objects


class Halves(TinyEncoder):
    """Vectors of width 8 as `tiny_inputs` has them: the left half of an image is a red thing, the right half a kite."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def encode(self, pixels: torch.Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        self.seen.append(pixels.numpy())
        things = torch.eye(8)[[0, 7]].expand(len(pixels), 2, 8)
        halves = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]]).expand(len(pixels), 2, 1, 2)
        return Objects(things, things.mean(1), halves)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("runs") / "run"
    config = tiny_config(out, loss=LossConfig())
    encoder = replace(config.model.encoder, kind="dynamic", heads=1, layers_before=0, layers_after=0, groups=4)
    config = replace(config, model=replace(config.model, encoder=encoder), optim=replace(config.optim, epochs=60))
    train(config, tiny_inputs())
    model = textgroup.load(out)
    model.model.encoder.router.logits.bias.data[1] += 100  # every unit with a letter names something
    model._encoder = Halves()
    return model


PICTURE = Image.new("RGB", (30, 10), "grey")


def test_a_phrase_points_at_the_half_that_it_names(model: Any) -> None:
    caption = "there is a kite , it is red"
    scene = model.look_at(PICTURE)
    kite, red = model.heat_maps(scene, caption, [(11, 15), (24, 27)])
    assert kite.shape == red.shape == (1, 2)
    assert kite[0, 1] > kite[0, 0]
    assert red[0, 0] > red[0, 1]


def test_each_span_has_the_same_heat_alone_and_among_more_than_the_model_has_groups(model: Any) -> None:
    caption = "there is a kite , it is red"
    spans = [(0, 5), (6, 8), (9, 15), (18, 27), (24, 27)]
    assert len(spans) > model.model.most_groups
    scene = model.look_at(PICTURE)
    together = model.heat_maps(scene, caption, spans)
    assert len(together) == len(spans)
    np.testing.assert_allclose(together[4], model.heat_maps(scene, caption, spans[4:])[0], atol=1e-5)


def test_what_lies_beyond_the_tokens_that_are_read_is_found_too(model: Any) -> None:
    caption = "there is a kite , it is blue , " * 3 + "a red kite"
    assert model.tokenizer.encode(caption).left_out
    scene = model.look_at(PICTURE)
    last = (len(caption) - len("a red kite"), len(caption))
    (far,), (alone,) = model.heat_maps(scene, caption, [last]), model.heat_maps(scene, "a red kite", [(0, 10)])
    np.testing.assert_allclose(far, alone, atol=1e-5)
    assert model.ground(PICTURE, caption)[-1].unit.end == len(caption)


def test_ground_gives_each_unit_a_point_in_the_whole_photograph(model: Any) -> None:
    groundings = model.ground(PICTURE, "there is a kite , it is red")
    assert [g.unit for g in groundings] == model.segment("there is a kite , it is red")
    named = [g for g in groundings if g.unit.groundable]
    assert named
    for _, heat, (x, y), (x0, y0, x1, y1), score in named:
        assert heat.max() == pytest.approx(score - MIDDLE / 4)  # the middle of a half is a quarter from the middle
        assert 0 <= x0 <= x <= x1 <= 1
        assert 0 <= y0 <= y <= y1 <= 1
    assert model._encoder.seen[-1].shape == (1, 3, 8, 8)


def test_the_whole_photograph_is_seen_and_not_its_middle_alone(model: Any) -> None:
    left_edge = PICTURE.copy()
    left_edge.paste("red", (0, 0, 5, 10))
    model.look_at(left_edge)
    pixels = model._encoder.seen[-1][0]
    assert not np.allclose(pixels[0, :, 0], pixels[1, :, 0]), "the edge is red"
    np.testing.assert_allclose(pixels[0, :, -1], pixels[1, :, -1], err_msg="the other one is grey")


def test_one_photograph_takes_one_caption_or_several(model: Any) -> None:
    one = model.ground(PICTURE, "a red kite")
    several = model.ground(PICTURE, ["a red kite", "", "a blue star"])
    assert [g.unit for g in several[0]] == [g.unit for g in one]
    assert several[1] == []
    assert len(several) == 3
    with pytest.raises(textgroup.InputError, match="one image"):
        model.ground([PICTURE, PICTURE], "a red kite")
    with pytest.raises(textgroup.InputError, match=r"captions?\[1\]"):
        model.ground(PICTURE, ["a red kite", None])


def test_heat_is_the_cosine_of_what_is_there_less_the_distance_from_the_middle() -> None:
    """Four objects, one of which the image does not have. Two share the second cell, and the one that is more like the
    unit counts for more, as in training; in the last cell there is none."""
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    masks = torch.tensor([[[1.0, 0.25, 0, 0, 0]], [[0, 0.75, 1, 0, 0]], [[0, 5.0, 5, 5, 5]], [[0, 0, 0, 1.0, 0]]])
    heat = Scene(vectors.numpy(), masks.numpy()).heat(np.array([0.6, 0.8]))
    one, other = 0.25 * math.exp(SHARPNESS * 0.6), 0.75 * math.exp(SHARPNESS * 0.8)
    cosines = np.array([[0.6, (one * 0.6 + other * 0.8) / (one + other), 0.8, -0.6, -0.6]])
    np.testing.assert_allclose(heat, cosines - MIDDLE * np.array([[0.4, 0.2, 0, 0.2, 0.4]]), rtol=1e-5)


class Patches(TinyEncoder):
    """Four patches in a row: two of one kind at the left, two of another at the right."""

    def encode(self, pixels: torch.Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        found = torch.eye(8)[[0, 0, 7, 7]][None]
        return Objects(found, found.mean(1), torch.eye(4).reshape(1, 4, 1, 4))


class Sizes(TinyEncoder):
    """Two by two patches at its own size, three by three at another; a vector for each column."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes, self.seen = (8, 12), list[int]()

    def encode(self, pixels: torch.Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        self.seen.append(pixels.shape[-1])
        side = pixels.shape[-1] // 4
        columns = torch.eye(8)[torch.arange(side).repeat(side)][None]  # (1, side * side, 8)
        return Objects(columns, columns.mean(1), torch.eye(4).reshape(1, 4, 2, 2))


def test_a_photograph_is_seen_at_all_sizes_and_each_cell_takes_the_mean(model: Any) -> None:
    encoder = Sizes()
    scene = look_at(model.model, encoder, PICTURE)
    assert encoder.seen == [8, 12]
    left, middle, right = model.model.embed_objects(torch.eye(8)[None, :3])[0].detach().numpy()
    # of two cells, the middle of the first lies a quarter of a cell to the right of the first of three
    expected = np.stack([left + 0.75 * left + 0.25 * middle, middle + 0.25 * middle + 0.75 * right])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(scene.vectors.reshape(2, 2, -1), np.stack([expected, expected]), atol=1e-5)


def test_patches_that_are_alike_and_near_share_their_heat(model: Any) -> None:
    scene = look_at(model.model, Patches(), PICTURE)
    shares = scene.shares
    assert shares is not None
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    cosine = float(scene.vectors[0] @ scene.vectors[2])
    logits = [ALIKE, ALIKE - (0.25 / NEAR) ** 2 / 2, ALIKE * cosine - (0.5 / NEAR) ** 2 / 2]
    for patch, logit in enumerate(logits):
        assert float(shares[0, patch] / shares[0, 0]) == pytest.approx(math.exp(logit - logits[0]), rel=1e-4)
    assert model.look_at(PICTURE).shares is not None, "two halves, one cell each"
