"""`textgroup train`, killed at any moment, ends as if it had not been."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from textgroup.training.runs import checkpoint
from textgroup.training.runs.log import read

WORDS = ("a", "the", "red", "blue", "ring", "star", "fish", "kite", "is", "on", "under", "near", "old", "man", "sees")
STEPS = 48  # 240 captions, 20 a step, 4 epochs
COMMON = """
image_encoder: null
tokenizer: {vocabulary: 560}
optim: {batch_size: 20, epochs: 4, warmup_epochs: 1, lr: 0.005}
log: {every: 1, save_every: 5}
model:
  encoder: {width: 16, heads: 2, layers_before: 1, layers_after: 1, max_tokens: 16, word_dropout: 0.2}
  decoder: {noise: 0.3}
"""
DYNAMIC = (
    "--model.encoder.kind",
    "dynamic",
    "--units.teachers",
    "1",
    "--units.teacher_steps",
    "3",
    "--units.steps",
    "3",
)
CACHED = ("--optim.chunk", "7", "--loss.balance", "0.1", "--loss.contiguity", "0.5")


def start(out: Path, captions: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "textgroup", *train(out, captions), *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def train(out: Path, captions: Path) -> list[str]:
    config = captions.with_name("config.yaml")
    config.write_text(COMMON)
    return ["train", "--config", str(config), "--data.captions", str(captions), "--out", str(out), "--device", "cpu"]


def wait_for(process: "subprocess.Popen[str]", out: Path, step: int) -> None:
    """Until the run has logged this step, and a random moment more."""
    deadline = time.monotonic() + 200
    while not (out / "log.jsonl").exists() or max((line["step"] for line in read(out / "log.jsonl")), default=0) < step:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    order = random.Random(0)
    lines = [" ".join(order.choices(WORDS, k=order.randint(2, 9))) for _ in range(240)]
    path = tmp_path / "captions.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("settings", [DYNAMIC, CACHED], ids=["dynamic", "gradcache"])
def test_a_run_killed_at_random_steps_ends_bit_for_bit_as_one_that_was_not(
    tmp_path: Path, captions: Path, settings: tuple[str, ...]
) -> None:
    unbroken = start(tmp_path / "a", captions, *settings)
    order = random.Random()
    moments = sorted(order.sample(range(6, STEPS - 1), 2))  # after a first checkpoint, before the end
    again: list[str] = []
    for step in moments:
        process = start(tmp_path / "b", captions, *settings, *again)
        wait_for(process, tmp_path / "b", step)
        time.sleep(order.random() * 0.05)
        process.kill()
        process.communicate()
        again = ["--resume"]
    last = start(tmp_path / "b", captions, *settings, *again)
    for process in (unbroken, last):
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    a, b = (load_file(tmp_path / name / "last" / "model.safetensors") for name in "ab")
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a), f"killed at {moments}"
    a, b = (load_file(tmp_path / name / "last" / checkpoint.STATE) for name in "ab")
    assert a["step"] == STEPS
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert [line["step"] for line in read(tmp_path / "b" / "log.jsonl")] == list(range(1, STEPS + 1))


@pytest.mark.slow
def test_sigterm_saves_and_exits_0_and_torchrun_finishes_the_run(tmp_path: Path, captions: Path) -> None:
    """Stopped by a scheduler on one process, taken up by two."""
    process = start(tmp_path / "run", captions, *DYNAMIC)
    wait_for(process, tmp_path / "run", 3)
    process.send_signal(signal.SIGTERM)
    said, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    assert "is saved: go on with --resume" in said
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "textgroup", *train(tmp_path / "run", captions), *DYNAMIC, "--resume"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("trained:") == 1, "only the first process speaks"
    assert [line["step"] for line in read(tmp_path / "run" / "log.jsonl")] == list(range(1, STEPS + 1))
