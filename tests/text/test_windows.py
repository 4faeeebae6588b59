"""Captions of any length in windows."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgroup.text import windows as module
from textgroup.text.windows import sentences, windows


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("A man sits. A dog runs! Why? ", ["A man sits. ", "A dog runs! ", "Why? "]),
        ("Mr. Lee waits at 9 p.m. in the U.S. Army.", ["Mr. Lee waits at 9 p.m. in the U.S. Army."]),
        ("今日は。元気です。", ["今日は。", "元気です。"]),
        ("a list\n\nof two", ["a list\n\n", "of two"]),
        ("one\nline", ["one\nline"]),
        ("no end", ["no end"]),
        ("", [""]),
    ],
)
def test_sentences_end_where_they_end(caption: str, expected: list[str]) -> None:
    assert [caption[a:b] for a, b in sentences(caption)] == expected


@given(st.text(st.sampled_from("aB. !?。\n\r\t\u2028\u00a0é🍕'\"()1\ufeff"), max_size=40) | st.text(max_size=40))
def test_sentences_are_the_caption_end_to_end(caption: str) -> None:
    spans = sentences(caption)
    assert "".join(caption[a:b] for a, b in spans) == caption
    assert [a for a, _ in spans] == [0, *[b for _, b in spans[:-1]]]


def test_windows_of_a_long_sentence_overlap_and_each_character_is_taken_from_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WORDS", 5)
    monkeypatch.setattr(module, "LONGEST", 30)
    caption = " ".join(f"word{i}" for i in range(40))
    found = list(windows(caption, reach=3))
    assert len(found) > 3
    taken = [(w.first, w.last) for w in found]
    assert taken[0][0] == 0 and taken[-1][1] == len(caption)
    assert all(a[1] == b[0] for a, b in pairwise(taken))
    for window in found[1:-1]:
        assert caption[window.start : window.first].split() == caption[: window.first].split()[-3:]
        assert caption[window.last : window.end].split() == caption[window.last :].split()[:3]


def test_a_text_without_spaces_has_windows_too() -> None:
    caption = "x" * 9_000
    found = list(windows(caption, reach=2))
    assert [w.last - w.first for w in found] == [2_000] * 4 + [1_000]
