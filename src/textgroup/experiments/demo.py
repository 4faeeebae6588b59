"""`textgroup demo`: the packaged model on a photograph, then the real model trained on generated scenes, beside the
paper's own recipe at the same size.

Every figure is measured on scenes with pairs of colour and shape that training never showed.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from matplotlib.cbook import get_sample_data
from PIL import Image
from rich.console import Console
from rich.text import Text

from textgroup.evaluation.phrases.tiou import PhraseScore
from textgroup.experiments.demo_page import EXAMPLES, demo_page
from textgroup.experiments.outcome import Outcome, shipped_config, train_outcome
from textgroup.experiments.scenes import HELD_OUT_SCENES, TRAIN_SCENES, HeldOut, scene_inputs
from textgroup.inference.textgroup import load
from textgroup.report.figures import picture
from textgroup.report.overlay import draw_overlay
from textgroup.report.page import write_page
from textgroup.report.terminal import colour_units, table
from textgroup.units import Unit, merge_tokens
from textgroup.vision.decode import decode

EQUAL_SPLITS = (2, 3, 4, 6, 8)
"""Numbers of pieces of the equal splits that the models are compared with."""
CAPTIONS = (
    "Two girls in yellow raincoats are jumping over a puddle next to a bus stop.",
    "An old fisherman mends his net while a grey cat sleeps on the wooden deck.",
    "A group of cyclists in bright jerseys rides past a row of parked cars.",
    "A waiter carrying a tray of glasses walks between crowded tables.",
)
"""Captions for the packaged model, written for the demo: it was not trained on them."""
PHOTOGRAPH_CAPTION = "An old woman in a white hat stands in front of a flag."
RUNS = (("scenes", "TextGroup"), ("scenes_paper", "the paper's recipe"))
"""Configuration and name of the two models; the first is ours."""


def run_demo(out: Path, *, steps: int | None, seed: int) -> None:
    """Train, compare, print, and write the report to `out`. steps: training steps a model, for a quick look."""
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    overlay = show_photograph(console)
    packaged = show_packaged(console)
    console.print(f"\n[bold]TextGroup demo[/]: {TRAIN_SCENES:,} generated scenes, two models, one report")
    inputs, held_out = scene_inputs(seed, TRAIN_SCENES, HELD_OUT_SCENES)
    outcomes = [
        train_outcome(title, shipped_config(name, inputs, steps=steps, seed=seed), inputs, held_out)
        for name, title in RUNS
    ]
    ours = outcomes[0]
    show_captions(console, ours, held_out)
    rows = score_rows(outcomes, held_out)
    table(f"Units against gold phrases, {len(held_out.gold)} held-out captions", *_table_columns(rows), console=console)
    for outcome in outcomes:
        for warning in outcome.history[-1].warnings:
            console.print(Text(f"{outcome.name}: {warning}", style="yellow"))
    seconds = time.monotonic() - started
    page = demo_page(outcomes, held_out, rows, inputs, seconds, seed)
    write_page(out, "demo.html", page | {"packaged": packaged, "overlay": picture(overlay)})
    console.print(f"\n{out} has the attention maps and curves  ({seconds:.0f} s)")
    console.print(
        f'More of it:\n  textgroup segment -c {ours.config.out} "a small red ring floats above two striped fish"'
    )


def photograph() -> Path:
    """Grace Hopper, United States Navy, in the public domain; it comes with matplotlib."""
    return Path(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))


def show_photograph(console: Console) -> Image.Image:
    """A caption on its photograph: where each of its units is; the overlay."""
    groundings = load().ground(photograph(), PHOTOGRAPH_CAPTION)
    console.print("[bold]The packaged model[/], on a photograph in the public domain")
    console.print(colour_units([grounding.unit for grounding in groundings], console))
    for unit, _, point, _, _ in groundings:
        if point is not None:
            x, y = (f"{100 * share:.0f}%" for share in point)
            console.print(Text(f"  {unit.text}: {x} from the left, {y} from the top"))
    return draw_overlay(decode(photograph()), groundings)


def show_packaged(console: Console) -> Sequence[Sequence[Unit]]:
    """Captions of ours, segmented by the model that comes with the package; what names something is coloured."""
    segmented = load().segment(CAPTIONS)
    console.print("\n[bold]The packaged model[/], on captions of ours; it was trained on captions that people wrote")
    for units in segmented:
        console.print(colour_units(units, console))
    return segmented


def show_captions(console: Console, outcome: Outcome, held_out: HeldOut) -> None:
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
