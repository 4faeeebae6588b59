"""`textgroup demo`."""

from collections.abc import Sequence
from pathlib import Path

from textgroup.cli.common import Parser, path
from textgroup.errors import InputError


def demo(words: Sequence[str]) -> None:
    """`textgroup demo`."""
    parser = Parser(
        "textgroup demo", description="Train on generated scenes, segment held-out captions, write a report."
    )
    parser.add_argument("--out", type=path, default=Path("report.html"), help="the report (default: report.html)")
    parser.add_argument(
        "--steps", type=int, help="training steps a model, instead of the configuration's (a quick look)"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(words)
    if options.steps is not None and options.steps < 1:
        raise InputError(f"--steps {options.steps}: it must be at least 1")
    from textgroup.experiments.demo import run_demo
    from textgroup.training.loop import Stopped

    try:
        run_demo(options.out, steps=options.steps, seed=options.seed)
    except Stopped:  # an interrupted demo cannot be resumed
        raise KeyboardInterrupt from None
