"""Segmenters measured on a split of Flickr30k Entities: figures with intervals, and differences from the first
segmenter."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from textgroup.data.sources.entities import EntityCaption
from textgroup.errors import InputError
from textgroup.evaluation.intervals import interval, resampled
from textgroup.evaluation.phrases.tiou import (
    FIGURES,
    NONE,
    SHARES,
    CaptionScore,
    PhraseScore,
    gold_tokens,
    score_caption,
    summarise,
    token_owners,
)
from textgroup.evaluation.phrases.tokens import TokenSpans
from textgroup.units import Segmenter, Unit

AT_ONCE = 512
"""Captions that a segmenter gets at once, between two updates of the progress bar."""


@dataclass(frozen=True)
class Benchmark:
    """The captions that have phrases, cut into evaluation tokens.

    spans: characters of each token of each caption. gold: the phrase of each token. images: of each caption.
    """

    captions: list[str]
    images: list[str]
    spans: list[list[tuple[int, int]]]
    gold: list[np.ndarray]

    @classmethod
    def make(cls, captions: Sequence[EntityCaption], tokens: TokenSpans) -> "Benchmark":
        """Captions without a phrase are left out: nothing can be matched on them. `InputError` if none is left."""
        spans = tokens([caption.text for caption in captions])
        gold = [
            np.array(gold_tokens(row, [(p.start, p.end) for p in caption.phrases]), dtype=int)
            for row, caption in zip(spans, captions)
        ]
        kept = [i for i, row in enumerate(gold) if (row != NONE).any()]
        if not kept:
            raise InputError(f"none of the {len(captions):,} captions has a phrase: nothing to measure against")
        return cls(
            [captions[i].text for i in kept],
            [captions[i].image for i in kept],
            [spans[i] for i in kept],
            [gold[i] for i in kept],
        )


@dataclass(frozen=True)
class Result:
    """One segmenter's figures; `drawn` are the same of each bootstrap draw, as arrays (draws,)."""

    segmenter: str
    score: PhraseScore
    drawn: PhraseScore
    captions_per_second: float

    def record(self, split: str, first: "Result | None") -> dict[str, Any]:
        """For phrases.json: percentages, counts and intervals; with `first`, the paired differences from it."""
        counts = {name: int(getattr(self.score, name)) for name in PhraseScore._fields if name not in FIGURES}
        record = {
            "segmenter": self.segmenter,
            "split": split,
            "n_captions": counts.pop("n_captions"),
            "n_phrases": counts.pop("n_phrases"),
            **{name: _percent(name, getattr(self.score, name)) for name in FIGURES},
            **counts,
            "captions_per_second": round(self.captions_per_second, 1),
            "ci95": {name: _interval(name, getattr(self.drawn, name)) for name in FIGURES},
        }
        if first is not None:
            record["difference"] = {"from": first.segmenter, **self.difference(first)}
        return record

    def difference(self, first: "Result") -> dict[str, dict[str, Any]]:
        """This minus `first`, figure by figure, with the interval of the paired difference."""
        return {
            name: {
                "value": _percent(name, getattr(self.score, name) - getattr(first.score, name)),
                "ci95": _interval(name, getattr(self.drawn, name) - getattr(first.drawn, name)),
            }
            for name in FIGURES
        }


def measure(
    name: str,
    segmenter: Segmenter,
    benchmark: Benchmark,
    progress: Callable[[int, str], None] = lambda done, note: None,
) -> Result:
    """Segment every caption and score what comes out. progress: called with (captions done, name)."""
    rows, seconds = score_rows(segmenter, benchmark, lambda done: progress(done, name))
    counted = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    drawn = resampled(counted, benchmark.images)
    total = summarise(rows.sum(axis=0), len(rows))
    return Result(name, total, summarise(drawn[:, :-1], drawn[:, -1]), len(rows) / max(seconds, 1e-9))


def score_rows(
    segmenter: Segmenter, benchmark: Benchmark, progress: Callable[[int], None] = lambda done: None
) -> tuple[np.ndarray, float]:
    """`CaptionScore.with_counts` of every caption, (captions, 14), and the seconds that the segmenter took."""
    scores: list[CaptionScore] = []
    seconds = 0.0
    for a in range(0, len(benchmark.captions), AT_ONCE):
        rows = slice(a, a + AT_ONCE)
        began = time.perf_counter()
        segmented = segmenter(benchmark.captions[rows])
        seconds += time.perf_counter() - began
        scores += [_score_units(*caption) for caption in zip(segmented, benchmark.spans[rows], benchmark.gold[rows])]
        progress(len(scores))
    return np.array([score.with_counts() for score in scores], dtype=float), seconds


def _score_units(units: Sequence[Unit], spans: Sequence[tuple[int, int]], gold: np.ndarray) -> CaptionScore:
    owners = token_owners(spans, ((unit.start, unit.end, unit.group) for unit in units))
    score = score_caption(owners, gold, {unit.group for unit in units if unit.groundable is False})
    assert score is not None, "captions without phrases were left out"
    return score


def _percent(name: str, value: float) -> float:
    return round(float(value) * (100 if name in SHARES else 1), 4)


def _interval(name: str, drawn: float) -> list[float]:
    return [_percent(name, end) for end in interval(np.asarray(drawn))]
