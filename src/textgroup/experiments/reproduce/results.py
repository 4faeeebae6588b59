"""Seeds put together: mean and standard deviation of each figure, and paired differences between rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from textgroup.evaluation.intervals import interval, resampled
from textgroup.experiments.reproduce.jobs import Job
from textgroup.experiments.reproduce.measured import Measured


class Difference(NamedTuple):
    """One row's figure less another's. value: mean over the seeds that both have. ci95: its interval over images, the
    means over the seeds of each caption's or probe's figure drawn in pairs. seeds: the difference of each seed."""

    value: float
    ci95: tuple[float, float]
    seeds: tuple[float, ...]


class Results:
    """What was measured, by row and seed."""

    def __init__(self, jobs: Sequence[Job], failed: dict[tuple[str, int], str]) -> None:
        self.failed = failed
        self.rows: dict[str, dict[int, Measured]] = {}
        for job in jobs:
            for row in job.rows if job.done else ():
                self.rows.setdefault(row, {})[job.seed] = job.measured(row)

    def values(self, row: str, figure: str) -> list[float]:
        """The figure of each seed; none where it is not measured."""
        of_seed = self.rows.get(row, {})
        return [of_seed[seed].figures[figure] for seed in sorted(of_seed) if figure in of_seed[seed].figures]

    def summary(self, row: str) -> dict[str, dict[str, Any]]:
        """For JSON: mean, standard deviation (of a sample) and values of each figure of a row."""
        of_seed = self.rows.get(row, {})
        names = dict.fromkeys(name for seed in sorted(of_seed) for name in of_seed[seed].figures)
        return {name: _summary(self.values(row, name)) for name in names}

    def difference(self, row: str, other: str, figure: str) -> Difference | None:
        """`row` less `other`; None where one of them has no such figure, or no mean over captions or probes.

        A row without a choice of its own, such as the object encoder, has one seed: it is compared with each of the
        other's.
        """
        ours, theirs = (self._with_rows(name, figure) for name in (row, other))
        if not ours or not theirs:
            return None
        seeds = sorted(set(ours) & set(theirs)) if min(len(ours), len(theirs)) > 1 else sorted(set(ours) | set(theirs))
        if not seeds:
            return None
        pairs = [(ours.get(seed, ours[min(ours)]), theirs.get(seed, theirs[min(theirs)])) for seed in seeds]
        apart = [a.rows[figure].astype(float) - b.rows[figure] for a, b in pairs]
        mean = np.mean(apart, axis=0)  # (rows,)
        columns = np.stack([mean, np.ones_like(mean)], axis=1)
        drawn = resampled(columns, pairs[0][0].images[figure])
        low, high = interval(drawn[:, 0] / drawn[:, 1]).tolist()
        return Difference(float(mean.mean()), (low, high), tuple(float(one.mean()) for one in apart))

    def _with_rows(self, row: str, figure: str) -> dict[int, Measured]:
        return {seed: one for seed, one in self.rows.get(row, {}).items() if figure in one.rows}


def _summary(values: list[float]) -> dict[str, Any]:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sd": deviation, "values": values}
