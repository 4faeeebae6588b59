"""GroupViT as an object encoder equals transformers' own outputs, and stays frozen whatever its owner does."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.evaluation.two_towers import GROUPVIT
from textgroup.errors import InputError
from textgroup.vision.encoders.groupvit import GroupViT
from textgroup.vision.encoders.open import open_encoder


@pytest.fixture(scope="module")
def encoder() -> GroupViT:
    return GroupViT.random(0, **GROUPVIT)


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))


class Owner(nn.Module):
    """A trainable model that holds an encoder."""

    def __init__(self, encoder: GroupViT) -> None:
        super().__init__()
        self.head = nn.Linear(24, 4)
        self.encoder = encoder


def test_groups_are_those_of_transformers_and_pooled_is_their_mean(encoder: GroupViT, pixels: Tensor) -> None:
    with torch.no_grad():
        wanted = encoder._model(pixel_values=pixels)
    found = encoder.encode(pixels, vectors=True)
    assert found.vectors is not None
    assert found.vectors.shape == (3, encoder.objects, encoder.width) == (3, 4, 24)
    assert torch.equal(found.vectors, wanted.last_hidden_state)
    assert torch.allclose(found.pooled, wanted.pooler_output, atol=1e-6)
    assert found.masks is None


def test_masks_are_those_that_transformers_makes_of_the_attentions(encoder: GroupViT, pixels: Tensor) -> None:
    from transformers.models.groupvit.modeling_groupvit import get_grouping_from_attentions

    with torch.no_grad():
        attentions = encoder._model(pixel_values=pixels, output_attentions=True).attentions
    wanted = get_grouping_from_attentions(attentions, (32, 32))
    found = encoder.encode(pixels, masks=True).masks
    assert found is not None
    assert found.shape == (3, 4, 32, 32)
    assert torch.allclose(found, wanted, atol=1e-6)


def test_the_groups_share_every_pixel_among_them(encoder: GroupViT, pixels: Tensor) -> None:
    masks = encoder.encode(pixels, masks=True).masks
    assert masks is not None
    assert torch.allclose(masks.sum(1), torch.ones(3, 32, 32), atol=1e-5)
    assert masks.var(dim=1).max() > 0


def test_training_mode_of_the_owner_does_not_reach_the_encoder(encoder: GroupViT, pixels: Tensor) -> None:
    before = encoder.encode(pixels, vectors=True)
    owner = Owner(encoder).train()
    owner.to(torch.float64)
    after = owner.encoder.encode(pixels, vectors=True)
    assert before.vectors is not None
    assert after.vectors is not None
    assert torch.equal(before.vectors, after.vectors)
    assert {name for name, _ in owner.named_parameters()} == {"head.weight", "head.bias"}
    assert not any(name.startswith("encoder") for name in owner.state_dict())


def test_training_mode_of_the_tower_itself_would_change_its_outputs(pixels: Tensor) -> None:
    encoder = GroupViT.random(0, **GROUPVIT)
    before = encoder.encode(pixels).pooled
    encoder._model.train()
    torch.manual_seed(0)
    assert not torch.allclose(before, encoder.encode(pixels).pooled, atol=1e-4)


def test_nothing_in_the_tower_takes_gradients(encoder: GroupViT, pixels: Tensor) -> None:
    assert not encoder.encode(pixels).pooled.requires_grad
    assert not any(parameter.requires_grad for parameter in encoder._model.parameters())
    assert not any(module.training for module in encoder._model.modules())


def test_features_can_be_trained_upon(encoder: GroupViT, pixels: Tensor) -> None:
    head = nn.Linear(24, 4)
    head(encoder.encode(pixels).pooled).sum().backward()
    assert head.weight.grad is not None


def test_the_transform_is_that_of_the_authors_whatever_the_hub_says(encoder: GroupViT) -> None:
    full = GroupViT.random(0, **{**GROUPVIT, "image_size": 224, "patch_size": 32}).transform
    assert (full.resize, full.crop, full.interpolation) == (256, 224, "bilinear")
    assert full.mean == (0.485, 0.456, 0.406)
    assert full.std == (0.229, 0.224, 0.225)
    with pytest.raises(InputError, match="takes 32 x 32"):
        encoder.encode(torch.zeros(1, 3, 16, 16))


def test_a_saved_tower_and_a_whole_groupvit_open_as_the_same_encoder(
    encoder: GroupViT, pixels: Tensor, tmp_path: Path
) -> None:
    from transformers import GroupViTConfig, GroupViTModel

    encoder._model.save_pretrained(tmp_path / "vision")
    text = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = GroupViTConfig(text_config={**text, "vocab_size": 50}, vision_config=encoder._model.config.to_dict())
    whole = GroupViTModel(config)
    whole.vision_model.load_state_dict(encoder._model.vision_model.state_dict())
    whole.save_pretrained(tmp_path / "whole")
    for name in ("vision", "whole"):
        again = open_encoder(f"groupvit:{tmp_path / name}", resize=32, device="cpu")
        assert again.identity()["weights"] == encoder.identity()["weights"]
        assert again.transform.resize == 32
        assert torch.equal(again.encode(pixels).pooled, encoder.encode(pixels).pooled)
    assert GroupViT.random(1, **GROUPVIT).identity()["weights"] != encoder.identity()["weights"]


def test_a_directory_with_other_weights_or_pickles_is_refused(encoder: GroupViT, tmp_path: Path) -> None:
    encoder._model.save_pretrained(tmp_path / "a")
    config = (tmp_path / "a" / "config.json").read_text()
    (tmp_path / "a" / "config.json").write_text(config.replace('"intermediate_size": 48', '"intermediate_size": 40'))
    with pytest.raises(InputError, match="missing or of another shape"):
        open_encoder(f"groupvit:{tmp_path / 'a'}")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "config.json").write_text(config)
    torch.save(encoder._model.state_dict(), tmp_path / "b" / "pytorch_model.bin")
    with pytest.raises(InputError, match="only safetensors are read"):
        open_encoder(f"groupvit:{tmp_path / 'b'}")
