"""A checkpoint to share: half as large, alike in use, with its image encoder if wanted."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import SafetensorError

import textgroup
from tests.training.tiny import tiny_config, tiny_inputs
from tests.vision.encoders.conftest import resnet  # noqa: F401  a fixture
from textgroup.config.run import OptimConfig
from textgroup.errors import InputError
from textgroup.inference.export import export
from textgroup.model.pretrained import load_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.loop import train
from textgroup.vision.encoders.open import open_encoder

SHORT = OptimConfig(batch_size=8, epochs=2, warmup_epochs=1)
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train(tiny_config(out, optim=SHORT), tiny_inputs())
    return out


def test_an_exported_checkpoint_is_half_as_large_and_cuts_alike(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "shared")
    weights = [(where / "model.safetensors").stat().st_size for where in (tmp_path / "shared", run / "last")]
    assert weights[0] < 0.6 * weights[1]
    captions = ["a red ring and a blue star", "there is a kite"]
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "shared").iterdir()}
    assert modes["model.safetensors"] == modes["config.json"], "who may read one may read the other"
    before, after = (textgroup.load(where).segment(captions) for where in (run, tmp_path / "shared"))
    assert before == after
    assert textgroup.load(tmp_path / "shared").model.decoder is None
    with pytest.raises(textgroup.InputError, match="exists: give a directory that does not"):
        export(run, tmp_path / "shared")


def test_without_images_the_router_alone_is_exported(tmp_path: Path) -> None:
    captions = ["Two girls in yellow raincoats stand on the deck.", "a red ring and a blue star"]
    model, tokenizer = load_model()
    units = textgroup.TextGroup(model, tokenizer).segment(captions)
    alone = TextGroupModel(model.encoder.config, None, model.embedding, vocabulary=model.vocabulary)
    alone.encoder.take_router(model.encoder)
    (tmp_path / "captions").mkdir()
    alone.save_pretrained(tmp_path / "captions")
    tokenizer.save(tmp_path / "captions" / "tokenizer.json")
    export(tmp_path / "captions", tmp_path / "shared")
    assert textgroup.load(tmp_path / "shared").segment(captions) == units
    router = sum(value.nbytes // 2 for value in model.encoder.router.parameters())  # in half precision
    assert (tmp_path / "shared" / "model.safetensors").stat().st_size < 1.2 * router


def test_with_its_encoder_a_checkpoint_needs_nothing_else(resnet: Path, tmp_path: Path) -> None:  # noqa: F811
    where = tmp_path / "encoder"
    shutil.copytree(resnet, where)
    encoder = open_encoder(f"backbone:{where}", device="cpu")
    inputs = tiny_inputs()
    wide = np.random.default_rng(0).normal(size=(16, encoder.width)).astype(np.float16)
    data = replace(inputs.train, pooled=wide, objects=None)
    train(
        tiny_config(tmp_path / "run", optim=SHORT),
        replace(inputs, train=data, val=data, image_encoder=encoder.identity()),
    )
    expected = textgroup.load(tmp_path / "run").encode_image(PICTURE)
    export(tmp_path / "run", tmp_path / "shared", with_encoder=True)
    shutil.rmtree(where)
    shutil.move(tmp_path / "shared", tmp_path / "elsewhere")
    shared = textgroup.load(tmp_path / "elsewhere")
    assert shared.encode_image(PICTURE) @ expected == pytest.approx(1, abs=1e-3)
    assert [g.unit for g in shared.ground(PICTURE, "a red ring")] == shared.segment("a red ring")
    with pytest.raises(textgroup.InputError, match="no directory"):
        textgroup.load(tmp_path / "run").encode_image(PICTURE)


def test_an_encoder_that_is_not_there_is_named_and_nothing_is_written(run: Path, tmp_path: Path) -> None:
    with pytest.raises(textgroup.InputError, match="image encoder 'none'"):
        export(run, tmp_path / "shared", with_encoder=True)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(TextGroupModel, "save_pretrained", full)
    with pytest.raises(InputError, match=r"shared: No space left on device: nothing is written; make room"):
        export(run, tmp_path / "shared")
    assert list(tmp_path.iterdir()) == []
