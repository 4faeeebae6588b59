"""Units against the training step: do they emerge, and do they stay?

    python benchmarks/emergence.py --annotations ENTITIES.zip --figures FILE.json --config FILE.yaml [...]

Trains a configuration (every option of `textgroup train` is taken) and measures the units of the first captions of a
split, as `textgroup evaluate phrases` does, at about `--points` steps of the run. Writes FILE.json, a line a
measurement, and FILE.svg, the losses and the figures over the steps.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from common import run
from textgroup.config.command_line import load_run
from textgroup.data.sources.entities import read_entities
from textgroup.errors import InputError
from textgroup.evaluation.phrases.benchmark import Benchmark, measure
from textgroup.evaluation.phrases.tokens import open_tokenizer, token_spans
from textgroup.inference.textgroup import TextGroup
from textgroup.report.figures import curves, save
from textgroup.report.terminal import table, training_bar
from textgroup.training.inputs import read_inputs
from textgroup.training.loop import train
from textgroup.training.runs.progress import Progress, show_on

FIGURES = ("tiou", "f1", "strict_tiou", "exact_f1", "units_per_caption")
LOSSES = ("contrastive", "reconstruction")


def main() -> None:
    """Train, measure on the way, write."""
    options, rest = arguments()
    config = load_run(rest)
    inputs = read_inputs(config)
    captions = read_entities(options.annotations, options.split).captions[: options.limit]
    benchmark = Benchmark.make(captions, token_spans(open_tokenizer(options.tokenizer)))
    points: list[dict[str, float]] = []

    def follow(progress: Progress) -> None:
        show(progress)
        every = max(1, progress.steps // options.points)
        if progress.step == 1 or progress.step % every == 0 or progress.step == progress.steps:
            points.append(measure_point(progress, TextGroup(progress.model.eval(), inputs.tokenizer), benchmark))

    with training_bar(config.out) as bar:
        show = show_on(bar)
        train(config, inputs, progress=follow)
    if not points:
        raise InputError(f"{config.out}: nothing is trained in steps here; give a configuration with losses")
    write_points(points, options.figures)
    columns = [name for name in ("step", *LOSSES, *FIGURES) if name in points[-1]]
    table(f"{config.out}, {len(benchmark.captions):,} captions", columns, [cells(point, columns) for point in points])


def arguments() -> tuple[argparse.Namespace, list[str]]:
    """Arguments of this script, and the rest for `textgroup train`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, default=1_000, help="captions measured")
    parser.add_argument("--tokenizer", default="words", help="evaluation tokens")
    parser.add_argument("--points", type=int, default=12, help="measurements over the run")
    parser.add_argument("--figures", type=Path, required=True, help="FILE.json; --out is the directory of the run")
    return parser.parse_known_args()


def measure_point(progress: Progress, model: TextGroup, benchmark: Benchmark) -> dict[str, float]:
    """The newest losses and the figures of the units, in per cent."""
    record: dict[str, Any] = measure("", model.segment, benchmark).record("", None)
    losses = {name: progress.losses[name] for name in LOSSES if name in progress.losses}
    return {"step": progress.step, **losses, **{name: record[name] for name in FIGURES}}


def cells(point: dict[str, float], columns: list[str]) -> list[str]:
    """A measurement as cells."""
    return [f"{point[name]:.0f}" if name == "step" else f"{point[name]:.2f}" for name in columns]


def write_points(points: list[dict[str, float]], out: Path) -> None:
    """FILE.json and FILE.svg."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    steps = [point["step"] for point in points]
    panels = [(name, {name: (steps, [p[name] for p in points])}) for name in LOSSES if name in points[-1]]
    panels.append(("units, %", {name: (steps, [p[name] for p in points]) for name in FIGURES[:4]}))
    save(curves(panels), out.with_suffix(".svg"))


if __name__ == "__main__":
    run(main)
