"""Where units begin and which words call for others, by what stands next to each word."""

import math

import numpy as np
import pytest

from tests.word_types import CAPTIONS, TOKENIZER, data_of, id_of
from textgroup.data.captions import CaptionData
from textgroup.data.statistics.entropy import (
    BEGINS,
    FEW,
    FREQUENT,
    RARE,
    begin_logits,
    binds_next,
    called_for,
    full_forms,
    left_entropy,
)
from textgroup.text.tokenizer import CaptionTokenizer


def texts_of(tokenizer: CaptionTokenizer) -> list[str]:
    return [tokenizer.decode([i]) for i in range(len(tokenizer))]


def test_a_type_that_calls_for_one_other_binds_it() -> None:
    """`group` is followed by `of` 20 times of 20, `dog` by two words, `rare` by one word twice: too few to tell."""
    captions = ["group of"] * 20 + ["dog runs", "dog sits"] * 10 + ["rare thing"] * 2
    tokenizer = CaptionTokenizer.train(captions, 600)
    bound = binds_next(data_of(captions, tokenizer), texts_of(tokenizer))
    assert {word: bool(bound[id_of(tokenizer, word)]) for word in ("group", "dog", "rare")} == {
        "group": True,
        "dog": False,
        "rare": False,
    }


def test_an_elided_word_is_called_for_as_its_full_form_is() -> None:
    """`groupe` is followed by `de` 10 times of 20 and by `d'` 10 times: that is one word in two forms."""
    captions = ["groupe de filles", "groupe d' hommes"] * 10 + ["du lac"] * 3
    tokenizer = CaptionTokenizer.train(captions, 700)
    bound = binds_next(data_of(captions, tokenizer), texts_of(tokenizer))
    assert bound[id_of(tokenizer, "groupe")]


def test_how_strongly_a_word_is_called_for_is_a_mean_over_the_words_that_it_follows() -> None:
    """`of` follows `bowl` in 10 of 10 cases and `dog` in 5 of 20; after `runs`, which calls for nothing, it does not
    count."""
    captions = ["bowl of"] * 10 + ["dog of"] * 5 + ["dog runs"] * 15 + ["runs of"] * 30
    tokenizer = CaptionTokenizer.train(captions, 600)
    callers = np.ones(len(tokenizer), dtype=bool)
    callers[[id_of(tokenizer, "runs"), tokenizer.start]] = False
    data = data_of(captions, tokenizer)
    called = called_for(data, texts_of(tokenizer), callers)
    after_bowl, after_dog = 10 / (10 + RARE), 5 / (20 + RARE)
    assert called[id_of(tokenizer, "of")] == pytest.approx((10 * after_bowl + 5 * after_dog) / (15 + FEW))
    assert called[id_of(tokenizer, "bowl")] == 0


def test_both_forms_of_an_elided_word_are_called_for_alike() -> None:
    captions = ["groupe de filles", "groupe d' hommes"] * 10 + ["du lac"] * 3
    tokenizer = CaptionTokenizer.train(captions, 700)
    data = data_of(captions, tokenizer)
    called = called_for(data, texts_of(tokenizer), np.ones(len(tokenizer), dtype=bool))
    full, short = (called[tokenizer.ids([caption])[0][2]] for caption in captions[:2])
    assert full == short == pytest.approx(20 * 20 / (20 + RARE) / (20 + FEW))


def test_an_elided_word_is_the_most_frequent_of_its_letters_and_one_more() -> None:
    texts = ["d'", "du", "de", "des", "D2", "x'", "'", "qu’", "que", "s'", "s"]
    count = np.array([9, 3, 8, 9, 9, 9, 9, 9, 1, 9, 9])
    assert full_forms(texts, count).tolist() == [2, 1, 2, 3, 4, 5, 6, 8, 8, 9, 10]


def test_left_entropy_is_that_of_the_words_before() -> None:
    entropy, count = left_entropy(data_of(CAPTIONS, TOKENIZER), len(TOKENIZER))
    before_a = [2 / 5, 2 / 5, 1 / 5]  # start of text, sees, and
    assert count[id_of(TOKENIZER, "a")] == 5
    assert entropy[id_of(TOKENIZER, "a")] == pytest.approx(-sum(p * math.log(p) for p in before_a))
    assert entropy[id_of(TOKENIZER, "dog")] == 0, "it follows nothing but `a`"


def test_what_goes_on_with_a_word_is_not_counted() -> None:
    coarse = CaptionTokenizer.train(["ab ac ad"], 514)  # no merges: a token a letter
    data = CaptionData.build([("ab ac ab",)], coarse)
    ends_word = np.array(coarse.facts()["ends_word"])
    _, everything = left_entropy(data, len(coarse))
    _, words = left_entropy(data, len(coarse), ends_word)
    b = coarse.ids(["ab"])[0][2]
    assert (everything[b], words[b]) == (2, 0), "`b` follows `a` inside a word"
    assert words[coarse.ids(["ab"])[0][1]] == 3


def test_a_type_begins_units_if_it_is_frequent_and_follows_anything() -> None:
    ends_word = np.array(TOKENIZER.facts()["ends_word"])
    logits = begin_logits(data_of(CAPTIONS, TOKENIZER), ends_word)
    words = 5 + 5 + 5 + 3  # and the three ends of text
    before_a = [2 / 3, 1 / 3]  # sees, and; the start of text is no word
    entropy = -sum(p * math.log(p) for p in before_a)
    expected = entropy + FREQUENT * math.log(5 / words) - BEGINS
    assert logits[id_of(TOKENIZER, "a")] == pytest.approx(expected)


def test_the_end_of_text_is_nothing_that_a_full_stop_calls_for() -> None:
    captions = ["a dog runs ;"] * 20 + ["a dog runs ; two cats sit", "a dog runs ; the cat sits"] * 3
    tokenizer = CaptionTokenizer.train(captions, 600)
    bound = binds_next(data_of(captions, tokenizer), texts_of(tokenizer))
    assert not bound[id_of(tokenizer, ";")], "although nearly always nothing follows"
    assert bound[id_of(tokenizer, "dog")]
