"""One run of an experiment: a shipped configuration trained, with its measurements during training."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from textgroup.config.command_line import SHIPPED, load_run
from textgroup.config.run import RunConfig
from textgroup.evaluation.phrases.tiou import PhraseScore
from textgroup.experiments.scenes import HeldOut
from textgroup.model.textgroup import TextGroupModel
from textgroup.report.terminal import training_bar
from textgroup.training.build import Inputs, build_model
from textgroup.training.loop import train
from textgroup.training.runs.log import remove_run
from textgroup.training.runs.monitor import Monitors
from textgroup.training.runs.progress import Progress, show_on


@dataclass
class Outcome:
    """One trained model.

    untrained, owners_before: score on the held-out scenes, and the group of each of their tokens, before the first
    step. history: what each line of the log says. scores: (step, score) at the same steps.
    """

    name: str
    config: RunConfig
    model: TextGroupModel
    untrained: PhraseScore
    owners_before: list[list[int]]
    history: list[Progress] = field(default_factory=list)
    scores: list[tuple[int, PhraseScore]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def monitors(self) -> Monitors:
        """At the last step."""
        monitors = self.history[-1].monitors
        assert monitors is not None, "the last step is always logged"
        return monitors


def shipped_config(
    name: str, inputs: Inputs, *, steps: int | None = None, seed: int = 0, out: Path | None = None
) -> RunConfig:
    """The shipped configuration `name`. steps: shortens its schedules to this many. out: instead of its directory."""
    config = load_run(["--config", str(SHIPPED / f"{name}.yaml"), "--seed", str(seed)])
    config = config if out is None else replace(config, out=str(out))
    if steps is None:
        return config
    units = replace(
        config.units, teacher_steps=min(steps, config.units.teacher_steps), steps=min(steps, config.units.steps)
    )
    return replace(of_length(config, inputs, steps), units=units)


def of_length(config: RunConfig, inputs: Inputs, steps: int) -> RunConfig:
    """The configuration with a schedule of this many steps; a warm-up that is too long for it becomes a quarter."""
    epochs = steps / inputs.train.steps_per_epoch(config.optim.batch_size)
    warmup = min(config.optim.warmup_epochs, epochs / 4)
    return replace(config, optim=replace(config.optim, epochs=epochs, warmup_epochs=warmup))


def train_outcome(title: str, config: RunConfig, inputs: Inputs, held_out: HeldOut) -> Outcome:
    """Train on a CPU, scoring the held-out scenes on the way. An earlier run in `config.out` is removed."""
    remove_run(Path(config.out))
    untrained = build_model(config, inputs, learn=False).eval()
    outcome = Outcome(title, config, untrained, held_out.score(untrained), held_out.owners(untrained))

    def follow(progress: Progress) -> None:
        show(progress)
        if progress.monitors is not None:
            outcome.history.append(progress)
            outcome.scores.append((progress.step, held_out.score(progress.model)))

    started = time.monotonic()
    with training_bar(title) as bar:
        show = show_on(bar)
        outcome.model = train(config, inputs, device="cpu", progress=follow)
    outcome.seconds = time.monotonic() - started
    return outcome
