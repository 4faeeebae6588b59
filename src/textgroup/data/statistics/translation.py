"""Which words of a caption and of its translation mean the same, from pairs of captions alone.

IBM's model 1 (Brown et al., 1993) in both directions, trained to agree (Liang et al., 2006). Words that stand at the
same share of their captions are more likely a pair (Dyer et al., 2013).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

ROUNDS, DIAGONAL, NOTHING, UNSEEN = 6, 8.0, 0.05, 1e-6
"""Rounds of expectation maximisation; how fast a pair gets less likely with the distance of its places, in shares of
the captions; weight of nothing, beside words at the same place; added to every count. The first values that were
tried."""


class Pairs(NamedTuple):
    """Each pair of a word of a caption, or of nothing, with a word of the caption's translation.

    own, other: (P,), number of the word in all captions, and in all translations; before a caption's words stands
    nothing. weight: (P,), how likely the places are. kind: (P,), number of the two types. first, second: (kinds,), the
    types; that of nothing is 0, those of words are one more than given.
    """

    own: np.ndarray
    other: np.ndarray
    weight: np.ndarray
    kind: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @property
    def is_word(self) -> np.ndarray:
        """(P,), whether the first of the two is a word, and not nothing."""
        is_word: np.ndarray = self.first[self.kind] > 0
        return is_word


def align(captions: Sequence[np.ndarray], translations: Sequence[np.ndarray]) -> list[np.ndarray]:
    """How sure it is that two words mean the same: for each caption (its words, words of its translation), fp32, 0..1.

    captions, translations: the types of their words, numbers from 0; at least one each; caption n and translation n
    belong together. It is the root of the product of two probabilities: that the translation's word stands for this
    word and for no other, and that this word stands for it. Memory: some 120 bytes for each pair of words.
    """
    pairs = _pairs(captions, translations)
    forth = back = np.ones(len(pairs.first))  # of each kind of pair: probability of the second word given the first
    for _ in range(ROUNDS):
        chosen, choosing = _posteriors(pairs, forth, back)
        agreed = np.bincount(pairs.kind, chosen * np.where(pairs.is_word, choosing, 1)) + UNSEEN
        forth = agreed / np.bincount(pairs.first, agreed)[pairs.first]
        agreed = np.where(pairs.first > 0, agreed, 0)
        back = agreed / np.maximum(np.bincount(pairs.second, agreed), UNSEEN)[pairs.second]
    chosen, choosing = _posteriors(pairs, forth, back)
    sure = np.sqrt(chosen * choosing).astype(np.float32)
    shapes = [(len(own) + 1, len(other)) for own, other in zip(captions, translations)]
    ends = np.cumsum([n * m for n, m in shapes])
    return [sure[end - n * m : end].reshape(n, m)[1:] for end, (n, m) in zip(ends, shapes)]


def _pairs(captions: Sequence[np.ndarray], translations: Sequence[np.ndarray]) -> Pairs:
    """All pairs of all captions, caption by caption; within one, the words of the translation run fastest."""
    of_caption: list[tuple[np.ndarray, ...]] = []
    before = np.zeros(2, dtype=np.int64)  # words of the captions so far, and of the translations
    for words, translated in zip(captions, translations):
        n, m = len(words) + 1, len(translated)
        at, there = (np.arange(n) - 0.5) / max(n - 1, 1), (np.arange(m) + 0.5) / max(m, 1)
        likely = np.exp(-DIAGONAL * np.abs(at[:, None] - there))  # (n, m)
        likely[0] = NOTHING
        own, other = np.repeat(before[0] + np.arange(n), m), np.tile(before[1] + np.arange(m), n)
        types = np.repeat(np.concatenate([[0], words + 1]), m), np.tile(translated, n)
        of_caption.append((own, other, likely.ravel(), *types))
        before += n, m
    own, other, weight, first, second = (np.concatenate(parts) for parts in zip(*of_caption))
    count = second.max(initial=0) + 1
    kinds, kind = np.unique(first.astype(np.int64) * count + second, return_inverse=True)
    return Pairs(own, other, weight, kind, kinds // count, kinds % count)


def _posteriors(pairs: Pairs, forth: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How likely, in each pair (P,), the translation's word stands for this word, and this word for it (0 for
    nothing)."""
    chosen = _shares(forth[pairs.kind] * pairs.weight, pairs.other)
    choosing = _shares(back[pairs.kind] * pairs.weight * pairs.is_word, pairs.own)
    return chosen, choosing


def _shares(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Each value as a share of the sum of its group's; 0 where that is 0."""
    shares: np.ndarray = values / np.maximum(np.bincount(group, values), np.finfo(float).tiny)[group]
    return shares
