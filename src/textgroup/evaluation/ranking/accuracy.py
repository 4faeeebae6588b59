"""Pairwise ranking (Section 4.2), and the official scores of the benchmarks that have their own, with intervals.

Per cent throughout. A row counts 1 if the better pair scores above the worse one, half a point for a tie; the
intervals are a bootstrap clustered by the image of the better pair.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from textgroup.data.probes.rows import Pair, Probe
from textgroup.evaluation.intervals import interval, resampled

OVERALL = "overall"
"""Category of all rows together, each with the same weight (fidelity.md, 25)."""
QUESTIONS = ("text/0", "text/1", "image/0", "image/1")
"""The rows of an example of Winoground."""


class Scores(NamedTuple):
    """What a model gives the two pairs of each row, (rows,); NaN where an image is missing."""

    better: np.ndarray
    worse: np.ndarray

    def take(self, kept: np.ndarray) -> "Scores":
        """Those of some rows, by number or mask."""
        return Scores(self.better[kept], self.worse[kept])


@dataclass(frozen=True, eq=False)
class Figure:
    """One number: `score` per cent, of `rows` rows about `images` images.

    draws: (draws,), the score of each draw of the bootstrap; figures of the same rows have the same images drawn.
    measure: "ranking"; "match" (SVO-Probes' own); "text", "image", "group" (Winoground's); "noun understanding".
    ties: rows whose two pairs score alike; they count half in "ranking", and nothing in Winoground's measures.
    """

    model: str
    benchmark: str
    measure: str
    category: str
    score: float
    draws: np.ndarray
    rows: int
    images: int
    ties: int

    @property
    def ci95(self) -> tuple[float, float]:
        """The 95% interval."""
        return _interval(self.draws)

    def difference(self, other: "Figure") -> tuple[float, tuple[float, float]]:
        """This score less another model's, and the 95% interval of that, draw by draw. Both are of the same rows."""
        return self.score - other.score, _interval(self.draws - other.draws)


def figure(
    name: tuple[str, str, str, str],
    columns: np.ndarray,
    rows: Sequence[Probe],
    formula: Callable[[np.ndarray], np.ndarray],
    ties: int,
) -> Figure:
    """A figure that is `formula` of the sums of columns (rows, S); the formula takes (..., S) to (...).

    name: model, benchmark, measure, category.
    """
    images = [row.better.image for row in rows]
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may hold none of what is divided by
        score = float(formula(columns.sum(axis=0)))
        draws = formula(resampled(columns, images))
    return Figure(*name, score, draws, len(rows), len(set(images)), ties)


def points(scores: Scores) -> np.ndarray:
    """(rows,): 1 where the better pair scores higher, half where they tie."""
    return (scores.better > scores.worse) + 0.5 * (scores.better == scores.worse)


def pairwise(model: str, benchmark: str, rows: Sequence[Probe], scores: Scores) -> list[Figure]:
    """Ranking accuracy of each category, in order of appearance, and overall."""
    right, tied = points(scores), scores.better == scores.worse
    figures = []
    for category, rows_of in categories(rows).items():
        name = (model, benchmark, "ranking", category)
        columns = np.stack([right[rows_of], np.ones(len(rows_of))], axis=1)
        figures.append(figure(name, columns, [rows[i] for i in rows_of], _percentage, int(tied[rows_of].sum())))
    return figures


def categories(rows: Sequence[Probe]) -> dict[str, np.ndarray]:
    """The numbers of the rows of each category, and of all rows where there are several categories."""
    names = np.array([row.category for row in rows])
    rows_of = {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}
    return rows_of if len(rows_of) == 1 else rows_of | {OVERALL: np.arange(len(rows))}


def svo_match(model: str, rows: Sequence[Probe], scores: Scores, threshold: float) -> list[Figure]:
    """SVO-Probes' own measure: does the sentence match the image, asked of both images of a row?

    A pair is said to match if it scores above `threshold`, which must come from other data (`fit_threshold`).
    The mean of the accuracies on positive and on negative pairs; a pair that several rows name counts once.
    """
    figures = []
    for category, rows_of in categories(rows).items():
        positive, negative = (
            _first_occurrence([rows[i].better for i in rows_of]),
            _first_occurrence([rows[i].worse for i in rows_of]),
        )
        right, refused = scores.better[rows_of] > threshold, scores.worse[rows_of] <= threshold
        columns = np.stack([positive * right, positive, negative * refused, negative], axis=1)
        ties = int((scores.better[rows_of] == scores.worse[rows_of]).sum())
        figures.append(
            figure((model, "svo", "match", category), columns, [rows[i] for i in rows_of], _balanced_accuracy, ties)
        )
    return figures


