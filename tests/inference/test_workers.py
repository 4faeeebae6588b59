"""Several processes give what one gives, in order."""

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

import textgroup
from textgroup.inference.result import Units
from textgroup.inference.streaming import WINDOW
from textgroup.inference.workers import segment_in_workers

WORDS = ["a man", "two dogs", "in a blue hat", "on the beach", "", "a red ball and a kite", "run"]
CAPTIONS = [f"{WORDS[i % 7]} {WORDS[i // 7 % 7]} {WORDS[i // 49 % 7]}" for i in range(2 * WINDOW + 100)]


def caption_and_units(units: Units) -> tuple[str, Units, int]:
    return units.caption, units, os.getpid()


def end_the_process(units: Units) -> None:
    os._exit(1)


@pytest.mark.slow
def test_workers_give_the_same_units_in_the_same_order() -> None:
    given = list(segment_in_workers(None, iter(CAPTIONS), 2, caption_and_units))
    assert [caption for caption, _, _ in given] == CAPTIONS
    assert [units for _, units, _ in given] == textgroup.load().segment(CAPTIONS)
    assert os.getpid() not in {process for _, _, process in given}


def test_a_model_can_be_sent_to_another_process() -> None:
    """As `datasets`, Ray and `multiprocessing` do."""
    model = textgroup.load()
    sent = pickle.loads(pickle.dumps(model))
    assert sent.segment(CAPTIONS[:50]) == model.segment(CAPTIONS[:50])


@pytest.mark.slow
def test_only_as_many_captions_are_read_ahead_as_the_workers_take() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "a man in a blue hat"

    stream = segment_in_workers(None, endless(), 1, str)
    assert next(stream) == "a man | in | a blue hat"
    assert taken <= 2 * WINDOW
    stream.close()  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_worker_that_is_ended_from_outside_is_told() -> None:
    with pytest.raises(textgroup.InputError, match="one of 1 workers was ended"):
        list(segment_in_workers(None, ["a man"], 1, end_the_process))


def test_bad_input_is_told_before_a_worker_is_started(tmp_path: Path) -> None:
    with pytest.raises(textgroup.InputError, match=r"captions\[1\] is 7"):
        list(segment_in_workers(None, ["a man", 7], 1, str))  # type: ignore[list-item]
    with pytest.raises(textgroup.InputError, match="give at least 1"):
        list(segment_in_workers(None, ["a man"], 0, str))
    with pytest.raises(textgroup.InputError, match="is not a TextGroup checkpoint"):
        list(segment_in_workers(tmp_path, ["a man"], 1, str))
