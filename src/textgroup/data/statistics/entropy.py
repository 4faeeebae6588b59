"""Harris's statistic (1955) in both directions, from captions alone: where units begin, by what stands before a word
(left branching entropy); and which words call for others, by what follows them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textgroup.data.captions import CaptionData


def left_entropy(
    data: CaptionData, vocabulary: int, ends_word: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Entropy, in nats, of the tokens that stand before each token type in the captions, and their number.

    Both (vocabulary,). ends_word: (vocabulary,); if given, only what follows the end of a word is counted, and the
    entropy is that of words: the start of text is none, although it is where units begin.

    High for what begins a unit (many different words come before "a"), low for what goes on with one (few come
    before "hat"), 0 for a type that has one left neighbour or was never seen.
    """
    inside = np.ones(len(data.ids), dtype=bool)
    inside[data.starts[:-1]] = False  # the first token of a caption has nothing before it
    positions = np.flatnonzero(inside)
    if ends_word is not None:
        positions = positions[ends_word[data.ids[positions - 1]]]
    total = np.bincount(data.ids[positions], minlength=vocabulary)
    if ends_word is not None:
        positions = positions[inside[positions - 1]]
    pairs, count = np.unique(
        data.ids[positions].astype(np.int64) * vocabulary + data.ids[positions - 1], return_counts=True
    )
    second = pairs // vocabulary
    share = count / np.bincount(second, weights=count, minlength=vocabulary)[second]
    return -np.bincount(second, weights=share * np.log(share), minlength=vocabulary), total


FREQUENT, BEGINS = 0.15, 2.4
"""A word type begins a unit where left entropy + FREQUENT * log relative frequency is above BEGINS, in nats."""


def begin_logits(data: CaptionData, ends_word: np.ndarray) -> np.ndarray:
    """How likely each token type is to begin a unit where it begins a word: logits, (vocabulary,), fp32.

    Left entropy over words, that is over the tokens that end the word before. Of two types that follow equally
    many words the more frequent one begins units: rare nouns follow whatever precedes nouns.
    """
    entropy, count = left_entropy(data, len(ends_word), ends_word)
    frequency = np.maximum(count, 1) / max(1, count.sum())  # a type that was never met counts as met once
    return (entropy + FREQUENT * np.log(frequency) - BEGINS).astype(np.float32)


BINDS, RARE, FEW = 0.7, 5, 10
"""BINDS: a type binds the next token if one type follows it in a larger share of its occurrences. RARE: added to the
count of the first type of a pair; FEW: to that of the second. So rare types bind little, and are hardly called for."""


class Pairs(NamedTuple):
    """The P pairs of token types that follow each other within texts. An elided second type stands for its full form.

    before, after: the types, (P,). times: how often, (P,). share: of all that follows `before`, `RARE` more counted,
    (P,). full: the type that each type stands for, (vocabulary,).
    """

    before: np.ndarray
    after: np.ndarray
    times: np.ndarray
    share: np.ndarray
    full: np.ndarray


def binds_next(data: CaptionData, texts: Sequence[str]) -> np.ndarray:
    """Whether one type (nearly) always follows each token type: (vocabulary,), bool. texts: of the token types.

    "group" calls for "of", "next" for "to", "each" for "other": no unit begins between them. The end of text is no type
    that a full stop calls for. An elided word counts as its full form: "groupe" calls for "de" or "d'".
    """
    pairs = _pairs(data, texts)
    largest = np.zeros(len(texts))
    np.maximum.at(largest, pairs.before, pairs.share)
    return largest > BINDS


def called_for(data: CaptionData, texts: Sequence[str], callers: np.ndarray) -> np.ndarray:
    """How strongly each token type is called for by the callers that it follows, 0..1: (vocabulary,), fp32.

    At each place where it follows a caller: its share of all that follows this caller. The mean over these places, with
    `FEW` more of share 0. High for "of", which follows "crowd", "bowl" and "side"; low for "in" and "and", which may
    follow anything. callers: (vocabulary,), bool. texts: of the token types; an elided word counts as its full form.
    """
    pairs = _pairs(data, texts)
    counted = callers[pairs.before]
    places, shares = (
        np.bincount(pairs.after[counted], weights=x[counted], minlength=len(texts))
        for x in (pairs.times, pairs.times * pairs.share)
    )
    return (shares / (places + FEW))[pairs.full].astype(np.float32)


def _pairs(data: CaptionData, texts: Sequence[str]) -> Pairs:
    """What follows what. texts: of the token types."""
    full = full_forms(texts, np.bincount(data.ids, minlength=len(texts)))
    inside = np.ones(len(data.ids), dtype=bool)
    inside[data.starts[:-1]] = inside[data.starts[1:] - 1] = False
    positions = np.flatnonzero(inside)
    first = data.ids[positions - 1].astype(np.int64)
    pairs, count = np.unique(first * len(full) + full[data.ids[positions]], return_counts=True)
    before, after = np.divmod(pairs, len(full))
    return Pairs(before, after, count, count / (np.bincount(first, minlength=len(full)) + RARE)[before], full)


def full_forms(texts: Sequence[str], count: np.ndarray) -> np.ndarray:
    """For each token type (vocabulary,) the one that it stands for: itself; or, for an elided word ("d'"), the most
    frequent one of its letters and one more ("de"), if there is any. count: (vocabulary,), how often each occurs."""
    longer: dict[str, int] = {}
    for index, text in enumerate(texts):
        if text.isalpha() and (text[:-1] not in longer or count[index] > count[longer[text[:-1]]]):
            longer[text[:-1]] = index
    elided = ((index, text[:-1]) for index, text in enumerate(texts) if len(text) > 1 and text[-1] in "'’")
    full = np.arange(len(texts))
    for index, letters in elided:
        full[index] = longer.get(letters, index)
    return full


def cohesion(data: CaptionData, vocabulary: int) -> np.ndarray:
    """How strongly each token type coheres with the token before it, in 0..1: (vocabulary,), fp32.

    1 minus its left entropy as a share of the largest one: 0 for the type that follows anything.
    """
    entropy, _ = left_entropy(data, vocabulary)
    return (1 - entropy / max(entropy.max(), 1e-9)).astype(np.float32)
