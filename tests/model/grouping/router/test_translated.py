"""A caption is cut as its translation is, where words of both mean the same."""

from itertools import product

import numpy as np
import pytest

from textgroup.config.model import EncoderConfig
from textgroup.config.run import UnitsConfig
from textgroup.data.batches import pad
from textgroup.data.captions import CaptionData
from textgroup.errors import InputError
from textgroup.model.grouping.dynamic import DynamicGroupTransformer
from textgroup.model.grouping.fixed import TextGroupTransformer
from textgroup.model.grouping.router.committee import Committee
from textgroup.model.grouping.router.cotraining import Teacher
from textgroup.model.grouping.router.learning import learn
from textgroup.model.grouping.router.translated import CutCaption, Told, translate
from textgroup.text.tokenizer import CaptionTokenizer

PEOPLE = {"man": "homme", "boy": "garcon", "king": "roi", "monk": "moine"}
COLOURS = {"red": "rouge", "pink": "rose", "tan": "beige", "grey": "gris"}
VERBS = {"runs": "court", "sings": "chante", "sits": "assied", "waits": "attend"}


def captions() -> tuple[list[list[str]], list[list[str]]]:
    """Units of captions and of their translations: "a tan king | sits", "un roi beige | assied", in some "donc" anywhere."""
    english, french = [], []
    for n, (person, colour, verb) in enumerate(5 * list(product(PEOPLE, COLOURS, VERBS))):
        english.append([f"a {colour} {person}", verb])
        units = [f"un {PEOPLE[person]} {COLOURS[colour]}", VERBS[verb]]
        french.append([*units[: n % 3], *["donc"] * (n % 5 == 0), *units[n % 3 :]])
    return english, french


ENGLISH, FRENCH = captions()
TEXTS = [[" ".join(units) for units in language] for language in (ENGLISH, FRENCH)]
TOKENIZER = CaptionTokenizer.train([*TEXTS[0], *TEXTS[1]], 900)  # enough for every word to be one token
ENDS_WORD = np.array(TOKENIZER.facts()["ends_word"])
LANGUAGES = [CaptionData.build([(text,) for text in texts], TOKENIZER) for texts in TEXTS]
CUT = [CutCaption(np.array([0, 0, 0, 1]), np.array([True, False])) for _ in ENGLISH]


def told_of(caption: str) -> Told:
    ids, mask = pad(TOKENIZER.ids([caption]))
    return Told(*(x[0] for x in translate(CUT, LANGUAGES, ENDS_WORD).of(ids, mask)))


def test_a_unit_begins_with_the_verb_as_in_english_and_none_with_the_colour_that_stands_behind_its_noun() -> None:
    told = told_of("un homme rouge court")
    assert told.known[2:5].all()
    assert told.begins.tolist() == [False, False, False, False, True, False]
    assert (told.names[1:4] > 0).all(), "`a red man` names something"
    assert told.names[4] < 0, "`runs` does not"


def test_between_two_units_nothing_is_known_of_a_word_that_means_nothing_in_english() -> None:
    told = told_of(next(text for text in TEXTS[1] if text.split()[3] == "donc"))
    assert told.known.tolist() == [False, False, True, True, False, False, False]
    assert told.names[4] == 0


def test_inside_a_unit_no_unit_begins_whatever_stands_there() -> None:
    texts = TEXTS[0], [text.replace("roi beige", "roi tres beige") for text in TEXTS[1]]
    tokenizer = CaptionTokenizer.train([*texts[0], *texts[1]], 900)
    languages = [CaptionData.build([(text,) for text in each], tokenizer) for each in texts]
    ids, mask = pad(tokenizer.ids(["un roi tres beige attend"]))
    told = translate(CUT, languages, np.array(tokenizer.facts()["ends_word"])).of(ids, mask)
    assert told.known[0].tolist() == [False, False, True, True, True, True, False]
    assert told.begins[0].tolist() == [False] * 5 + [True, False]


def test_nothing_is_told_of_other_captions() -> None:
    told = told_of("un homme court")
    assert not told.known.any() and not told.names.any()


def test_a_committee_cuts_what_it_heard_a_translation_of_as_it_cuts_the_caption_itself() -> None:
    """Fresh teachers know left entropy alone: "a" and "un" begin units. What English verbs do is told them here."""
    data = CaptionData.build([(text,) for text in [*TEXTS[0], *TEXTS[1]]], TOKENIZER)
    teacher = Teacher(data, TOKENIZER)
    teacher.word.fill_(-9.0)
    for verb in VERBS:
        teacher.word[TOKENIZER.ids([verb])[0][1]] = 9.0
    committee = Committee([teacher])
    ids, mask = pad(TOKENIZER.ids(["un homme rouge court"]))
    assert committee.cut(ids, mask).begins[0].nonzero()[:, 0].tolist() == [1]
    committee.hear(LANGUAGES, ENDS_WORD)
    assert committee.cut(ids, mask).begins[0].nonzero()[:, 0].tolist() == [1, 4]


def test_translations_of_other_captions_than_those_to_learn_from_are_refused() -> None:
    router = DynamicGroupTransformer(EncoderConfig(kind="dynamic"), len(TOKENIZER)).router
    with pytest.raises(InputError, match=r"not those of data\.captions"):
        learn(router, LANGUAGES[0], TOKENIZER, UnitsConfig(), 0, LANGUAGES)


def test_a_model_that_does_not_learn_to_cut_refuses_translations() -> None:
    fixed = TextGroupTransformer(EncoderConfig(kind="fixed", width=8, heads=1), len(TOKENIZER))
    with pytest.raises(InputError, match=r"model\.encoder\.kind fixed does not learn to cut"):
        fixed.learn_to_cut(LANGUAGES[0], TOKENIZER, UnitsConfig(), 0, LANGUAGES)
