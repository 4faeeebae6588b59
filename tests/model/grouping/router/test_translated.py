"""A caption is cut as its translation is, where words of both mean the same."""

from random import Random

import numpy as np
import pytest
import torch

from textgroup.config.model import EncoderConfig
from textgroup.config.run import UnitsConfig
from textgroup.data.batches import pad
from textgroup.data.captions import CaptionData
from textgroup.model.grouping.dynamic import DynamicGroupTransformer
from textgroup.model.grouping.router import learning
from textgroup.model.grouping.router.committee import Committee
from textgroup.model.grouping.router.corruption import Labelled
from textgroup.model.grouping.router.cotraining import Teacher
from textgroup.model.grouping.router.router import Router
from textgroup.model.grouping.router.translated import CutCaption, Told, Translations, translate
from textgroup.text.tokenizer import CaptionTokenizer

PEOPLE = {"man": "homme", "boy": "garcon", "king": "roi", "monk": "moine", "dog": "chien", "clerk": "clerc"}
COLOURS = {"red": "rouge", "pink": "rose", "tan": "beige", "grey": "gris", "blue": "bleu", "black": "noir"}
VERBS = {"runs": "court", "sings": "chante", "sits": "assied", "waits": "attend", "reads": "lit", "cooks": "cuit"}
UNITS = np.array([0, 0, 0, 1, 2, 3, 3, 3])  # of "a red man | runs | near | a blue dog"
NAMES = np.array([True, False, False, True])


def captions() -> tuple[list[str], list[str]]:
    """Captions and translations: "a red man runs near a blue dog", "un homme rouge court pres un chien bleu"."""
    random, english, french = Random(0), [], []
    for _ in range(300):
        (who, near), (colour, other) = random.sample(list(PEOPLE), 2), random.sample(list(COLOURS), 2)
        verb = random.choice(list(VERBS))
        english.append(f"a {colour} {who} {verb} near a {other} {near}")
        there = f"pres un {PEOPLE[near]} {COLOURS[other]}"
        french.append(f"un {PEOPLE[who]} {COLOURS[colour]} {VERBS[verb]} {there}")
    return english, french


ENGLISH, FRENCH = captions()
TOKENIZER = CaptionTokenizer.train([*ENGLISH, *FRENCH, "donc"] * 2, 900)  # enough for every word to be one token
ENDS_WORD = np.array(TOKENIZER.facts()["ends_word"])
LANGUAGES = [CaptionData.build([(text,) for text in texts], TOKENIZER) for texts in (ENGLISH, FRENCH)]
CUT = [CutCaption(UNITS, NAMES) for _ in ENGLISH]
APART = [" ".join([*text.split()[:2], text.split()[3], text.split()[2], *text.split()[4:]]) for text in FRENCH]
"""A language with its verbs between nouns and colours."""


def told_by(cut: list[CutCaption], *languages: list[str]) -> Translations:
    return translate(cut, [CaptionData.build([(text,) for text in texts], TOKENIZER) for texts in languages], ENDS_WORD)


def told_of(caption: str, translations: Translations) -> Told:
    """Without the start and the end of text."""
    ids, mask = pad(TOKENIZER.ids([caption]))
    return Told(*(x[0, 1:-1] for x in translations.of(ids, mask)))


def places(of: torch.Tensor) -> list[int]:
    """The numbers of the words for which it is true."""
    found: list[int] = of.nonzero()[:, 0].tolist()
    return found


def test_units_begin_as_in_english_and_none_with_a_colour_that_stands_behind_its_noun() -> None:
    """0  1     2     3     4    5  6     7
    un homme rouge court pres un chien bleu
    """
    told = told_of(FRENCH[0], told_by(CUT, ENGLISH, FRENCH))
    assert places(told.known) == [1, 2, 3, 4, 5, 6, 7]
    assert places(told.begins) == [3, 4, 5]
    assert places(told.names > 0) == [0, 1, 2, 5, 6, 7]
    assert places(told.names < 0) == [3, 4]


def with_filler(place: int) -> list[str]:
    """Every third caption, the first too, has a word more that means nothing."""
    words = [text.split() for text in FRENCH]
    return [" ".join([*row[:place], *["donc"] * (n % 3 == 0), *row[place:]]) for n, row in enumerate(words)]


