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
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no encoding knows; from JSON, or from file names that are no text."""


def clean(caption: str) -> str:
    """The text that CLIP encodes: mojibake repaired, entities resolved, white space single, lower case."""
    caption = caption[:LONGEST_CAPTION]
    if not (caption.isascii() and caption.isprintable() and "&" not in caption):  # plain captions stay as they are
        caption = _SURROGATE.sub("\ufffd", caption)
        caption = html.unescape(html.unescape(ftfy.fix_text(caption)))
    return _SPACE.sub(" ", caption).strip().lower()


def original_offsets(caption: str, cleaned: str) -> list[tuple[int, int]] | None:
    """For each character of `clean(caption)`, the (start, end) of the original that it stands for.

    None if every character stands for itself, as in most captions: no list is built for those.
    """
    caption = caption[:LONGEST_CAPTION]
    if len(cleaned) == len(caption) and cleaned == caption.lower():
        return None
    return _word_offsets(caption, cleaned)


def _word_offsets(original: str, cleaned: str) -> list[tuple[int, int]]:
    """Offsets word by word; character by character within the words that cleaning changed."""
    original_spans = [m.span() for m in re.finditer(r"\S+", original)]
    cleaned_spans = [m.span() for m in re.finditer(r"\S+", cleaned)]
    original_words = [original[a:b].lower() for a, b in original_spans]
    cleaned_words = [cleaned[a:b] for a, b in cleaned_spans]
    offsets = [(0, 0)] * len(cleaned)
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, original_words, cleaned_words, autojunk=False).get_opcodes():
        if tag == "equal":
            for (a, b), (c, d) in zip(original_spans[i1:i2], cleaned_spans[j1:j2]):
                if b - a == d - c:
                    offsets[c:d] = [(a + n, a + n + 1) for n in range(d - c)]
                else:  # lower case is longer than upper case
                    offsets[c:d] = [(a, b)] * (d - c)
        elif j1 < j2:
            if i1 < i2:
                a, b = original_spans[i1][0], original_spans[i2 - 1][1]
            else:  # words that the original does not have stand at the end of the word before them
                a = b = original_spans[i1 - 1][1] if i1 else 0
            c, d = cleaned_spans[j1][0], cleaned_spans[j2 - 1][1]
            offsets[c:d] = _block_offsets(original, a, b, cleaned[c:d])
    return offsets


def _block_offsets(original: str, a: int, b: int, block: str) -> list[tuple[int, int]]:
    """Offsets of `block`, the cleaned form of `original[a:b]`; a dropped character joins the one on its left."""
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
