"""Scenes and captions are rich enough to matter, and no position gives a phrase away."""

import re
from collections import Counter

import numpy as np

from tests.data.scenes.reading import NOUNS, WORD, first_mentions
from textgroup.data.scenes.scene import Scene
from textgroup.data.scenes.shapes import COLOURS, SHAPES
from textgroup.evaluation.phrases.tiou import gold_tokens, score_captions
from textgroup.evaluation.segmenters.cuts import equal_split


def test_every_shape_and_every_colour_is_seen_in_training(train: list[Scene]) -> None:
    assert {thing.shape for it in train for thing in it.objects} == set(SHAPES)
    assert {thing.colour for it in train for thing in it.objects} == set(COLOURS)


def test_every_kind_of_foil_is_common_and_nothing_is_changed_where_nothing_can_be(train: list[Scene]) -> None:
    kinds = Counter(foil.kind for it in train for foil in it.foils)
    assert kinds["noun"] == len(train)
    assert kinds["attribute"] > 0.8 * len(train)
    assert kinds["relation"] > 0.6 * len(train)
    for it in train:
        assert it.statements or "relation" not in {foil.kind for foil in it.foils}


def test_phrases_have_one_to_seven_words_very_unequal_within_a_caption(train: list[Scene]) -> None:
    lengths = [[len(it.caption[p.start : p.end].split()) for p in it.phrases] for it in train]
    count = Counter(length for each in lengths for length in each)
    assert set(count) == set(range(1, 8))
    assert min(count.values()) > 0.03 * sum(count.values())
    spread = [max(each) - min(each) for each in lengths if len(each) > 2]
    assert np.mean(spread) > 4


def test_phrases_have_words_before_and_after_the_noun(train: list[Scene]) -> None:
    before = after = both = 0
    for it in train:
        for text, thing in first_mentions(it):
            names = sorted((n for n in NOUNS if NOUNS[n][0] == thing.shape), key=len, reverse=True)
            noun = next(m for n in names if (m := re.search(rf"\b{n}\b", text.lower())))
            left = re.sub(r"^(an?|the|one)\b", "", text[: noun.start()].lower()).strip()
            right = text[noun.end() :].strip()
            before, after, both = before + bool(left), after + bool(right), both + bool(left and right)
    assert min(before, after, both) > 500


def test_captions_differ_in_length_number_of_objects_case_and_punctuation(train: list[Scene]) -> None:
    mentioned = Counter(len({p.object for p in it.phrases}) for it in train)
    assert set(mentioned) == set(range(1, 7))
    assert min(mentioned.values()) > 0.1 * len(train)
    for pattern in ("^[A-Z]", "^[a-z]", r"\w,", r" ,", r"\w\.$", r" \.$", r"\w$"):
        assert sum(bool(re.search(pattern, it.caption)) for it in train) > 0.05 * len(train), pattern
    assert len({it.caption.lower() for it in train}) > 0.9 * len(train)


def test_positions_do_not_give_the_phrases_away(train: list[Scene]) -> None:
    spans = [[match.span() for match in WORD.finditer(it.caption)] for it in train]
    gold = [gold_tokens(words, [(p.start, p.end) for p in it.phrases]) for words, it in zip(spans, train)]
    assert 100 * score_captions([equal_split(len(words), 4) for words in spans], gold).tiou < 65
