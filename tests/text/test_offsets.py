"""Offsets through cleaning: exact for what is known of each character, in order for everything, and quick."""

import sys
from itertools import pairwise
from time import process_time
from unicodedata import category, is_normalized

import pytest
from hypothesis import given

from tests.strange import PIECES, any_caption
from textgroup.text.cleaning import clean
from textgroup.text.offsets import original_offsets


def offsets_of(caption: str) -> list[tuple[int, int]]:
    """Also where every character stands for itself."""
    found = original_offsets(caption, clean(caption))
    return [(n, n + 1) for n in range(len(caption))] if found is None else found


def pieces(caption: str) -> list[str]:
    return [caption[a:b] for a, b in offsets_of(caption)]


@given(any_caption)
def test_spans_are_in_order_and_overlap_only_where_they_are_equal(caption: str) -> None:
    offsets = offsets_of(caption)
    assert len(offsets) == len(clean(caption))
    assert all(0 <= a <= b <= len(caption) for a, b in offsets)
    for one, other in pairwise(offsets):
        assert one == other or one[1] <= other[0]


@pytest.mark.parametrize(
    ("caption", "found"),
    [
        ("\u0130s", ["\u0130", "\u0130", "s"]),  # a letter that is two in lower case
        ("a \ufb01n", ["a", " ", "\ufb01", "\ufb01", "n"]),
        ("\uff21A", ["\uff21", "A"]),
        ("x&amp;y &amp;lt;", ["x", "&amp;", "y", " ", "&amp;lt;"]),
        ("sch\u00c3\u00b6n", ["s", "c", "h", "\u00c3\u00b6", "n"]),
        ("caf e\u0301t", ["c", "a", "f", " ", "e\u0301", "t"]),
        ("\u1112\u1161\u11ab.", ["\u1112\u1161\u11ab", "."]),
        ("  a \t b\r\n", ["a", " \t ", "b"]),
        ("a\x1b[31mb\x00c", ["a", "b", "c"]),
        ("\u201ca\u201d", ["\u201c", "a", "\u201d"]),
        ("\u4e2d\u00c3\u00a9", ["\u4e2d", "\u00c3\u00a9"]),
        ("\u00e4\u00b8\u00ad" * 3, ["\u00e4\u00b8\u00ad"] * 3),
    ],
)
def test_each_character_knows_what_it_was(caption: str, found: list[str]) -> None:
    assert pieces(caption) == found


@pytest.mark.parametrize("piece", PIECES)
def test_a_rewritten_piece_moves_nothing_around_it(piece: str) -> None:
    caption = f"before {piece} after"
    found = offsets_of(caption)
    assert found[:6] == [(n, n + 1) for n in range(6)]
    assert found[-5:] == [(n, n + 1) for n in range(len(caption) - 5, len(caption))]


@pytest.mark.parametrize(
    ("first", "last"),
    [(0x80, 0x1100), (0x1E00, 0x2200), (0xF900, 0xFFFF), pytest.param(0, sys.maxunicode, marks=pytest.mark.slow)],
)
def test_a_letter_of_any_script_keeps_its_place(first: int, last: int) -> None:
    wrong = []
    for letter in map(chr, range(first, last + 1)):
        caption = f"a{letter}b"
        if category(letter) in ("Cn", "Co") or not is_normalized("NFC", caption):  # no letter; an accent of the a
            continue
        found = offsets_of(caption)
        if (found[0], found[-1]) != ((0, 1), (2, 3)) or any(span != (1, 2) for span in found[1:-1]):
            wrong.append(hex(ord(letter)))
    assert not wrong


@pytest.mark.parametrize(
    "piece",
    [
        *("a\u2019", "e\u0301", "\uff21", "\u00c3\u00b6", "\u00e4\u00b8\u00ad ", "&amp;", "\u201ca\u201d ", "\x00"),
        *("\ufffd\u00c3", "&amp;lt;", "\u0130", "\u1112\u1161\u11ab", "\u00c3\u0192\u00c2\u00a9", "a\u0301\u0323"),
    ],
)
def test_the_longest_line_takes_little_time(piece: str) -> None:
    caption = (piece * 10_000)[:10_000]
    cleaned = clean(caption)
    begun = process_time()
    original_offsets(caption, cleaned)
    assert process_time() - begun < 2.0


def test_nested_and_mixed_damage_takes_little_time() -> None:
    for caption in ("&" + "amp;" * 2_499, "".join(map(chr, range(128, 256))) * 78, "".join(PIECES) * 60):
        cleaned = clean(caption)
        begun = process_time()
        original_offsets(caption, cleaned)
        assert process_time() - begun < 2.0
