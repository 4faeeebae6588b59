"""What is taken away from captions, and what stays."""

from random import Random

import pytest

from textgroup.model.grouping.router import corruption
from textgroup.model.grouping.router.corruption import Labelled, corrupt

ENDS = [True, True, True, True, True, True, True, True, False, True]
"""Token 8 goes on with the word that token 9 ends."""
COMMA = 7
CAPTION = [Labelled([0, 1], True), Labelled([2], False), Labelled([0, 8, 9, 3], True), Labelled([6], False, True)]
OTHER = [Labelled([0, 4], True), Labelled([5], False)]


def many(monkeypatch: pytest.MonkeyPatch, **shares: float) -> list[list[Labelled]]:
    for name, share in shares.items():
        monkeypatch.setattr(corruption, name, share)
    random = Random(0)
    return [corrupt(CAPTION, OTHER, COMMA, ENDS, random) for _ in range(200)]


def test_a_caption_may_stay_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(found == CAPTION for found in many(monkeypatch, PLAIN=1.0))


def test_units_lose_whole_words_from_the_front_and_stay_units(monkeypatch: pytest.MonkeyPatch) -> None:
    found = many(monkeypatch, PLAIN=0.0, LIST=0.0, SHORTER=1.0, NO_LINK=0.0, NO_MARKS=0.0)
    assert all(
        caption == [([1], True, False), ([2], False, False), ([8, 9, 3], True, False), CAPTION[3]] for caption in found
    )


def test_links_and_marks_are_left_out_and_what_names_something_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = many(monkeypatch, PLAIN=0.0, LIST=0.0, SHORTER=0.0, NO_LINK=1.0, NO_MARKS=1.0)
    assert all(caption == [CAPTION[0], CAPTION[2]] for caption in found)


def test_a_list_holds_what_two_captions_name_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    found = many(monkeypatch, PLAIN=0.0, LIST=1.0)
    named = [[0, 1], [1], [0, 8, 9, 3], [8, 9, 3], [0, 4], [4]]
    assert all(unit.ids in named for caption in found for unit in caption if unit.names)
    assert all(unit.ids == [COMMA] and unit.alone for caption in found for unit in caption if not unit.names)
    assert {sum(unit.names for unit in caption) for caption in found} == {2, 3}


def test_something_is_always_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corruption, "PLAIN", 0.0)
    monkeypatch.setattr(corruption, "NO_LINK", 1.0)
    for units in ([Labelled([2], False)], [Labelled([6], False, True)]):
        assert all(corrupt(units, units, COMMA, ENDS, Random(seed)) for seed in range(50))
