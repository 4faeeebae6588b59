"""The newest checkpoint is whole, finite, and never removed."""

import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.run import OptimConfig
from textgroup.errors import InputError
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.build import build_model
from textgroup.training.loop import train
from textgroup.training.optim import adamw
from textgroup.training.runs import checkpoint
from textgroup.training.runs.log import read

SHORT = OptimConfig(batch_size=8, epochs=4, lr=5e-3, warmup_epochs=1)


@pytest.fixture(scope="module")
def model() -> TextGroupModel:
    return build_model(tiny_config(Path("never")), tiny_inputs())


def save(run: Path, step: int, model: TextGroupModel) -> Path:
    return checkpoint.save(run, step, model, tiny_inputs().tokenizer, adamw(model, SHORT))


def test_the_oldest_is_dropped_by_its_step_and_not_by_its_name(tmp_path: Path, model: TextGroupModel) -> None:
    for step in (999_000, 999_500, 1_000_000):
        saved = save(tmp_path, step, model)
        assert checkpoint.newest_checkpoint(tmp_path) == saved
        assert saved.is_dir()
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["1000000", "999500"]


def test_what_lies_there_with_a_higher_number_is_left_and_displaces_nothing(
    tmp_path: Path, model: TextGroupModel
) -> None:
    for name in ("000071", "000072", "notes"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    for step in (10, 20, 30):
        save(tmp_path, step, model)
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["000020", "000030", "000071", "000072", "notes"]
    assert checkpoint.newest_checkpoint(tmp_path) == tmp_path / "checkpoints" / "000030"


def test_a_copy_of_a_run_without_its_link_has_its_newest_checkpoint(tmp_path: Path, model: TextGroupModel) -> None:
    for step in (999_999, 1_000_000):
        save(tmp_path, step, model)
    (tmp_path / "last").unlink()
    (tmp_path / "checkpoints" / "1000001").mkdir()  # not whole
    assert checkpoint.newest_checkpoint(tmp_path) == tmp_path / "checkpoints" / "1000000"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_model_that_is_not_finite_is_not_saved(tmp_path: Path, model: TextGroupModel, value: float) -> None:
    good = save(tmp_path, 1, model)
    broken = build_model(tiny_config(tmp_path), tiny_inputs())
    with torch.no_grad():
        broken.encoder.embedding.token.weight[3, 0] = value
    with pytest.raises(InputError, match=r"not finite, such as encoder.*000001"):
        save(tmp_path, 2, broken)
    assert checkpoint.newest_checkpoint(tmp_path) == good
    assert all(x.isfinite().all() for x in load_file(good / "model.safetensors").values())


def no_space(kind: str) -> Exception:
    if kind == "safetensors":
        return SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("kind", ["safetensors", "python"])
def test_a_full_disk_is_one_line_and_leaves_the_checkpoint_before(
    tmp_path: Path, model: TextGroupModel, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = save(tmp_path, 1, model)

    def full(*_: object) -> None:
        raise no_space(kind)

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(InputError, match=r"000002: No space left on device: step 2 is not saved; .*000001; make room"):
        save(tmp_path, 2, model)
    assert checkpoint.newest_checkpoint(tmp_path) == good
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000001"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a file system cannot be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_run_on_a_full_disk_stops_and_goes_on_when_there_is_room(tmp_path: Path, small_disk: Path) -> None:
    config, inputs = tiny_config(small_disk / "run", optim=SHORT), tiny_inputs()
    config = replace(config, log=replace(config.log, every=1, save_every=2))
    ballast = small_disk / "ballast"

    with pytest.raises(InputError, match=r"No space left on device.*the last good checkpoint is .*make room"):
        train(config, inputs, progress=lambda report: fill(ballast) if report.step == 3 else None)
    assert checkpoint.newest_checkpoint(small_disk / "run") == small_disk / "run" / "checkpoints" / "000002"
    ballast.unlink()
    train(config, inputs, resume=True)
    assert [line["step"] for line in read(small_disk / "run" / "log.jsonl")] == list(range(1, 9))
    train(replace(config, out=str(tmp_path / "unbroken")), inputs)
    a, b = (load_file(run / "last" / "model.safetensors") for run in (small_disk / "run", tmp_path / "unbroken"))
    assert all(torch.equal(a[name], b[name]) for name in a)


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            return
