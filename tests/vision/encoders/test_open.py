"""Opening an encoder: what cannot be had is told in a line."""

from pathlib import Path

import pytest
from torch import nn

from textgroup.errors import InputError
from textgroup.model.packaged import PACKAGED_ENCODER
from textgroup.vision.encoders.open import open_encoder
from textgroup.vision.encoders.weights import freeze


@pytest.mark.parametrize("spec", ["", "vit:somewhere", "backbone", "backbone:", "GROUPVIT"])
def test_an_unknown_encoder_gets_a_list_of_those_there_are(spec: str) -> None:
    with pytest.raises(InputError, match=r"take groupvit\[:WHERE\] or backbone:WHERE or clusters:WHERE"):
        open_encoder(spec)


@pytest.mark.parametrize("kind", ["groupvit", "backbone", "clusters"])
def test_a_place_that_is_no_directory_is_told_without_asking_the_network(kind: str, tmp_path: Path) -> None:
    for place in (tmp_path / "none", "./none", "resnet", "a/b/c"):
        with pytest.raises(InputError, match="there is no directory"):
            open_encoder(f"{kind}:{place}")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file; give the directory"):
        open_encoder(f"{kind}:{tmp_path / 'file'}")


def test_the_encoder_of_the_packaged_model_has_a_name_that_holds_on_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = open_encoder("backbone:packaged", device="cpu").identity()
    assert packaged["encoder"] == "backbone:packaged"
    assert packaged["weights"] == open_encoder(f"backbone:{PACKAGED_ENCODER}", device="cpu").identity()["weights"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "packaged").mkdir()
    with pytest.raises(InputError, match=r"backbone:packaged: .*config.json is missing"):
        open_encoder("backbone:packaged")


def test_a_directory_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model can be read there, in safetensors") as raised:
        open_encoder(f"backbone:{tmp_path}")
    assert "\n" not in str(raised.value)


def test_a_hub_that_cannot_be_reached_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=r"offline\? fetch it once with `hf download owner/none`") as raised:
        open_encoder("backbone:owner/none")
    assert "\n" not in str(raised.value)


def test_a_frozen_module_neither_trains_nor_takes_gradients() -> None:
    module = freeze(nn.Sequential(nn.Linear(2, 2), nn.Dropout()))
    assert not any(part.training for part in module.modules())
    assert not any(parameter.requires_grad for parameter in module.parameters())
