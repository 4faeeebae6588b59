"""`textgroup demo`: the packaged model on a photograph, then the real model trained on generated scenes, beside the
paper's own recipe at the same size.

Every figure is measured on scenes with pairs of colour and shape that training never showed.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from textgroup.evaluation.phrases.tiou import PhraseScore
from textgroup.experiments.demo_packaged import captions_content, show_captions, show_photograph
from textgroup.experiments.demo_page import EXAMPLES, demo_page
from textgroup.experiments.outcome import Outcome, shipped_config, train_outcome
from textgroup.experiments.scenes import HELD_OUT_SCENES, TRAIN_SCENES, HeldOut, scene_inputs
from textgroup.report.figures import picture
from textgroup.report.page import check_replaceable, write_page
from textgroup.report.terminal import colour_units, table
from textgroup.units import merge_tokens

EQUAL_SPLITS = (2, 3, 4, 6, 8)
"""Numbers of pieces of the equal splits that the models are compared with."""
RUNS = (("scenes", "TextGroup"), ("scenes_paper", "the paper's recipe"))
"""Configuration and name of the two models; the first is ours."""
RUNS_IN = Path("runs/demo")
"""Where the demo trains: its own directory, which each demo makes anew."""


def run_demo(out: Path, *, steps: int | None, seed: int) -> None:
    """Train, compare, print, and write the report to `out`. steps: training steps a model, for a quick look.

    Replaces what an earlier demo left. Raises `InputError`, before any work, if `out` is there and is no page of ours.
    """
    check_replaceable(out)
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    overlay, points = show_photograph(console)
    packaged = captions_content(show_captions(console))
    console.print(f"\n[bold]TextGroup demo[/]: {TRAIN_SCENES:,} generated scenes, two models, one report")
    inputs, held_out = scene_inputs(seed, TRAIN_SCENES, HELD_OUT_SCENES)
    outcomes = []
    for name, title in RUNS:
        config = shipped_config(name, inputs, steps=steps, seed=seed, out=RUNS_IN / name)
        outcomes.append(train_outcome(title, config, inputs, held_out))
    ours = outcomes[0]
    show_held_out(console, ours, held_out)
    rows = score_rows(outcomes, held_out)
    table(f"Units against gold phrases, {len(held_out.gold)} held-out captions", *_table_columns(rows), console=console)
    for outcome in outcomes:
        for warning in outcome.history[-1].warnings:
            console.print(Text(f"{outcome.name}: {warning}", style="yellow"))
    seconds = time.monotonic() - started
    page = demo_page(outcomes, held_out, rows, inputs, seconds, seed)
    write_page(out, "demo.html", page | packaged | {"points": points, "overlay": picture(overlay)})
    console.print(f"\n{out} has the attention maps and curves  ({seconds:.0f} s)")
    console.print(f"The next demo replaces it, and the models in {RUNS_IN}.")
    console.print(
        f'More of it:\n  textgroup segment -c {ours.config.out} "a small red ring floats above two striped fish"'
    )


def show_held_out(console: Console, outcome: Outcome, held_out: HeldOut) -> None:
    """Held-out captions before and after training, one colour a group."""
    after = held_out.owners(outcome.model)
    console.print("\nHeld-out captions, before and after training; one colour, one group")
    for i in range(EXAMPLES):
        for label, owners in (("before", outcome.owners_before), ("after", after)):
            caption, tokens = held_out.scenes[i].caption, held_out.tokens[i]
            units = merge_tokens(caption, tokens.spans[1:-1], owners[i][1 : len(tokens.ids) - 1])
            console.print(Text(f"{label:<8}", style="dim") + colour_units(units, console))
        console.print()


def score_rows(outcomes: Sequence[Outcome], held_out: HeldOut) -> list[tuple[str, PhraseScore]]:
    """Scores of every model after training, of ours before it, and of splits that use positions alone."""
    ours = outcomes[0]
    rows = [(outcome.name, held_out.score(outcome.model)) for outcome in outcomes]
    rows.append((f"{ours.name}, untrained", ours.untrained))
    rows += [(f"equal split in {pieces}", held_out.score_equal(pieces)) for pieces in EQUAL_SPLITS]
    return [*rows, ("the caption as one unit", held_out.score_equal(1))]


def _table_columns(rows: Sequence[tuple[str, PhraseScore]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    figures = [(name, *(f"{100 * value:.1f}" for value in score[:4])) for name, score in rows]
    return ("", "tIoU", "P", "R", "F1"), figures
