"""What a run reports after each step."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from textgroup.model.textgroup import TextGroupModel
from textgroup.report.terminal import TrainingBar
from textgroup.training.objectives.contract import Losses
from textgroup.training.runs.monitor import Monitors


@dataclass
class Progress:
    """The report after a step: the live model, and the means of the newest line of the log."""

    model: TextGroupModel
    step: int
    steps: int
    losses: dict[str, float]
    captions_per_second: float
    monitors: Monitors | None = None
    validation: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


class Meter:
    """Means of the losses, and speed, since it was made; and the first step whose numbers were not finite."""

    def __init__(self) -> None:
        self.start, self.captions, self.steps = time.monotonic(), 0, 0
        self.sums: dict[str, Tensor] = {}
        self._bad: Tensor | None = None

    def add(self, step: int, losses: Losses, norm: Tensor, captions: int) -> None:
        """Count one step, without waiting for a GPU. norm: of the gradient."""
        finite = losses.total.detach().isfinite() & norm.detach().isfinite()
        bad = torch.where(finite, math.inf, float(step))
        self._bad = bad if self._bad is None else torch.minimum(self._bad, bad)
        self.captions, self.steps = self.captions + captions, self.steps + 1
        for name, value in losses.as_dict().items():
            if value is not None:
                self.sums[name] = self.sums.get(name, 0.0) + value.detach().double()

    def means(self) -> dict[str, float]:
        """Mean of each loss."""
        return {name: total.item() / self.steps for name, total in self.sums.items()}

    def first_bad_step(self) -> int | None:
        """The first step whose loss or gradient was not finite; None if all were."""
        first = math.inf if self._bad is None else self._bad.item()
        return None if math.isinf(first) else int(first)

    def captions_per_second(self) -> float:
        """Captions trained on a second, validation and saving left out."""
        return self.captions / max(1e-9, time.monotonic() - self.start)


def show_on(bar: TrainingBar) -> Callable[[Progress], None]:
    """A `progress` argument for `loop.train` that moves a bar."""
    return lambda p: bar.show(p.step, p.steps, p.losses, p.captions_per_second, p.warnings)
