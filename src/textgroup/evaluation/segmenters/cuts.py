"""Cuts that look at nothing but the number of tokens: the trivial baselines of every table."""

from collections.abc import Callable

import numpy as np

from textgroup.evaluation.phrases.tokens import token_spans
from textgroup.evaluation.segmenters.request import Request
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.units import Segmenter, merge_tokens


def open_equal(request: Request) -> Segmenter:
    """`equal:K`: K runs of equal length."""
    parts = request.whole_number()
    return _blind_segmenter(request.tokenizer, lambda length: equal_split(length, parts))


def open_singletons(request: Request) -> Segmenter:
    """`singletons`: each token a unit."""
    return _blind_segmenter(request.tokenizer, lambda length: list(range(length)))


def open_random(request: Request) -> Segmenter:
    """`random:K`: each token in one of K groups; the same every time."""
    groups, random = request.whole_number(), np.random.default_rng(0)
    return _blind_segmenter(request.tokenizer, lambda length: random.integers(groups, size=length).tolist())


def equal_split(length: int, parts: int) -> list[int]:
    """The unit of each of `length` tokens when the caption is cut into `parts` runs of (nearly) equal length."""
    return [j * parts // length for j in range(length)] if length > parts else list(range(length))


def _blind_segmenter(tokenizer: CaptionTokenizer | None, groups: Callable[[int], list[int]]) -> Segmenter:
    """A segmenter that sees nothing but the number of tokens."""
    tokens = token_spans(tokenizer)
    return lambda captions: [
        merge_tokens(caption, spans, groups(len(spans))) for caption, spans in zip(captions, tokens(captions))
    ]
