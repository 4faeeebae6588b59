"""Model directories as people have them, and as nobody should."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from textgroup.errors import InputError
from textgroup.vision.encoders.open import copy_encoder, open_encoder


@pytest.fixture
def own(vit: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(vit, tmp_path / "model"))


def rewrite(file: Path, **fields: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_a_processor_as_transformers_5_writes_it_is_read(own: Path, tmp_path: Path) -> None:
    before = open_encoder(f"backbone:{own}", device="cpu").identity()
    preparation = json.loads((own / "preprocessor_config.json").read_text())
    (own / "preprocessor_config.json").unlink()
    (own / "processor_config.json").write_text(json.dumps({"image_processor": preparation}))
    assert open_encoder(f"backbone:{own}", device="cpu").identity() == before
    copy_encoder(f"backbone:{own}", tmp_path / "copy")
    assert open_encoder(f"backbone:{tmp_path / 'copy'}").transform.to_dict() == before["transform"]
    rewrite(own / "processor_config.json", image_processor=None)
    with pytest.raises(InputError, match="no image_processor"):
        open_encoder(f"backbone:{own}")
    (own / "processor_config.json").unlink()
    with pytest.raises(InputError, match=r"preprocessor_config\.json is missing beside the weights"):
        open_encoder(f"backbone:{own}")


def test_the_command_that_a_message_gives_converts_pickled_weights(own: Path) -> None:
    weights = load_file(own / "model.safetensors")
    before = open_encoder(f"backbone:{own}").identity()
    torch.save(weights, own / "pytorch_model.bin")
    (own / "model.safetensors").unlink()
    with pytest.raises(InputError, match="pickled") as raised:
        open_encoder(f"backbone:{own}")
    command = shlex.split(str(raised.value).partition("convert them: ")[2])
    assert command.pop(0) == "python"
    subprocess.run([sys.executable, *command], check=True)
    assert open_encoder(f"backbone:{own}").identity() == before


@pytest.mark.parametrize(
    "fields",
    [
        {"hidden_size": 10**9},
        {"hidden_size": 2**19, "intermediate_size": 2**19},
        {"intermediate_size": 2**30},
        {"num_hidden_layers": 10**6},
        {"num_hidden_layers": [1] * 10**5},
        {"image_size": 2**20, "patch_size": 1},
        {"num_labels": 10**9},
        {"hidden_size": -1},
        {"hidden_size": "x"},
        {"num_attention_heads": 0},
        {"hidden_act": "no such"},
        {"model_type": "no such"},
        {"id2label": 3},
    ],
)
def test_a_configuration_that_the_weights_cannot_fill_is_refused_unbuilt(own: Path, fields: dict[str, Any]) -> None:
    rewrite(own / "config.json", **fields)
    begun = process_time()
    with pytest.raises(InputError) as raised:
        open_encoder(f"backbone:{own}")
    assert "\n" not in str(raised.value)
    assert process_time() - begun < 5


@pytest.mark.parametrize(
    "fields",
    [
        *({"size": size} for size in (10**9, -1, 0, "x", [], None, {"shortest_edge": 1e400}, {"height": 3}, 1e300)),
        *({"image_mean": mean} for mean in ([], [1], ["x"] * 3, [1e400] * 3, None, 3, [[]] * 3)),
        *({"image_std": std} for std in ([0, 1, 1], [float("nan")] * 3)),
        *({"crop_pct": share} for share in (1e-300, -1, "x", [1])),
        *({"resample": x} for x in (77, "x", [], None)),
        *({"rescale_factor": x} for x in (77, "x", [], None, float("nan"))),
    ],
)
def test_a_preparation_that_cannot_be_is_refused(own: Path, fields: dict[str, Any]) -> None:
    rewrite(own / "preprocessor_config.json", **fields)
    with pytest.raises(InputError) as raised:
        open_encoder(f"backbone:{own}")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "model.safetensors"])
@pytest.mark.parametrize("content", ["", "[" * 100_000, '{"a":' * 100_000, "[]", "null", '"x"', "\ud800", "{}"])
def test_a_file_that_is_something_else_is_refused(own: Path, file: str, content: str) -> None:
    (own / file).write_text(content, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(InputError) as raised:
        open_encoder(f"backbone:{own}")
    assert "\n" not in str(raised.value)
