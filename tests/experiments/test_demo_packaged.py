"""What the demo says of the packaged model is judged by brackets and boxes."""

import numpy as np

from textgroup.experiments.demo_packaged import CAPTIONS, PHOTOGRAPH_BOXES, judge_points, judge_units, read_brackets
from textgroup.units import Grounding, Unit


def test_brackets_say_which_characters_are_phrases() -> None:
    assert read_brackets("[a man] on [a bike].") == ("a man on a bike.", {(0, 5), (9, 15)})
    for text in CAPTIONS:
        caption, phrases = read_brackets(text)
        assert "[" not in caption
        assert len(phrases) == text.count("[")
        assert all(caption[start - 1 : start] in ("", " ") for start, _ in phrases)


def test_a_unit_is_wrong_if_it_claims_to_name_something_and_is_no_phrase() -> None:
    units = [
        Unit("a man", 0, 5, 0, groundable=True),
        Unit("on", 6, 8, 1, groundable=False),
        Unit("bike", 11, 15, 2, groundable=True),
    ]
    assert [(m.names, m.wrong) for m in judge_units(units, {(0, 5), (9, 15)})] == [
        (True, False),
        (False, False),
        (True, True),
    ]


def test_a_point_outside_the_box_is_wrong() -> None:
    x0, y0, x1, y1 = PHOTOGRAPH_BOXES["a flag"]
    inside, outside = ((x0 + x1) / 2, (y0 + y1) / 2), (x1 + 0.1, y1)
    unit = Unit("a flag", 0, 6, 0)
    judged = judge_points([Grounding(unit, np.ones((2, 2)), point, (0, 0, 1, 1), 0.5) for point in (inside, outside)])
    assert [pointed.right for pointed in judged] == [True, False]
    assert judge_points([Grounding(unit)]) == [], "what points at nothing has no point to judge"
