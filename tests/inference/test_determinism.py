"""A caption's units are its own: company, order, batch size and threads change nothing."""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest
import torch

import textgroup
from tests.strange import PIECES
from textgroup.data.scenes.scene import scenes
from textgroup.inference import spans, streaming
from textgroup.inference.textgroup import TextGroup
from textgroup.units import Unit


@pytest.fixture(scope="module")
def model() -> TextGroup:
    return textgroup.load()


@pytest.fixture(scope="module")
def captions() -> list[str]:
    """Of scenes, of a few words and of many, and of what nobody expects."""
    plain = [scene.caption for scene in islice(scenes(0), 120)]
    strange = ["".join(Random(n).choices(PIECES, k=n % 30)) for n in range(60)]
    return [*plain, *strange, " ".join(plain[:40]), "a", ""]


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def check(model: TextGroup, captions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    expected: list[list[Unit]] = model.segment(captions)
    shuffled = list(range(len(captions)))
    Random(0).shuffle(shuffled)
    for order in (shuffled, shuffled[::-1]):
        found = model.segment([captions[i] for i in order])
        assert found == [expected[i] for i in order]
    for tokens, window in ((1, 7), (100, 64), (1 << 16, 1 << 16)):
        monkeypatch.setattr(spans, "TOKENS", tokens)
        monkeypatch.setattr(streaming, "WINDOW", window)
        assert model.segment(captions) == expected
    monkeypatch.undo()
    for number in (1, 2, 3):
        torch.set_num_threads(number)
        assert model.segment(captions) == expected


@pytest.mark.usefixtures("threads")
def test_company_order_batch_size_and_threads_change_no_unit(
    model: TextGroup, captions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check(model, captions, monkeypatch)
    assert [model.segment(caption) for caption in captions] == model.segment(captions)
    assert list(model.segment_stream(iter(captions))) == model.segment(captions)


@pytest.mark.slow
@pytest.mark.usefixtures("threads")
def test_nor_of_two_thousand_captions_that_people_wrote(
    model: TextGroup, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gzip.open(shared / "captions" / "coco.jsonl.gz", "rt", encoding="utf-8") as file:
        check(model, [json.loads(line)["caption"] for line in islice(file, 2_000)], monkeypatch)
