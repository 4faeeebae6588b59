"""How well units agree with gold phrases: the paper's tIoU, precision, recall and F1 (Section 4.4), and stricter ones.

A caption is a row of tokens, without start and end of text. `units[j]` is the unit of token j, `gold[j]` its
phrase; -1 is no unit, or a token where the annotators marked nothing.

                 a  small red  ring  floats  over  a  star
    gold         0    0    0    0     -1      -1   1    1
    units        5    5    7    7      7       7   7    7

    unit 5 ~ phrase 0: intersection 2, union 4           tIoU 2/4, precision 2/2, recall 2/4
    unit 7 ~ phrase 1: intersection 2, union 4 (the two  tIoU 2/4, precision 2/4, recall 2/2
                       un-annotated tokens do not count)
    the caption: tIoU 50, P 75, R 75, F1 66.7

Stricter: un-annotated tokens count in the union, and a phrase that got no unit scores 0; here unit 7 ~ phrase 1 is
2/6, so strict tIoU is (2/4 + 2/6) / 2 = 41.7. Exact: no unit is a phrase from its first token to its last, so 0.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from textgroup.errors import InputError

NONE = -1
"""No unit, or no phrase."""


class CaptionScore(NamedTuple):
    """Agreement on one caption; the first five in 0..1, means over its pairs or (strict) its phrases.

    exact: units that are a phrase exactly. predicted: units that claim to be one.
    """

    tiou: float
    precision: float
    recall: float
    f1: float
    strict_tiou: float
    exact: int
    predicted: int
    phrases: int
    units: int
    pairs: int

    def with_counts(self) -> tuple[float, ...]:
        """These, and what `summarise` needs to compare the number of predicted units with that of phrases: (14,)."""
        predicted, phrases = self.predicted, self.phrases
        return (*self, abs(predicted - phrases), predicted**2, phrases**2, predicted * phrases)


class PhraseScore(NamedTuple):
    """Agreement over captions: shares in 0..1, then counts. Over bootstrap draws, each is an array (draws,).

    exact_*: micro averages over spans. count_error: mean distance of the number of predicted units from that of
    phrases. count_correlation: Pearson's, of the two numbers over the captions; 0 where one never varies.
    matched_pairs: pairs of unit and phrase that tiou, precision, recall and f1 are averaged over. unmatched_gold:
    phrases that got no unit.
    """

    tiou: float
    precision: float
    recall: float
    f1: float
    strict_tiou: float
    exact_precision: float
    exact_recall: float
    exact_f1: float
    units_per_caption: float
    count_error: float
    count_correlation: float
    matched_pairs: float
    unmatched_gold: float
    n_captions: float
    n_phrases: float


SHARES = PhraseScore._fields[:8]
"""Figures in 0..1."""
FIGURES = PhraseScore._fields[:11]
"""Those that are no sums, and so have an interval."""


def score_caption(
    units: Sequence[int] | np.ndarray, gold: Sequence[int] | np.ndarray, ungroundable: Collection[int] = ()
) -> CaptionScore | None:
    """The Hungarian algorithm pairs units and phrases; None for a caption without phrases.

    There are min(K, G) pairs, K being the units that own a token, G the gold phrases; those of largest summed tIoU,
    and for the strict figure those of largest summed strict tIoU. ungroundable: units that do not claim to be a
    phrase; they count in all but the exact figures.
    """
    units, gold = np.asarray(units), np.asarray(gold)
    annotated = gold != NONE
    if not annotated.any():
        return None
    names = np.unique(units[units != NONE])
    owner = units == names[:, None]  # (K, M)
    phrase = gold == np.unique(gold[annotated])[:, None]  # (G, M)
    overlap = owner.astype(float) @ phrase.T.astype(float)  # (K, G)
    length = owner.sum(axis=1)[:, None]
    owned = (owner & annotated).sum(axis=1)[:, None]  # un-annotated tokens count nowhere (fidelity.md, 13)
    size = phrase.sum(axis=1)[None, :]
    iou, strict = overlap / (owned + size - overlap), overlap / (length + size - overlap)
    pairs = linear_sum_assignment(iou, maximize=True)  # of pairings with equal tIoU, the one that SciPy finds
    strict_sum = strict[linear_sum_assignment(strict, maximize=True)].sum()
    matched, owned, paired = overlap[pairs], owned[pairs[0], 0], size[0, pairs[1]]
    shares = iou[pairs], matched / np.maximum(owned, 1), matched / paired, 2 * matched / (owned + paired)
    predicted = np.isin(names, list(ungroundable), invert=True)
    # Equal sets of tokens; a phrase has no holes, so a unit with holes equals none.
    exact = ((strict == 1).any(axis=1) & predicted).sum()
    tiou, precision, recall, f1 = (float(x.mean()) if len(names) else 0.0 for x in shares)
    return CaptionScore(
        tiou=tiou,
        precision=precision,
        recall=recall,
        f1=f1,
        strict_tiou=float(strict_sum) / size.shape[1],
        exact=int(exact),
        predicted=int(predicted.sum()),
        phrases=size.shape[1],
        units=len(names),
        pairs=len(matched),
    )


def summarise(sums: np.ndarray, captions: Any) -> PhraseScore:
    """Sums of `CaptionScore.with_counts` (..., 14) over so many captions -> figures (...)."""
    *scores, off, predicted_squared, phrases_squared, product = np.moveaxis(sums, -1, 0)
    total = CaptionScore(*scores)
    varies = (captions * predicted_squared - total.predicted**2) * (captions * phrases_squared - total.phrases**2)
    covariance = captions * product - total.predicted * total.phrases
    return PhraseScore(
        tiou=total.tiou / captions,
        precision=total.precision / captions,
        recall=total.recall / captions,
        f1=total.f1 / captions,
        strict_tiou=total.strict_tiou / captions,
        exact_precision=total.exact / np.maximum(total.predicted, 1),
        exact_recall=total.exact / total.phrases,
        exact_f1=2 * total.exact / (total.predicted + total.phrases),
        units_per_caption=total.units / captions,
        count_error=off / captions,
        count_correlation=covariance / np.sqrt(np.where(varies > 0, varies, np.inf)),
        matched_pairs=total.pairs,
        unmatched_gold=total.phrases - total.pairs,
        n_captions=captions,
        n_phrases=total.phrases,
    )


def score_captions(units: Iterable[Sequence[int]], gold: Iterable[Sequence[int]]) -> PhraseScore:
    """Each caption's score, averaged over the captions that have phrases; `InputError` if none has."""
    scores = [score for u, g in zip(units, gold) if (score := score_caption(u, g)) is not None]
    if not scores:
        raise InputError("no caption has a phrase: there is nothing to score against")
    return summarise(np.sum([score.with_counts() for score in scores], axis=0), len(scores))


def token_owners(spans: Sequence[tuple[int, int]], pieces: Iterable[tuple[int, int, int]]) -> list[int]:
    """The owner of each token: the one that has most of its characters, `NONE` for none; of equals, the leftmost.

    spans: characters (start, end) of each token. pieces: (start, end, owner); an owner may have several.
    """
    pieces = sorted(pieces)
    owners = []
    for start, end in spans:
        shared: dict[int, int] = {}
        for a, b, owner in pieces:
            if a < end and start < b:
                shared[owner] = shared.get(owner, 0) + min(end, b) - max(start, a)
        owners.append(max(shared, key=shared.__getitem__) if shared else NONE)
    return owners


def gold_tokens(spans: Sequence[tuple[int, int]], phrases: Sequence[tuple[int, int]]) -> list[int]:
    """The phrase of each token. phrases: characters of each gold phrase."""
    return token_owners(spans, ((a, b, i) for i, (a, b) in enumerate(phrases)))
