"""Captions that nobody expects, and what every segmenter owes them."""

from collections.abc import Sequence

from hypothesis import strategies as st

from textgroup.units import Unit

PIECES = [
    *("&amp;", "&amp;lt;", "&#x27", "&", "&;", "&nope;", "<b>", "schÃ¶n", "Ã©", "â€™", "ä¸\xad"),
    *("\ufb01", "\ufb03", "\uff21", "\uff76\uff9e", "\u0130stanbul'da", "\u0149", "\u01f0", "\u1e9e", "\u03a3"),
    *("e\u0301", "o\u0323\u0302", "\u1112\u1161\u11ab", "\u212b", "\u201c", "\u2019", "\u00a0", "\u3000", "\u2028"),
    *("\r\n", "\r", "\n", "\t", " ", "\x00", "\x1b[31m", "\x1b", "\x85", "\x9f", "\ufeff", "\u200d", "\ufffd"),
    *("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1eb\U0001f1f7", "今日は。", "ไทย", "\u202etac", "\ud800"),
    *("a man ", "in a hat", "men 's ", "9 p.m. ", "Mr. Lee ", "<|endoftext|>", *".,!?'’()-/:1éaBz"),
]
any_caption = st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def check_units(caption: str, units: Sequence[Unit]) -> None:
    """In order, none empty, none overlapping another; every character that is no white space is in one."""
    covered = [place for unit in units for place in range(unit.start, unit.end)]
    assert covered == sorted(set(covered)), "in order, and each character once"
    assert all(caption[unit.start : unit.end] == unit.text == unit.text.strip() != "" for unit in units)
    assert {i for i, letter in enumerate(caption) if not letter.isspace()} <= set(covered)
