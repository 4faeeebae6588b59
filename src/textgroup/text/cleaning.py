"""Cleaning a caption as CLIP does."""

import html
import re

LONGEST_CAPTION = 10_000
"""Characters of a caption that are read; far beyond what 77 tokens can hold."""
SPACE = re.compile(r"\s+")
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no encoding knows; from JSON, or from file names that are no text."""


def clean(caption: str) -> str:
    """The text that CLIP encodes: mojibake repaired, entities resolved, white space single, lower case."""
    return SPACE.sub(" ", repair(caption[:LONGEST_CAPTION])).strip().lower()


def repair(text: str) -> str:
    """The text with mojibake repaired, entities resolved and Unicode composed; plain text stays as it is."""
    if text.isascii() and text.isprintable() and "&" not in text:
        return text
    import ftfy  # most captions need none of it

    return html.unescape(html.unescape(ftfy.fix_text(_SURROGATE.sub("\ufffd", text))))
