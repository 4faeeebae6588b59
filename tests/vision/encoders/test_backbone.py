"""Any image model is an object encoder: its patches are the objects."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModel

from tests.vision.encoders.conftest import PREPROCESSOR
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.vision.encoders.backbone import Backbone, read_transform, shrink
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.open import open_again, open_encoder
from textgroup.vision.encoders.weights import load_frozen, weights_digest


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_the_objects_are_the_patches_and_each_has_a_cell_of_the_grid(kind: str, request: pytest.FixtureRequest) -> None:
    encoder = open_encoder(f"backbone:{request.getfixturevalue(kind)}", device="cpu")
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    objects = encoder.encode(pixels, vectors=True, masks=True)
    assert objects.vectors is not None
    assert objects.masks is not None
    assert objects.vectors.shape == (2, encoder.objects, encoder.width)
    side = round(encoder.objects**0.5)
    assert objects.masks.shape == (2, encoder.objects, side, side)
    assert torch.equal(objects.masks.flatten(2), torch.eye(encoder.objects).expand(2, -1, -1))
    assert torch.allclose(objects.vectors.mean(1), objects.pooled, atol=1e-5)
    assert torch.equal(encoder.encode(pixels).pooled, objects.pooled)


def test_a_patch_is_where_its_pixels_are(vit: Path) -> None:
    """Patches of a ViT without attention to others would be local; here: a change moves its own patch the most."""
    encoder = open_encoder(f"backbone:{vit}", device="cpu")
    pixels = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    changed = pixels.clone()
    changed[:, :, 8:16, 24:32] += 3.0  # second row, last column of a 4 x 4 grid
    moved = (encoder.encode(changed, vectors=True).vectors - encoder.encode(pixels, vectors=True).vectors).norm(dim=2)  # type: ignore[operator]
    masks = encoder.encode(pixels, masks=True).masks
    assert masks is not None
    assert masks[0, int(moved.argmax())].nonzero().tolist() == [[1, 3]]


def test_a_size_squashes_the_whole_image_and_is_part_of_the_identity(vit: Path) -> None:
    encoder = open_encoder(f"backbone:{vit}", size=32, device="cpu")
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, :8] = 255  # far outside a centre crop
    seen = encoder.transform(Image.fromarray(wide))
    assert seen.shape == (3, 32, 32)
    assert seen[:, :, 0].mean() > 0.9
    transform = encoder.identity()["transform"]
    assert transform["squash"] is True
    assert "squash" not in open_encoder(f"backbone:{vit}", device="cpu").identity()["transform"]
    assert open_again(f"backbone:{vit}", transform).identity() == encoder.identity()
    with pytest.raises(InputError, match="give one of them"):
        open_encoder(f"backbone:{vit}", size=32, resize=32)
    for size in (0, -8, 5000):
        with pytest.raises(InputError, match=f"size {size}: it must lie"):
            open_encoder(f"backbone:{vit}", size=size)


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
    deep, finer = whole(pixel_values=pixels, output_hidden_states=True).hidden_states[-1:-3:-1]
    assert (deep.shape[2], finer.shape[2]) == (4, 8)
    expected = torch.cat([deep.mean((2, 3)), finer.mean((2, 3))], dim=1)
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
    assert (encoder.width, encoder.transform.resize, encoder.transform.mean) == (1280 + 96, 224, (0.5, 0.5, 0.5))
    photos = read_samples(shared / "flickr8k" / "flickr8k-val-000000.tar")
    pixels = np.stack([encoder.transform(next(photos).image or b"") for _ in range(2)])
    found = encoder.encode(torch.from_numpy(pixels), vectors=True, masks=True)
    assert found.vectors is not None
    assert found.vectors.shape == (2, 49, 1376)
    assert found.vectors.isfinite().all()
    assert torch.cosine_similarity(found.pooled[0], found.pooled[1], dim=0) < 0.9


def test_a_larger_image_has_finer_patches_and_the_pooled_vector_of_the_own_size(resnet: Path) -> None:
    large, small = (open_encoder(f"backbone:{resnet}", size=size, device="cpu") for size in (64, 32))
    assert (large.objects, small.objects) == (8 * 8, 4 * 4)
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = large.encode(pixels, vectors=True)
    assert found.vectors is not None
    assert found.vectors.shape == (2, 64, large.width)
    assert torch.allclose(found.pooled, small.encode(shrink(pixels, 32)).pooled, atol=1e-5)
    assert torch.equal(large.encode(pixels).pooled, found.pooled)
    assert large.identity()["pooled_at"] == 32
    assert large.sizes == (64, 48, 88)
    for side, count in ((48, 6 * 6), (88, 11 * 11)):
        other = large.encode(torch.randn(1, 3, side, side), vectors=True).vectors
        assert other is not None
        assert other.shape[1] == count
    old = {name: value for name, value in large.identity().items() if name != "pooled_at"}
    with pytest.raises(InputError, match="pooled_at None and 32: encode the images again"):
        check_same_encoder(old, large.identity(), "the store", "this run")


def test_a_photograph_is_looked_at_in_the_sizes_that_the_network_takes(
    vit: Path, resnet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_encoder(f"backbone:{vit}", device="cpu").sizes == (32,)
    assert open_encoder(f"backbone:{resnet}", device="cpu").sizes == (32, 24, 40)
    particular = Backbone.open(str(resnet), device="cpu")
    plain = particular._layers

    def at_most_32(pixels: torch.Tensor) -> list[torch.Tensor]:
        if pixels.shape[-1] > 32:
            raise RuntimeError("the sizes of two tensors do not fit")
        return plain(pixels)

    monkeypatch.setattr(particular, "_layers", at_most_32)
    assert particular.sizes == (32, 24)