def test_between_two_units_nothing_is_known_of_a_word_that_means_nothing_in_english() -> None:
    filled = with_filler(3)
    told = told_of(filled[0], told_by(CUT, ENGLISH, filled))
    assert filled[0].split()[3] == "donc"
    assert places(~told.known) == [0, 3, 4]
    assert told.names[3] == 0


def test_inside_a_unit_no_unit_begins_whatever_stands_there() -> None:
    filled = with_filler(2)
    told = told_of(filled[0], told_by(CUT, ENGLISH, filled))
    assert filled[0].split()[2] == "donc"
    assert places(told.begins) == [4, 5, 6]
    assert {2, 3} <= set(places(told.known))


def test_a_unit_whose_words_stand_apart_begins_again_behind_what_parts_it() -> None:
    assert places(told_of(APART[0], told_by(CUT, ENGLISH, APART)).begins) == [2, 3, 4, 5]


def test_nothing_is_told_of_other_captions() -> None:
    told = told_of("un homme court", told_by(CUT, ENGLISH, FRENCH))
    assert not told.known.any()
    assert not told.names.any()


def test_each_language_is_compared_with_the_first() -> None:
    told = told_by(CUT, ENGLISH, FRENCH, APART)
    assert places(told_of(FRENCH[0], told).begins) == [3, 4, 5]
    assert places(told_of(APART[0], told).begins) == [2, 3, 4, 5]


def test_of_a_caption_with_two_meanings_only_that_is_known_which_both_say() -> None:
    others = [CutCaption(np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.ones(3, dtype=bool)) for _ in CUT]
    one, two = (told_of(FRENCH[0], told_by(cut, ENGLISH, FRENCH)) for cut in (CUT, others))
    ids = TOKENIZER.ids([FRENCH[0]])[0]
    padded = [Told(*(torch.nn.functional.pad(x, (1, 1)) for x in told)) for told in (one, two)]
    both = told_of(FRENCH[0], Translations((ids, told) for told in padded))
    assert places(one.begins) == [3, 4, 5]
    assert places(two.begins) == [3, 5]
    assert places(both.begins) == [3, 5]
    assert places(both.known) == [1, 2, 3, 5, 6, 7]
    assert torch.allclose(both.names, one.names + two.names)


def test_a_committee_cuts_what_it_heard_a_translation_of_as_it_cuts_the_caption_itself() -> None:
    """The teacher knows where units begin in English, and nothing of French."""
    data = CaptionData.build([(text,) for text in [*ENGLISH, *FRENCH]], TOKENIZER)
    teacher = Teacher(data, TOKENIZER)
    teacher.ends_word.copy_(torch.from_numpy(ENDS_WORD))  # here "near" always stands before "a", and so would bind it
    teacher.word.fill_(-9.0)
    teacher.names.fill_(-99.0)  # no unit names anything, so none is revised
    for word in [*VERBS, "near", "a"]:
        teacher.word[TOKENIZER.ids([word])[0][1]] = 9.0
    committee = Committee([teacher])
    ids, mask = pad(TOKENIZER.ids([FRENCH[0]]))
    assert places(committee.cut(ids, mask).begins[0, 1:-1]) == [0]
    committee.hear(LANGUAGES, ENDS_WORD)
    assert places(committee.cut(ids, mask).begins[0, 1:-1]) == [0, 3, 4, 5]


def test_the_second_router_learns_from_a_committee_that_the_first_one_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """And that has heard the translations each time."""
    seen: list[tuple[Router | None, bool]] = []
    taught: list[Router] = []

    def label(committee: Committee, *_: object) -> list[list[Labelled]]:
        ids, mask = pad(TOKENIZER.ids([FRENCH[0]]))
        seen.append((committee.router, bool(committee.translations.of(ids, mask).known.any())))
        return []

    monkeypatch.setattr(learning, "label", label)
    monkeypatch.setattr(learning, "imitate", lambda router, *_: taught.append(router))
    router = DynamicGroupTransformer(EncoderConfig(kind="dynamic"), len(TOKENIZER)).router
    data = CaptionData.build([(text,) for text in [*ENGLISH, *FRENCH]], TOKENIZER)
    learning.learn(router, data, TOKENIZER, UnitsConfig(teachers=1, teacher_steps=1), 0, LANGUAGES)
    assert taught[1] is router
    assert taught[0] is not router
    assert seen == [(None, True), (taught[0], True)]
