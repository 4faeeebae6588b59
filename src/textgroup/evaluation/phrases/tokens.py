"""Evaluation tokens: the pieces of a caption that phrases and units are compared on."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from textgroup.files import local_or_hub
from textgroup.text.cleaning import LONGEST_CAPTION
from textgroup.text.tokenizer import CaptionTokenizer

Spans = list[tuple[int, int]]
"""Characters (start, end) of each token of a caption, from left to right."""
TokenSpans = Callable[[Sequence[str]], list[Spans]]
"""Captions in, the tokens of each out."""

BATCH = 128
"""Captions encoded at once."""

WORD = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")


def word_spans(captions: Sequence[str]) -> list[Spans]:
    """Words, with inner hyphens and apostrophes, and single punctuation marks."""
    return [[match.span() for match in WORD.finditer(caption)] for caption in captions]


def token_spans(tokenizer: CaptionTokenizer | None) -> TokenSpans:
    """The tokens of a BPE, without start and end of text, none cut off, however long the caption; None: words."""
    if tokenizer is None:
        return word_spans
    unlimited = tokenizer.with_limit(LONGEST_CAPTION)
    return lambda captions: [tokens.spans[1:-1] for tokens in unlimited.encode_batch(captions)]


def open_tokenizer(what: str) -> CaptionTokenizer | None:
    """`words` (None), or the BPE of a checkpoint, a run directory, CLIP's merges file or a Hub name."""
    if what == "words":
        return None
    what = local_or_hub(what)
    newest = Path(what) / "last"
    return CaptionTokenizer.from_pretrained(newest if newest.is_dir() else what)
