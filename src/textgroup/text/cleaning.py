"""Cleaning a caption as CLIP does, and carrying character offsets back to the caption as it was given."""

import html
import re
from difflib import SequenceMatcher

import ftfy

LONGEST_CAPTION = 10_000
"""Characters of a caption that are read; far beyond what 77 tokens can hold."""
LONGEST_ALIGNED = 500
"""Characters. A longer stretch that cleaning rewrote is aligned as one block."""
_SPACE = re.compile(r"\s+")


def clean(caption: str) -> str:
    """The text that CLIP encodes: mojibake repaired, entities resolved, white space single, lower case."""
    caption = caption[:LONGEST_CAPTION]
    if not (caption.isascii() and caption.isprintable() and "&" not in caption):  # ftfy leaves these alone
        caption = html.unescape(html.unescape(ftfy.fix_text(caption)))
    return _SPACE.sub(" ", caption).strip().lower()


def original_offsets(caption: str, cleaned: str) -> list[tuple[int, int]] | None:
    """For each character of `clean(caption)`, the (start, end) of the original that it stands for.

    None where each stands for itself, as in most captions: that is known without looking at each of them.
    """
    caption = caption[:LONGEST_CAPTION]
    if len(cleaned) == len(caption) and cleaned == caption.lower():
        return None
    return _word_offsets(caption, cleaned)


def _word_offsets(original: str, cleaned: str) -> list[tuple[int, int]]:
    """Word by word, and within the words that cleaning changed, character by character."""
    old = [m.span() for m in re.finditer(r"\S+", original)]
    new = [m.span() for m in re.finditer(r"\S+", cleaned)]
    old_words = [original[a:b].lower() for a, b in old]
    new_words = [cleaned[a:b] for a, b in new]
    offsets = [(0, 0)] * len(cleaned)
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old_words, new_words, autojunk=False).get_opcodes():
        if tag == "equal":
            for (a, b), (c, d) in zip(old[i1:i2], new[j1:j2]):
                if b - a == d - c:
                    offsets[c:d] = [(a + n, a + n + 1) for n in range(d - c)]
                else:  # lower case is longer than upper case
                    offsets[c:d] = [(a, b)] * (d - c)
        elif j1 < j2:
            a, b = (old[i1][0], old[i2 - 1][1]) if i1 < i2 else (old[i1 - 1][1],) * 2 if i1 else (0, 0)
            c, d = new[j1][0], new[j2 - 1][1]
            offsets[c:d] = _block_offsets(original, a, b, cleaned[c:d])
    return offsets


def _block_offsets(original: str, a: int, b: int, block: str) -> list[tuple[int, int]]:
    """Offsets of `block`, the cleaned form of `original[a:b]`; what cleaning dropped goes to its left."""
    source = original[a:b].lower()
    if len(source) != b - a or max(len(source), len(block)) > LONGEST_ALIGNED:
        return [(a, b)] * len(block)
    offsets = [(a, b)] * len(block)
    previous = None
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, source, block, autojunk=False).get_opcodes():
        if tag == "equal":
            offsets[j1:j2] = [(a + i1 + n, a + i1 + n + 1) for n in range(j2 - j1)]
        elif tag == "delete" and previous is not None:
            offsets[previous] = (offsets[previous][0], a + i2)
        else:
            offsets[j1:j2] = [(a + i1, a + i2)] * (j2 - j1)
        previous = j2 - 1 if j2 else None
    return offsets
