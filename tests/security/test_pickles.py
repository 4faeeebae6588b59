"""No pickle is ever loaded: one is planted wherever a file could be one, and its program never runs."""

import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

import textgroup
from tests.security.kinds import FILES, USES
from textgroup.errors import InputError
from textgroup.evaluation.open_model import open_dual_encoder
from textgroup.model.pretrained import load_model
from textgroup.vision.encoders.open import open_encoder

RAN: list[str] = []


def spring(word: str) -> None:
    """What the pickle of a stranger does when it is read."""
    RAN.append(word)


class Trap:
    """Its pickle runs `spring`."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return spring, ("ran",)


@pytest.fixture(autouse=True)
def nothing_runs() -> Iterator[None]:
    RAN.clear()
    pickle.loads(pickle.dumps(Trap()))
    assert RAN == ["ran"], "the trap works"
    RAN.clear()
    yield
    assert RAN == []


def pickles() -> dict[str, bytes]:
    """A pickle by itself, as `torch.save` writes it, as NumPy does, and in a zip."""
    saved, array, archive = io.BytesIO(), io.BytesIO(), io.BytesIO()
    torch.save({"a": Trap()}, saved)
    np.save(array, np.array([Trap()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Trap()))
    return {
        "plain": pickle.dumps(Trap()),
        "torch": saved.getvalue(),
        "npy": array.getvalue(),
        "zip": archive.getvalue(),
    }


@pytest.mark.parametrize("form", pickles())
@pytest.mark.parametrize(("kind", "name"), FILES)
def test_a_pickle_in_place_of_any_file(good: Path, tmp_path: Path, kind: str, name: str, form: str) -> None:
    copy = Path(shutil.copytree(good / kind, tmp_path / kind))
    shutil.copytree(good / "images", tmp_path / "images")
    (copy / name).write_bytes(pickles()[form])
    with suppress(InputError):  # what is damaged is refused or made again; of encoded images the length alone is known
        USES[kind](copy)


@pytest.mark.parametrize("form", ["plain", "torch"])
@pytest.mark.parametrize("place", ["pytorch_model.bin", "optimizer.pt", "training.pt", "model.pkl", "model.ckpt"])
def test_a_pickle_beside_the_files_is_not_looked_at(good: Path, tmp_path: Path, place: str, form: str) -> None:
    for kind in ("checkpoint", "backbone", "clip"):
        copy = Path(shutil.copytree(good / kind, tmp_path / kind))
        (copy / place).write_bytes(pickles()[form])
        USES[kind](copy)


@pytest.mark.parametrize("form", ["plain", "torch"])
def test_a_directory_of_pickled_weights_alone_is_refused(good: Path, tmp_path: Path, form: str) -> None:
    for kind, name in (("backbone", "pytorch_model.bin"), ("clip", "pytorch_model.bin"), ("checkpoint", "model.bin")):
        copy = Path(shutil.copytree(good / kind, tmp_path / kind))
        (copy / "model.safetensors").unlink()
        (copy / name).write_bytes(pickles()[form])
    with pytest.raises(InputError, match="pickled"):
        open_encoder(f"backbone:{tmp_path / 'backbone'}")
    with pytest.raises(InputError, match="pickled"):
        open_dual_encoder(f"transformers:{tmp_path / 'clip'}")
    with pytest.raises(InputError, match=r"model\.safetensors missing"):
        load_model(tmp_path / "checkpoint")


def test_code_beside_a_model_is_not_run(good: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(good / "backbone", tmp_path / "backbone"))
    (copy / "modeling_trap.py").write_text("raise SystemExit('the code of a stranger ran')\n")
    config = json.loads((copy / "config.json").read_text())
    own = {"AutoConfig": "modeling_trap.Config", "AutoModel": "modeling_trap.Model"}
    (copy / "config.json").write_text(json.dumps(config | {"auto_map": own}))
    open_encoder(f"backbone:{copy}", device="cpu")
    (copy / "config.json").write_text(json.dumps(config | {"auto_map": own, "model_type": "of a stranger"}))
    with pytest.raises(InputError):
        open_encoder(f"backbone:{copy}", device="cpu")


def test_nothing_of_the_package_reads_pickles() -> None:
    """Neither a reader of pickles nor a door to one stands in the source."""
    root = Path(textgroup.__file__).parent
    doors = ("import pickle", "torch.load(", "allow_pickle=True", "joblib", "trust_remote_code=True", "yaml.load(")
    found = [
        f"{path.relative_to(root)}: {door}"
        for path in root.rglob("*.py")
        for door in doors
        if door in path.read_text(encoding="utf-8") and path.name != "weights.py"  # whose message has a command
    ]
    assert found == []
