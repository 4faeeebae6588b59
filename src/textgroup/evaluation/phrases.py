"""How well units agree with gold phrases: the paper's tIoU, precision, recall and F1 (Section 4.4).

A caption is a row of tokens, without start and end of text. `units[j]` is the unit of token j; `gold[j]` is
the phrase of token j, or -1 where the annotators marked nothing.

                 a  small red  ring  floats  over  a  star
    gold         0    0    0    0     -1      -1   1    1
    units        5    5    7    7      7       7   7    7

    unit 5 ~ phrase 0: intersection 2, union 4           tIoU 2/4, precision 2/2, recall 2/4
    unit 7 ~ phrase 1: intersection 2, union 4 (the two  tIoU 2/4, precision 2/4, recall 2/2
                       un-annotated tokens do not count)
    the caption: tIoU 50, P 75, R 75, F1 66.7
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

NOT_ANNOTATED = -1


class PhraseScore(NamedTuple):
    """Agreement of units with gold phrases, each in 0..1."""

    tiou: float
    precision: float
    recall: float
    f1: float


def score_caption(units: Sequence[int] | np.ndarray, gold: Sequence[int] | np.ndarray) -> PhraseScore | None:
    """Means over the pairs that the Hungarian algorithm matches; None for a caption without phrases.

    There are min(K, G) pairs, K being the units that own a token, G the gold phrases.
    """
    units, gold = np.asarray(units), np.asarray(gold)
    annotated = gold != NOT_ANNOTATED
    if not annotated.any():
        return None
    owner = units == np.unique(units)[:, None]  # (K, M)
    phrase = gold == np.unique(gold[annotated])[:, None]  # (G, M)
    overlap = (owner.astype(int) @ phrase.T).astype(float)  # (K, G)
    owned = (owner & annotated).sum(axis=1)[:, None]  # un-annotated tokens count nowhere (fidelity.md, 13)
    size = phrase.sum(axis=1)[None, :]
    iou = overlap / (owned + size - overlap)
    pairs = linear_sum_assignment(iou, maximize=True)
    matched, owned, size = overlap[pairs], owned[pairs[0], 0], size[0, pairs[1]]
    precision = matched / np.maximum(owned, 1)
    recall = matched / size
    f1 = 2 * matched / (owned + size)
    return PhraseScore(*(float(x.mean()) for x in (iou[pairs], precision, recall, f1)))


def score_captions(units: Iterable[Sequence[int]], gold: Iterable[Sequence[int]]) -> PhraseScore:
    """Each caption's score, averaged over the captions that have phrases."""
    scores = [score for u, g in zip(units, gold) if (score := score_caption(u, g)) is not None]
    return PhraseScore(*np.mean(scores, axis=0).tolist()) if scores else PhraseScore(0.0, 0.0, 0.0, 0.0)


def gold_tokens(spans: Sequence[tuple[int, int]], phrases: Sequence[tuple[int, int]]) -> list[int]:
    """The phrase of each token: the one that has most of its characters, -1 for none.

    spans: characters of each token. phrases: characters of each gold phrase.
    """
    gold = []
    for start, end in spans:
        shared = [min(end, b) - max(start, a) for a, b in phrases]
        best = int(np.argmax(shared)) if shared else 0
        gold.append(best if shared and shared[best] > 0 else NOT_ANNOTATED)
    return gold
