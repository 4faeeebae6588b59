"""Heat maps measured on photographs with boxes (Flickr30k Entities): given phrases, and end to end; with intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from textgroup.data.sources.boxes import Boxes
from textgroup.data.sources.entities import EntityCaption, Phrase
from textgroup.errors import InputError
from textgroup.evaluation.grounding.grounders import Grounder
from textgroup.evaluation.grounding.pointing import (
    IOU,
    PhraseFigures,
    area_under_curve,
    covered,
    hull,
    inside,
    iou,
    score_heat,
)
from textgroup.evaluation.intervals import interval, resampled
from textgroup.inference.heat import PIXELS, point

POINTING = ("pointing_mass", "pointing_best", "box_recall_union", "box_recall_any", "auc")
UNITS = ("unit_precision", "unit_recall", "unit_f1")
FIGURES = (*POINTING, *UNITS)
"""Of grounding.json, all in per cent; null where one does not apply."""


@dataclass(frozen=True)
class Mentions:
    """A caption and its phrases that have boxes. boxes: (n, 4) of each phrase. image: its name.

    others: its phrases without boxes, of which nothing can be said.
    """

    image: str
    caption: str
    phrases: list[Phrase]
    boxes: list[np.ndarray]
    others: list[Phrase]


@dataclass(frozen=True)
class GroundingResult:
    """A contender's figures: rows (captions, 2 x 8) of sums and counts in the order of `FIGURES`, and their images.

    by_type: (sum, count) of pointing_mass for each type of phrase.
    """

    name: str
    rows: np.ndarray
    images: list[str]
    by_type: dict[str, tuple[float, int]]

    def record(self) -> dict[str, Any]:
        """For grounding.json."""
        drawn = _figures(resampled(self.rows, self.images))  # (draws, 8)
        values = _figures(self.rows.sum(axis=0))
        ends = {name: [_rounded(end) for end in interval(drawn[:, i])] for i, name in enumerate(FIGURES)}
        return {
            "model": self.name,
            "n_images": len(set(self.images)),
            "n_phrases": int(self.rows[:, len(FIGURES)].sum()),
            **{name: _rounded(value) for name, value in zip(FIGURES, values)},
            "ci95": {name: end for name, end in ends.items() if None not in end},
            "pointing_mass_by_type": {
                kind: {"score": _rounded(100 * total / count), "n_phrases": count}
                for kind, (total, count) in sorted(self.by_type.items())
            },
        }


def mentions_of(captions: Sequence[EntityCaption], boxes: Boxes) -> list[Mentions]:
    """The captions that have a phrase with a box. Raises `InputError` if there is none."""
    mentions: list[Mentions] = []
    for caption in captions:
        of_image = boxes.of_image.get(caption.image, {})
        with_box = [phrase for phrase in caption.phrases if phrase.chain in of_image]
        if with_box:
            others = [phrase for phrase in caption.phrases if phrase.chain not in of_image]
            mentions.append(
                Mentions(caption.image, caption.text, with_box, [of_image[p.chain] for p in with_box], others)
            )
    if not mentions:
        raise InputError("no phrase of these captions has a box: check --boxes and --split")
    return mentions


def measure(
    grounder: Grounder,
    mentions: Sequence[Mentions],
    images: dict[str, bytes | Path],
    progress: Callable[[int, str], None] = lambda done, note: None,
) -> GroundingResult:
    """Every phrase's heat map scored, and the grounder's own units where it has some."""
    rows, by_type = [], _Types()
    for done, mention in enumerate(mentions, 1):
        image = images[mention.image]
        spans = [(phrase.start, phrase.end) for phrase in mention.phrases]
        heats = grounder.heats(mention.image, image, mention.caption, spans)
        figures = [score_heat(heat, boxes) for heat, boxes in zip(heats, mention.boxes)]
        by_type.add(mention, figures)
        rows.append([*_sums(figures), *_unit_sums(grounder, mention, image)])
        progress(done, grounder.name)
    return GroundingResult(grounder.name, _ordered(rows), [mention.image for mention in mentions], by_type.totals)


def measure_blind(name: str, mentions: Sequence[Mentions]) -> GroundingResult:
    """The baselines that look at nothing: "random point" (its expectation), "centre", "whole picture"."""
    rows, by_type = [], _Types()
    for mention in mentions:
        figures = [BLIND[name](boxes) for boxes in mention.boxes]
        by_type.add(mention, figures)
        rows.append([*_sums(figures), 0.0, 0.0, 0.0])
    return GroundingResult(name, _ordered(rows), [mention.image for mention in mentions], by_type.totals)


def _random(boxes: np.ndarray) -> PhraseFigures:
    area = float(covered(boxes).mean())
    return PhraseFigures(area, area, np.nan, np.nan, 0.5)


def _centre(boxes: np.ndarray) -> PhraseFigures:
    hit = float(inside(boxes, 0.5, 0.5))
    centre = (np.arange(PIXELS) + 0.5) / PIXELS - 0.5
    return PhraseFigures(
        hit, hit, np.nan, np.nan, area_under_curve(-np.hypot(*np.meshgrid(centre, centre)), covered(boxes))
    )


def _whole(boxes: np.ndarray) -> PhraseFigures:
    whole = np.array([0.0, 0.0, 1.0, 1.0])
    recalled = float(iou(whole, hull(boxes)) >= IOU), float(max(iou(whole, box) for box in boxes) >= IOU)
    return PhraseFigures(np.nan, np.nan, *recalled, 0.5)


BLIND: dict[str, Callable[[np.ndarray], PhraseFigures]] = {
    "random point": _random,
    "centre": _centre,
    "whole picture": _whole,
}
"""Baselines that look at nothing, by name."""


class _Types:
    def __init__(self) -> None:
        self.totals: dict[str, tuple[float, int]] = {}

    def add(self, mention: Mentions, figures: Sequence[PhraseFigures]) -> None:
        """Count the phrases under each of their types."""
        for phrase, figure in zip(mention.phrases, figures):
            for kind in phrase.types if np.isfinite(figure.mass) else ():
                total, count = self.totals.get(kind, (0.0, 0))
                self.totals[kind] = (total + figure.mass, count + 1)


def _sums(figures: Sequence[PhraseFigures]) -> list[float]:
    """Sum and count of each figure over the phrases that have it, mass first: (10,)."""
    table = np.array([(f.mass, f.best, f.box_union, f.box_any, f.auc) for f in figures])
    return [*np.nansum(table, axis=0), *np.isfinite(table).sum(axis=0)]


def _unit_sums(grounder: Grounder, mention: Mentions, image: bytes | Path) -> tuple[float, float, float]:
    """Units that are right, units that claim something, and phrases, of one caption.

    A unit is right if its span is exactly a phrase with a box, and its point lies in one of the phrase's boxes. A unit
    that is exactly a phrase without a box is left out: nothing is known of it.
    """
    if grounder.units is None:
        return 0.0, 0.0, 0.0
    unknown = {(phrase.start, phrase.end) for phrase in mention.others}
    spans = [(u.start, u.end) for u in grounder.units(mention.caption) if u.groundable is not False]
    spans = [span for span in spans if span not in unknown]
    boxes_of = {(phrase.start, phrase.end): boxes for phrase, boxes in zip(mention.phrases, mention.boxes)}
    exact = [span for span in spans if span in boxes_of]
    heats = grounder.heats(mention.image, image, mention.caption, exact) if exact else []
    right = sum(inside(boxes_of[span], *point(heat).mass) for span, heat in zip(exact, heats))
    return float(right), float(len(spans)), float(len(mention.phrases))


def _ordered(rows: Sequence[Sequence[float]]) -> np.ndarray:
    """(captions, 16): the sums of `FIGURES`, then their counts. F1 is twice the right ones over claims and phrases."""
    table = np.array(rows, dtype=float)
    sums, counts, right, claimed, phrases = table[:, :5], table[:, 5:10], *table[:, 10:].T
    units = np.stack([right, right, 2 * right], axis=1)
    return np.concatenate([sums, units, counts, np.stack([claimed, phrases, claimed + phrases], axis=1)], axis=1)


def _figures(sums: np.ndarray) -> np.ndarray:
    """(..., 16) -> (..., 8) in per cent; NaN where nothing was counted."""
    total, count = np.split(sums, 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        figures: np.ndarray = 100 * total / count
    return figures


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
