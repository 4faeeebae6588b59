"""What a word is: by white space and Unicode, not by a language. A unit begins where a word does.

A word keeps what stands inside it: mid-air, can't, p.m., 10:30, White/Black, 5.99. It loses what stands around it: (,
:, a closing full stop. Where a script has no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), each
character is a word. What is elided before a word of two letters or more is a word: d'une, l'herbe; and so, by the same
rule, is the o of o'clock.
"""

import re

from tokenizers import Regex, pre_tokenizers

_INNER = r"\p{L}\p{M}\p{N}_"
UNICODE = (
    rf"['’](?:[stmd]|re|ve|ll)(?![{_INNER}'’])"  # the end of a word that was split off before, as CLIP has it
    rf"|(?<![{_INNER}])(?:\p{{L}}\.){{2,}}"  # p.m.
    r"|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
    # an elided word: d'un, l'herbe, d' un; but not the we of we're, or the ma of ma'am
    rf"|(?<![{_INNER}'’])\p{{L}}{{1,2}}['’](?!(?:re|ve|ll|am|em|er)(?![{_INNER}]))(?=\s?\p{{L}}{{2}}|\s\p{{L}})"
    rf"|[#@\p{{Sc}}]?(?:[{_INNER}]|(?<=[{_INNER}])['’\-‐‑/+&.·](?=[{_INNER}])|(?<=\p{{N}})[:,](?=\p{{N}}))+%?"
    "|(?:\\p{Extended_Pictographic}|[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff])+"  # emoji, joined or not
    rf"|\p{{Terminal_Punctuation}}+|[^\s{_INNER}]"
)
"""The words of the tokenizers that we train, as a regular expression of the `tokenizers` library."""
CLIP = r"\p{L}+|\p{N}|'(?:[stmd]|re|ve|ll)|[^\s\p{L}\p{N}]+"
"""CLIP's words. CLIP tries contractions first; none begins with a letter or digit: this order is equal and faster."""
PATTERNS = {"unicode": UNICODE, "clip": CLIP}
"""By the name under which a tokenizer's file says what its words are."""

_GOES_ON = re.compile(r"['’](?:[stmd]|re|ve|ll)")
_ALONE = re.compile(r"[.,:;!?…。、，．！？；：()\[\]{}「」『』（）【】《》“”„«»|•–—]+|-+")
_SPLIT = pre_tokenizers.Split(Regex(UNICODE), behavior="removed", invert=True)


def word_starts(text: str) -> set[int]:
    """Where the words of a text begin."""
    return {start for piece, (start, _) in _SPLIT.pre_tokenize_str(text) if not goes_on(piece)}


def goes_on(word: str) -> bool:
    """Whether what stands alone between spaces is the end of the word before, as in "men 's"."""
    return _GOES_ON.fullmatch(word) is not None


def stands_alone(word: str) -> bool:
    """Whether a word is a mark that ends or encloses something, so that it is a unit by itself."""
    return _ALONE.fullmatch(word) is not None
