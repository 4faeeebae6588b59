"""Killed at any moment, the same command ends with the same bytes, and nothing half-written ever counts."""

import hashlib
import os
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.killing import run, run_for
from tests.training.tiny import COLOURS, SHAPES
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.cli import main
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.training.runs.checkpoint import newest_checkpoint
from textgroup.vision.preprocess import Transform
from textgroup.vision.store.photographs import pack
from textgroup.vision.store.writing import encode_features

SETTINGS = """
image_encoder: null
tokenizer: {vocabulary: 560}
optim: {batch_size: 8, epochs: 2, lr: 0.005}
log: {every: 1, save_every: 2}
model:
  encoder: {width: 16, heads: 2, layers_before: 1, layers_after: 1, max_tokens: 16, word_dropout: 0.2}
  decoder: {noise: 0.3}
"""
VOLATILE = {"log.jsonl", ".lock"}
"""Files that differ between two runs that nobody disturbed: captions per second are in the log."""


def train(source: Path, out: Path) -> None:
    """`textgroup train`, with --resume where there is something to resume."""
    words = ["train", "--config", str(source / "config.yaml"), "--data.captions", str(source / "captions.txt")]
    words += ["--out", str(out), "--device", "cpu"]
    assert main([*words, "--resume"] if newest_checkpoint(out) else words) == 0


def encode(source: Path, out: Path) -> None:
    """`textgroup features`, with an encoder of a few numbers."""
    images = source / "images"
    encode_features(read_samples(images), TinyEncoder(), out, source=str(images), groups=True, batch_size=4, part=10)


def pack_photographs(source: Path, out: Path) -> None:
    """What `textgroup train` does first where the image tower is trained."""
    samples = (Sample(sample.key, ("a caption",), sample.image) for sample in read_samples(source / "images"))
    pack(samples, out / "photographs", {"images": "here"}, "here", Transform(8, 8, (0, 0, 0), (1, 1, 1), "bilinear"))


WORK = {"train": train, "features": encode, "packing": pack_photographs}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """32 captions, and 35 images of which two are broken."""
    folder = tmp_path_factory.mktemp("source")
    captions = [f"{article} {colour} {shape}" for article in ("a", "the") for colour in COLOURS for shape in SHAPES]
    (folder / "captions.txt").write_text("\n".join(captions) + "\n")
    (folder / "config.yaml").write_text(SETTINGS)
    write_images(folder / "images", 35, broken=(3, 17))
    return folder


@pytest.fixture(scope="module")
def undisturbed(source: Path) -> Callable[[str], tuple[Path, int]]:
    """The directory that a piece of work leaves when nobody disturbs it, and how many file operations it takes."""
    done: dict[str, tuple[Path, int]] = {}

    def once(name: str) -> tuple[Path, int]:
        if name not in done:
            out = source / f"undisturbed {name}"
            done[name] = out, run(WORK[name], source, out, out=out)
        return done[name]

    return once


def contents(out: Path) -> dict[str, str]:
    """A digest of every file that has to be the same, and where every link leads. `config.yaml` names its directory."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and path.name not in VOLATILE:
            content = path.read_bytes().replace(os.fsencode(out), b"OUT")
            found[name] = hashlib.sha256(content).hexdigest()
    return found


@pytest.mark.parametrize("name", WORK)
def test_killed_at_a_few_file_operations(
    name: str, source: Path, tmp_path: Path, undisturbed: Callable[[str], tuple[Path, int]]
) -> None:
    whole, operations = undisturbed(name)
    for at in random.Random(name).sample(range(1, operations + 1), 3):
        killed_once(name, source, tmp_path / str(at), whole, at)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_killed_at_every_file_operation(
    name: str, source: Path, tmp_path: Path, undisturbed: Callable[[str], tuple[Path, int]]
) -> None:
    whole, operations = undisturbed(name)
    for at in range(1, operations + 1):
        killed_once(name, source, tmp_path / str(at), whole, at)


def killed_once(name: str, source: Path, out: Path, whole: Path, at: int) -> None:
    run(WORK[name], source, out, out=out, at=at)
    run(WORK[name], source, out, out=out)
    assert contents(out) == contents(whole), f"{name}, killed before operation {at}"


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_killed_at_random_moments_again_and_again(
    name: str, source: Path, tmp_path: Path, undisturbed: Callable[[str], tuple[Path, int]]
) -> None:
    whole, _ = undisturbed(name)
    work = partial(WORK[name], source, tmp_path / "out")
    begin = time.monotonic()
    run(WORK[name], source, tmp_path / "timed", out=tmp_path / "timed")
    seconds, order = time.monotonic() - begin, random.Random(name)
    kills = 0
    while kills < 30:
        if run_for(work, seconds=order.uniform(0, seconds)):
            assert contents(tmp_path / "out") == contents(whole), f"{name}, killed {kills} times"
            shutil.rmtree(tmp_path / "out")
        else:
            kills += 1
    run(WORK[name], source, tmp_path / "out", out=tmp_path / "out")
    assert contents(tmp_path / "out") == contents(whole)
