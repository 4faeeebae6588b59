"""Any image model is an object encoder once its patches are clustered."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModel

from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.vision.encoders.backbone import Backbone, kmeans, read_transform
from textgroup.vision.encoders.open import open_encoder
from textgroup.vision.encoders.weights import load_frozen, weights_digest

PREPROCESSOR = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def blobs(batch: int, groups: int, each: int) -> tuple[Tensor, Tensor]:
    """Points (B, groups * each, 16) around far centres, shuffled, and the blob of each (B, N)."""
    random = torch.Generator().manual_seed(0)
    centres = torch.randn(batch, groups, 16, generator=random) * 10
    owner = torch.stack([torch.arange(groups * each)[torch.randperm(groups * each, generator=random)] % groups] * batch)
    points = centres.gather(1, owner[:, :, None].expand(-1, -1, 16))
    return points + torch.randn(points.shape, generator=random) * 0.1, owner


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import ViTConfig, ViTModel

    folder = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=8
    )
    ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return folder


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import ResNetConfig, ResNetModel

    folder = tmp_path_factory.mktemp("resnet")
    torch.manual_seed(0)
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], layer_type="basic")
    ResNetModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return folder


def test_kmeans_finds_well_separated_groups_in_each_image() -> None:
    points, truth = blobs(batch=3, groups=5, each=9)
    centres, owner = kmeans(points, 5)
    same = truth[:, :, None] == truth[:, None, :]
    assert torch.equal(owner[:, :, None] == owner[:, None, :], same)
    assert centres.shape == (3, 5, 16)


def test_kmeans_gives_the_same_groups_every_time_and_whatever_else_is_in_the_batch() -> None:
    points = torch.randn(4, 49, 16, generator=torch.Generator().manual_seed(0))
    centres, owner = kmeans(points, 8)
    again = kmeans(points[1:2], 8)
    assert torch.equal(again[1], owner[1:2])
    assert torch.allclose(again[0], centres[1:2], atol=1e-5)


def test_kmeans_gets_no_worse_from_round_to_round() -> None:
    points = torch.randn(4, 49, 16, generator=torch.Generator().manual_seed(0))

    def spread(rounds: int) -> float:
        centres, owner = kmeans(points, 8, rounds)
        return (points - centres.gather(1, owner[:, :, None].expand(-1, -1, 16))).square().sum().item()

    found = [spread(rounds) for rounds in (1, 2, 4, 10)]
    assert found == sorted(found, reverse=True)


def test_an_image_of_one_colour_has_one_group_and_no_nans() -> None:
    centres, owner = kmeans(torch.ones(2, 16, 4), 8)
    assert (owner == 0).all()
    assert torch.equal(centres, torch.ones(2, 8, 4))


def test_more_groups_than_patches_are_refused() -> None:
    with pytest.raises(InputError, match="4 patches cannot make 8 objects"):
        kmeans(torch.randn(1, 4, 3), 8)


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_pooled_is_the_mean_of_the_groups_weighted_by_their_masks(kind: str, request: pytest.FixtureRequest) -> None:
    encoder = open_encoder(f"backbone:{request.getfixturevalue(kind)}", device="cpu")
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = encoder.encode(pixels, vectors=True, masks=True)
    assert found.vectors is not None
    assert found.masks is not None
    assert found.vectors.shape == (2, encoder.objects, encoder.width)
    assert found.masks.shape == (2, encoder.objects, 32, 32)
    assert torch.equal(found.masks.sum(1), torch.ones(2, 32, 32))
    share = found.masks.mean((2, 3))  # (B, G)
    assert torch.allclose((share[:, :, None] * found.vectors).sum(1), found.pooled, atol=1e-5)
    assert torch.equal(encoder.encode(pixels).pooled, found.pooled)


def test_the_class_token_of_a_vit_is_no_patch(vit: Path) -> None:
    encoder = Backbone.open(str(vit), device="cpu")
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        tokens = encoder._model(pixel_values=pixels).last_hidden_state  # (2, 1 + 16, 16)
    assert tokens.shape[1] == 17
    assert torch.allclose(encoder.encode(pixels).pooled, tokens[:, 1:].mean(1), atol=1e-6)


def test_a_model_directory_gives_the_same_identity_every_time(vit: Path, resnet: Path) -> None:
    one, again = (open_encoder(f"backbone:{vit}", device="cpu").identity() for _ in range(2))
    assert one == again
    assert json.loads(json.dumps(one)) == one
    assert one["weights"] != open_encoder(f"backbone:{resnet}", device="cpu").identity()["weights"]


def test_a_folded_network_has_the_features_and_the_identity_of_the_one_that_was_opened(resnet: Path) -> None:
    encoder = open_encoder(f"backbone:{resnet}", device="cpu")
    whole = load_frozen(AutoModel, str(resnet), "resnet")
    pixels = torch.randn(2, 3, 32, 32)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in encoder._model.modules())  # type: ignore[attr-defined]
    expected = whole(pixel_values=pixels).last_hidden_state.mean((2, 3))
    assert torch.allclose(encoder.encode(pixels).pooled, expected, rtol=1e-4, atol=1e-5)
    assert encoder.identity()["weights"] == weights_digest(whole)


@pytest.mark.parametrize(
    ("config", "resize", "crop"),
    [
        ({"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}}, 256, 224),
        ({"size": {"shortest_edge": 256}, "crop_size": 224, "do_center_crop": True}, 256, 224),
        ({"size": {"height": 224, "width": 224}}, 224, 224),
        ({"size": 224, "resample": 3}, 224, 224),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, 256, 224),
    ],
)
def test_every_way_to_write_the_size_is_understood(config: dict[str, object], resize: int, crop: int) -> None:
    found = read_transform({"image_mean": [0.5] * 3, "image_std": [0.5] * 3, **config}, "x")
    assert (found.resize, found.crop) == (resize, crop)
    assert found.interpolation == ("bicubic" if config.get("resample") == 3 else "bilinear")
    assert read_transform({**PREPROCESSOR, **config}, "x", resize=240).resize == 240


@pytest.mark.parametrize(
    "config",
    [{}, {"size": {"longest_edge": 3}}, {**PREPROCESSOR, "resample": 0}, {**PREPROCESSOR, "rescale_factor": 1.0}],
)
def test_a_preprocessor_that_cannot_be_followed_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"image encoder x: .*not understood"):
        read_transform(config, "x")


def test_a_resize_below_the_crop_is_refused(vit: Path) -> None:
    with pytest.raises(InputError, match="resize 16: it must lie between the crop, 32"):
        open_encoder(f"backbone:{vit}", resize=16)


def test_a_model_of_text_is_no_image_encoder(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    small = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    BertModel(BertConfig(vocab_size=9, **small)).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="BertModel does not take images"):
        open_encoder(f"backbone:{tmp_path}")


def test_real_photographs_have_finite_features_that_differ(shared: Path) -> None:
    encoder = open_encoder(f"backbone:{shared / 'vision' / 'mobilenet_v2_1.0_224'}", resize=224, device="cpu")
    assert (encoder.width, encoder.transform.resize, encoder.transform.mean) == (1280, 224, (0.5, 0.5, 0.5))
    photos = read_samples(shared / "flickr8k" / "flickr8k-val-000000.tar")
    pixels = np.stack([encoder.transform(next(photos).image or b"") for _ in range(2)])
    found = encoder.encode(torch.from_numpy(pixels), vectors=True, masks=True)
    assert found.vectors is not None
    assert found.vectors.shape == (2, 8, 1280)
    assert found.vectors.isfinite().all()
    assert torch.cosine_similarity(found.pooled[0], found.pooled[1], dim=0) < 0.9
