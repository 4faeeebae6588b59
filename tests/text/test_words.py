"""What a word is."""

import pytest

from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.text.words import goes_on, stands_alone, word_starts


def words_of(text: str) -> list[str]:
    """The text cut where words begin."""
    starts = sorted(word_starts(text))
    return [text[a:b].strip() for a, b in zip(starts, [*starts[1:], len(text)])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mid-air black-and-white", "mid-air black-and-white"),
        ("men's can't rock'n'roll", "men's can't rock'n'roll"),
        ("a long-haired dog, 10:30", "a long-haired dog , 10:30"),
        ("at 9 p.m.", "at 9 p.m."),
        ("the U.S. Army", "the U.S. Army"),
        ("a man. ", "a man ."),
        ("(detailed face:1.2)", "( detailed face : 1.2 )"),
        ("1970s leather, $5.99, 50%", "1970s leather , $5.99 , 50%"),
        ("White/Black size 10", "White/Black size 10"),
        ("town!!! #love @tonyspizza", "town !!! #love @tonyspizza"),
        ("isn’t", "isn’t"),
        ("🍕🍕 👨‍👩‍👧 🇫🇷👍🏽", "🍕🍕 👨‍👩‍👧 🇫🇷👍🏽"),
        ("d'une l'herbe qu'elles d' un", "d' une l' herbe qu' elles d' un"),
        ("d'un qu'il l’un", "d' un qu' il l’ un"),
        ("we're I'll ma'am I'm o'er he'd", "we're I'll ma'am I'm o'er he'd"),
        ("今日は。", "今 日 は 。"),
    ],
)
def test_words_keep_what_is_inside_them_and_lose_what_is_around(text: str, words: str) -> None:
    assert words_of(text) == words.split()


def test_the_end_of_a_word_that_was_split_off_goes_on_with_it() -> None:
    assert words_of("the men 's hats") == ["the", "men 's", "hats"]
    assert [goes_on(word) for word in ("'s", "’re", "'", "s", "'no")] == [True, True, False, False, False]


def test_marks_that_end_or_enclose_stand_alone_and_those_that_join_do_not() -> None:
    assert all(map(stands_alone, [".", ",", "!!!", "(", "。", "…", "–", "-", "“"]))
    assert not any(map(stands_alone, ["&", "/", "t-shirt", '"', "'", "a", "1", "🍕", ""]))


def test_a_tokenizer_that_we_train_has_these_words() -> None:
    text = "a black-and-white dog, 10:30"
    tokenizer = CaptionTokenizer.train([text] * 3, 600)
    words = tokenizer.encode(text).words
    assert max(words) + 1 == len(word_starts(text))
    assert tokenizer.words == "unicode"


def test_a_tokenizer_knows_which_of_its_tokens_end_words_go_on_or_stand_alone() -> None:
    tokenizer = CaptionTokenizer.train(["men 's hats ,"] * 3, 600)
    facts = tokenizer.facts()
    ids = tokenizer.ids(["men 's hats ,"])[0]
    assert [facts["ends_word"][i] for i in ids] == [True] * 6
    assert [facts["goes_on"][i] for i in ids] == [False, False, True, False, False, False]
    assert [facts["alone"][i] for i in ids] == [False, False, False, False, True, False]
