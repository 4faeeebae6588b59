"""What `segment` gives can be printed, shown in a notebook and handed on, and asks a detector for what it names."""

import io
import json
import pickle
import re
import sys
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

import textgroup
from textgroup import Phrases, Unit, Units
from textgroup.inference.textgroup import TextGroup

CAPTION = "a man in a blue hat"
UNITS = Units(CAPTION, [Unit("a man", 0, 5, 0, True), Unit("in", 6, 8, 1, False), Unit("a blue hat", 9, 19, 2, True)])


@cache
def model() -> TextGroup:
    return textgroup.load()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Letters(HTMLParser):
    """The text of a piece of HTML, and the names of its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.elements = "", set[str]()
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.add(tag)


def test_units_print_as_one_line() -> None:
    assert str(UNITS) == "a man | in | a blue hat"
    assert str(Units("")) == ""


def test_a_terminal_sees_the_same_letters_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    line = str(UNITS)
    assert "\x1b[" in line
    assert re.sub(r"\x1b\[[\d;]*m", "", line) == "a man | in | a blue hat"
    assert f"{UNITS}" == "a man | in | a blue hat", "a text that is put together may end in a file"
    assert "man" in re.split(r"\x1b\[[\d;]*m", line)[1], "what names something is on a colour"
    assert re.search(r"m in\b|\bin\x1b", line) is None, "what names nothing is not"


def test_a_notebook_shows_units_with_every_character_escaped() -> None:
    hostile = Unit("<script>alert('x')</script>", 0, 27, 0, True)
    shown = Letters(Units(hostile.text, [hostile, Unit("&amp;", 28, 33, 1, False)])._repr_html_())
    assert shown.elements == {"div", "span"}
    assert shown.text == "<script>alert('x')</script> &amp;"


def test_a_notebook_colours_what_names_something_alone() -> None:
    spans = re.findall(r"<span[^>]*>[^<]*", UNITS._repr_html_())
    assert ["background" in span for span in spans] == [True, False, True]


def test_units_go_through_json_and_pickle() -> None:
    record = json.loads(json.dumps(UNITS.to_dict()))
    assert Units(record["caption"], [Unit(**unit) for unit in record["units"]]) == UNITS
    copy = pickle.loads(pickle.dumps(UNITS))
    assert (type(copy), copy, copy.caption) == (Units, UNITS, CAPTION)


def test_segment_gives_units_that_know_their_caption() -> None:
    captions = [CAPTION, "", "two dogs"]
    assert [units.caption for units in model().segment(captions)] == captions
    assert isinstance(model().segment(CAPTION), Units)
    assert [units.caption for units in model().segment_stream(iter(captions))] == captions


def test_a_detector_is_asked_for_what_names_something_each_occurrence_its_own() -> None:
    caption = "A man and a man in a blue hat are running."
    phrases = model().phrases(caption)
    assert phrases.prompt == "a man . a man . a blue hat ."
    assert phrases.tokens_positive == [[[0, 5]], [[10, 15]], [[19, 29]]]
    assert phrases == model().segment(caption).phrases == model().phrases([caption])[0]


@pytest.mark.parametrize(
    "text", ["St. Bernard", "what? a DOG", "5.5 metres", "an İstanbul tram", "U.S.A.", "a man\nand  hat", "ﬁsh & chips"]
)
def test_the_spans_of_a_prompt_are_those_of_its_phrases_and_nothing_cuts_a_phrase(text: str) -> None:
    caption = f"{text} {text}"
    one, other = Unit(text, 0, len(text), 0, True), Unit(text, len(text) + 1, len(caption), 1, True)
    phrases = Phrases(caption, [one, other])
    asked = [phrases.prompt[start:end] for [[start, end]] in phrases.prompt_tokens_positive]
    assert asked[0] == asked[1] == re.sub(r"[.?\s]+", " ", text.lower()).strip()
    assert [part.strip() for part in phrases.prompt.split(".")] == [*asked, ""], "Grounding DINO cuts at full stops"
    assert [caption[start:end] for [[start, end]] in phrases.tokens_positive] == [text, text]
    assert json.loads(json.dumps(phrases.to_dict()))["phrases"] == [text, text]


def test_a_model_without_marks_asks_for_every_unit_with_a_letter_or_digit() -> None:
    units = Units("a dog , 2", [Unit("a dog", 0, 5, 0), Unit(",", 6, 7, 1), Unit("2", 8, 9, 2)])
    assert [unit.text for unit in units.phrases] == ["a dog", "2"]
    assert Units("").phrases.prompt == ""


def test_every_unit_has_a_vector_by_which_it_is_compared_with_photographs() -> None:
    captions = ["a man in a blue hat", "", "two dogs"]
    vectors = model().encode_units(captions)
    assert [v.shape[0] for v in vectors] == [len(units) for units in model().segment(captions)]
    assert np.linalg.norm(np.concatenate(vectors), axis=1) == pytest.approx(1, abs=1e-5)
    assert model().encode_units(captions[0]) == pytest.approx(vectors[0], abs=1e-6)
    from textgroup.experiments.demo_packaged import photograph

    (references,) = model().align([captions[0]], photograph())
    objects = model()._encode_objects(photograph())[0]
    cosines = vectors[0] @ model().model.embed_objects(objects[None].float())[0].numpy(force=True).T
    assert cosines == pytest.approx(np.array([reference.cosines for reference in references]), abs=1e-4)
