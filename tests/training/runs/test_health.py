"""A run whose numbers go wrong says where, on what, and what is still good."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.run import OptimConfig
from textgroup.errors import InputError
from textgroup.training.loop import train
from textgroup.training.objectives.contract import Losses
from textgroup.training.runs.checkpoint import newest_checkpoint
from textgroup.training.runs.progress import Meter, Progress

STEADY = OptimConfig(batch_size=8, epochs=20, warmup_epochs=0)


def test_the_first_bad_step_is_remembered() -> None:
    meter = Meter()
    one, nan = torch.tensor(1.0), torch.tensor(float("nan"))
    for step, (loss, norm) in enumerate([(one, one), (one, nan), (nan, one), (one, one)]):
        meter.add(step, Losses(loss, {}), norm, 8)
    assert meter.first_bad_step() == 1
    assert Meter().first_bad_step() is None


def test_a_step_that_fails_names_step_captions_and_the_last_good_checkpoint(tmp_path: Path) -> None:
    """The weights are broken after step 23; the log is written every 5 steps, and a checkpoint every 10."""

    def poison(report: Progress) -> None:
        if report.step == 23:
            with torch.no_grad():
                report.model.text_head.weight[0, 0] = float("nan")

    inputs = tiny_inputs()
    with pytest.raises(InputError) as told:
        train(tiny_config(tmp_path / "run", optim=STEADY), inputs, progress=poison)
    said = str(told.value)
    assert "not finite at step 24" in said
    assert str(tmp_path / "run" / "checkpoints" / "000020") in said
    assert "lower optim.lr" in said
    failed = json.loads((tmp_path / "run" / "failed_batch.json").read_text())
    assert failed["step"] == 24
    batch = inputs.train.batch(23, 8, 0)
    expected = [inputs.tokenizer.decode(row.tolist()) for chunk in batch.chunks for row in chunk.ids]
    assert [caption.replace("!", "").strip() for caption in failed["captions"]] == [
        caption.replace("!", "").strip() for caption in expected
    ]
    assert failed["captions"][0] in said
    saved = newest_checkpoint(tmp_path / "run")
    assert saved is not None
    assert saved.name == "000020"


def test_a_rate_that_is_far_too_high_leaves_no_broken_checkpoint(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "run", optim=replace(STEADY, lr=1e9, lr_start=1e9, clip=1e9))
    with pytest.raises(InputError, match=r"last good checkpoint is .*000001; lower"):
        train(replace(config, log=replace(config.log, every=1, save_every=1)), tiny_inputs())
    saved = newest_checkpoint(tmp_path / "run")
    assert saved is not None
    assert all(x.isfinite().all() for x in load_file(saved / "model.safetensors").values())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_told_as_such(tmp_path: Path, value: float) -> None:
    inputs = tiny_inputs()
    pooled = np.array(inputs.train.pooled)
    pooled[5, 2] = value
    with pytest.raises(InputError, match=r"features of 1 of 16 images are not finite, such as row 5") as told:
        train(tiny_config(tmp_path / "run"), replace(inputs, train=replace(inputs.train, pooled=pooled)))
    assert "optim.lr" not in str(told.value)
    assert not (tmp_path / "run" / "checkpoints").exists()
