"""A run directory belongs to one process at a time, and to one configuration and one data set for ever."""

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.run import LogConfig, OptimConfig, RunConfig
from textgroup.errors import InputError
from textgroup.training.loop import train
from textgroup.training.runs.checkpoint import newest_checkpoint
from textgroup.training.runs.directory import open_run
from textgroup.training.runs.log import read
from textgroup.training.runs.progress import Progress

SHORT = OptimConfig(batch_size=8, epochs=2, warmup_epochs=1)


class Killed(Exception):
    """What ends a run in the middle here."""


def kill_at(step: int) -> Callable[[Progress], None]:
    def kill(report: Progress) -> None:
        if report.step == step:
            raise Killed

    return kill


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    """A run that was ended after its first checkpoint."""
    config = tiny_config(tmp_path_factory.mktemp("begun") / "run", optim=SHORT, log=LogConfig(save_every=1))
    with pytest.raises(Killed):
        train(config, tiny_inputs(), progress=kill_at(2))
    return config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optim.batch_size", 16),
        ("optim.lr", 1e-4),
        ("optim.warmup_epochs", 0.5),
        ("optim.clip", 1.0),
        ("loss.temperature", 0.1),
        ("loss.balance", 0.0),
        ("model.encoder.word_dropout", 0.5),
        ("model.decoder.noise", 0.9),
        ("units.steps", 99),
        ("seed", 1),
    ],
)
def test_what_a_run_was_begun_with_cannot_change(begun: RunConfig, name: str, value: Any) -> None:
    before = (Path(begun.out) / "config.yaml").read_text()
    with pytest.raises(InputError) as told:
        train(with_field(begun, name, value), tiny_inputs(), resume=True)
    assert f"{name} was " in str(told.value)
    assert f" and is {value};" in str(told.value)
    assert "another --out" in str(told.value)
    assert (Path(begun.out) / "config.yaml").read_text() == before


def with_field(config: Any, name: str, value: Any) -> Any:
    """The configuration with another value of the field of this dotted name."""
    first, _, rest = name.partition(".")
    return replace(config, **{first: with_field(getattr(config, first), rest, value) if rest else value})


def test_other_captions_or_features_are_refused(begun: RunConfig) -> None:
    inputs = tiny_inputs()
    ids = np.array(inputs.train.ids)
    ids[1], ids[2] = ids[2], ids[1]
    for data in (replace(inputs.train, ids=ids), replace(inputs.train, pooled=np.array(inputs.train.pooled) * 2)):
        with pytest.raises(InputError, match=r"other captions or features than data\.captions"):
            train(begun, replace(inputs, train=data), resume=True)


def test_length_log_and_chunk_may_change_and_the_run_may_have_moved(begun: RunConfig, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    Path(begun.out).rename(moved)
    longer = replace(begun.optim, epochs=3, chunk=4)
    try:
        train(
            replace(begun, out=str(moved), optim=longer, log=LogConfig(every=1, save_every=1)),
            tiny_inputs(),
            resume=True,
        )
        assert read(moved / "log.jsonl")[-1]["step"] == 6
    finally:
        moved.rename(begun.out)


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(tmp_path: Path, resume: bool) -> None:
    config = tiny_config(tmp_path / "run", optim=SHORT, log=LogConfig(every=1))
    with pytest.raises(Killed):
        train(config, tiny_inputs(), progress=kill_at(2))
    assert (tmp_path / "run" / "log.jsonl").read_text()
    assert newest_checkpoint(tmp_path / "run") is None
    train(config, tiny_inputs(), resume=resume)
    assert [line["step"] for line in read(tmp_path / "run" / "log.jsonl")] == [1, 2, 3, 4]


def test_a_second_process_is_refused_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "run", optim=SHORT)
    script = """
        import sys, time
        from pathlib import Path
        from textgroup.files import lock_directory
        with lock_directory(Path(sys.argv[1])):
            print("held", flush=True)
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), config.out]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another process is writing"):
            train(config, tiny_inputs())
        other.kill()
    assert (tmp_path / "run" / ".lock").exists()
    train(config, tiny_inputs())


def test_a_refused_run_leaves_no_directory(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "runs" / "run")
    with pytest.raises(Killed), open_run(config, resume=False):
        raise Killed
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_removed_under_its_run_ends_it(tmp_path: Path) -> None:
    run = tmp_path / "run"

    def remove(report: Progress) -> None:
        if report.step == 1:
            shutil.rmtree(run)

    with pytest.raises(InputError, match="was removed or replaced while the run wrote to it"):
        train(tiny_config(run, optim=SHORT), tiny_inputs(), progress=remove)
    assert not run.exists()