def fit_threshold(matched: np.ndarray, mismatched: np.ndarray) -> float:
    """The score that parts two sets best: the mean of the shares above and not above it is largest.

    Half-way between the two scores next to the cut.
    """
    scores = np.unique(np.concatenate([matched, mismatched]))
    cuts = (scores[1:] + scores[:-1]) / 2 if len(scores) > 1 else scores
    above = 1 - np.searchsorted(np.sort(matched), cuts, side="right") / len(matched)
    below = np.searchsorted(np.sort(mismatched), cuts, side="right") / len(mismatched)
    return float(cuts[np.argmax(above + below)])


def winoground(model: str, rows: Sequence[Probe], scores: Scores) -> list[Figure]:
    """Winoground's own measures: both captions right ("text"), both images right ("image"), all four ("group").

    An example of which a row is missing counts in none. A tie is wrong.
    """
    wins: dict[str, dict[str, bool]] = {}
    ties: dict[str, int] = {}
    first: dict[str, Probe] = {}
    for row, better, worse in zip(rows, scores.better, scores.worse):
        example, *question = row.id.rsplit("/", 2)  # an example's id may have slashes of its own
        wins.setdefault(example, {})["/".join(question)] = bool(better > worse)
        ties[example] = ties.get(example, 0) + int(better == worse)
        first.setdefault(example, row)
    complete = [example for example, answers in wins.items() if len(answers) == len(QUESTIONS)]
    if not complete:
        return []
    figures = []
    for measure, asked in (("text", QUESTIONS[:2]), ("image", QUESTIONS[2:]), ("group", QUESTIONS)):
        right = np.array([all(wins[example][question] for question in asked) for example in complete], dtype=float)
        columns = np.stack([right, np.ones(len(complete))], axis=1)
        name = (model, "winoground", measure, OVERALL)
        figures.append(figure(name, columns, [first[e] for e in complete], _percentage, sum(ties[e] for e in complete)))
    return figures


def noun_understanding(model: str, svo: tuple[Sequence[Probe], Scores], foil: tuple[Sequence[Probe], Scores]) -> Figure:
    """The paper's Table 4: the plain mean of the accuracies on SVO's subjects, SVO's objects, and FOIL-COCO."""
    rows: list[Probe] = []
    columns: list[np.ndarray] = []
    ties = 0
    for column, category, (probes, scores) in ((0, "subject", svo), (2, "object", svo), (4, "foil", foil)):
        chosen = [i for i, row in enumerate(probes) if row.category == category]
        mine = np.zeros((len(chosen), 6))
        mine[:, column], mine[:, column + 1] = points(scores)[chosen], 1
        columns.append(mine)
        rows += [probes[i] for i in chosen]
        ties += int((scores.better == scores.worse)[chosen].sum())
    name = (model, "svo + foil", "noun understanding", OVERALL)
    return figure(name, np.concatenate(columns), rows, _mean_of_three, ties)


def _first_occurrence(pairs: Sequence[Pair]) -> np.ndarray:
    """(pairs,), 1 where a pair stands for the first time."""
    first: dict[Pair, int] = {}
    return np.array([first.setdefault(pair, i) == i for i, pair in enumerate(pairs)], dtype=float)


def _interval(draws: np.ndarray) -> tuple[float, float]:
    """The 95% interval, without the draws in which the figure is undefined because a kind of row is missing."""
    low, high = interval(draws[np.isfinite(draws)]).tolist()
    return low, high


def _percentage(sums: np.ndarray) -> np.ndarray:
    return 100 * sums[..., 0] / sums[..., 1]


def _balanced_accuracy(sums: np.ndarray) -> np.ndarray:
    return 50 * (sums[..., 0] / sums[..., 1] + sums[..., 2] / sums[..., 3])


def _mean_of_three(sums: np.ndarray) -> np.ndarray:
    return 100 * (sums[..., 0::2] / sums[..., 1::2]).mean(axis=-1)
