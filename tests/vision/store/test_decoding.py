"""Images are decoded ahead of the encoder, but not by much and not beside it."""

import time
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch

from tests.vision.store.encoding import encode
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.data.sources.samples import read_samples
from textgroup.vision.encoders.objects import Objects
from textgroup.vision.preprocess import Transform
from textgroup.vision.store.writing import encode_features


def test_decoding_runs_ahead_of_the_encoder_by_a_bounded_number(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 60)
    taken = 0

    def samples() -> object:
        nonlocal taken
        for sample in read_samples(images):
            taken += 1
            yield sample

    ahead: list[int] = []
    encode_features(
        samples(),
        TinyEncoder(),
        tmp_path / "store",
        source="x",
        batch_size=4,
        progress=lambda done, skipped: ahead.append(taken - done),
    )
    assert max(ahead) <= 2 * 4 + 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU leaves the cores to the decoders")
def test_nothing_is_decoded_while_an_encoder_works_on_the_same_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that takes one core from the encoder makes its others wait."""
    encoding = Event()
    beside: list[bool] = []
    decode = Transform.__call__

    def watched(self: Transform, image: Path) -> np.ndarray:
        beside.append(encoding.is_set())
        return decode(self, image)

    class Slow(TinyEncoder):
        def encode(self, pixels: torch.Tensor, vectors: bool = False, masks: bool = False) -> Objects:
            encoding.set()
            time.sleep(0.02)
            encoding.clear()
            return super().encode(pixels, vectors, masks)

    monkeypatch.setattr(Transform, "__call__", watched)
    encode(write_images(tmp_path / "images", 24), tmp_path / "store", encoder=Slow())
    assert len(beside) == 24
    assert not any(beside)
