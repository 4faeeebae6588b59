"""Which caption wins, and which unit decides; with a model whose cosines can be counted by hand."""

import json
import math
from typing import Any

import pytest

from tests.app.stand_in import PICTURE, StandIn
from textgroup.app import comparing
from textgroup.app.comparing import load_models, opinion


def compare(first: str, second: str) -> Any:
    model: Any = StandIn()
    return opinion("m", model, PICTURE, [first, second]).verdict


def test_the_unit_that_makes_the_caption_wrong_decides() -> None:
    verdict = compare("man on dog", "man on car")
    assert verdict.winner == 0
    assert verdict.lead == pytest.approx(2 / math.sqrt(6) - 1 / math.sqrt(6))
    assert (verdict.unit.text, verdict.side) == ("dog", 0), "without it `man on` is 1/2, with it 2 / sqrt(6)"
    assert verdict.without == pytest.approx(1 / 2 - 1 / math.sqrt(6))


def test_the_order_of_the_captions_does_not_matter() -> None:
    one, other = compare("man on dog", "man on car"), compare("man on car", "man on dog")
    assert (one.winner, other.winner) == (0, 1)
    assert one.unit == other.unit
    assert one.side != other.side
    assert one.without == pytest.approx(other.without)


def test_a_unit_of_the_worse_caption_can_decide() -> None:
    verdict = compare("man in", "man in car")
    assert (verdict.winner, verdict.unit.text, verdict.side) == (0, "car", 1)
    assert verdict.without == pytest.approx(0)


def test_of_equal_captions_none_wins() -> None:
    verdict = compare("man on dog", "dog on man")
    assert (verdict.winner, verdict.lead, verdict.unit) == (None, 0.0, None)


def test_a_unit_that_is_all_there_is_cannot_be_left_out() -> None:
    verdict = compare("man", "car")
    assert verdict.winner == 0
    assert verdict.unit is None


def test_the_second_of_two_like_units_counts_as_different() -> None:
    assert compare("man sees man", "man").unit.text == "sees", "words that name nothing can decide too"
    assert compare("man sees man", "man sees").unit.start == len("man sees ")


def test_without_a_picture_and_without_eyes_there_are_units_alone() -> None:
    seeing: Any = StandIn()
    blind: Any = StandIn(sees=False)
    (look,) = opinion("m", seeing, None, ["man in car"]).looks
    assert [grounding.unit.text for grounding in look.groundings] == ["man", "in", "car"]
    assert (look.similarity, look.notes) == (None, ())
    told = opinion("m", blind, PICTURE, ["man", "car"])
    assert "captions alone" in told.looks[0].notes[0]
    assert told.verdict is None


def test_what_is_not_to_be_relied_on_is_said() -> None:
    model: Any = StandIn()
    (look,) = opinion("m", model, PICTURE, ["un chien " + "man " * 22]).looks
    assert "new to this model" in look.notes[0]
    assert "last 4 tokens" in look.notes[1]


def test_everything_goes_into_json() -> None:
    model: Any = StandIn()
    record = json.loads(json.dumps(opinion("m", model, PICTURE, ["man in car", "dog"]).to_dict()))
    man, inside, car = record["captions"][0]["units"]
    assert man["similarity"] == pytest.approx(1 / math.sqrt(2))
    assert man["heat"] == [[1.0, 0.0], [0.0, 0.0]]
    assert inside["groundable"] is False
    assert car["point"] is None
    assert record["verdict"]["winner"] == 1
    assert record["verdict"]["unit"]["text"] in ("in", "car"), "without either of them, `man` and the other: 1/2"


def test_models_are_named_without_the_places_where_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "load", lambda *where, device: (where, device))
    models = load_models(["/secret/runs/fixed", "other/fixed/", "packaged"], "cpu")
    assert list(models) == ["packaged", "fixed", "fixed (2)", "packaged (2)"]
