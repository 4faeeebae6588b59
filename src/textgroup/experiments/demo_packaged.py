"""The packaged model in the demo: captions and a photograph, beside brackets and boxes that were written for it.

The brackets follow the rules of benchmarks/mixed; the model was not trained on them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.cbook import get_sample_data
from PIL import Image
from rich.console import Console
from rich.text import Text

from textgroup.inference.textgroup import load
from textgroup.report.overlay import draw_overlay
from textgroup.report.terminal import colour_units
from textgroup.units import Grounding, Unit
from textgroup.vision.decode import decode

CAPTIONS = (
    "[Two girls] in [yellow raincoats] are jumping over [a puddle] next to [a bus stop].",
    "[An old fisherman] mends [his net] while [a grey cat] sleeps on [the wooden deck].",
    "[A group of cyclists] in [bright jerseys] rides past [a row of parked cars].",
    "[A waiter] carrying [a tray of glasses] walks between [crowded tables].",
)
"""Captions with their phrases in brackets."""
PHOTOGRAPH_CAPTION = "An old woman in a white hat stands in front of a flag."
PHOTOGRAPH_BOXES = {
    "An old woman": (0.05, 0.05, 1.0, 1.0),
    "a white hat": (0.30, 0.04, 0.73, 0.25),
    "a flag": (0.0, 0.0, 0.41, 1.0),
}
"""Where each phrase is: x0, y0, x1, y1 as shares of width and height."""


@dataclass(frozen=True)
class Marked:
    """A unit of the packaged model. names: it says that it names something. wrong: it does, and is no phrase."""

    unit: Unit
    names: bool
    wrong: bool


@dataclass(frozen=True)
class Pointed:
    """A phrase of the photograph's caption, its point (x, y) in shares, and whether that lies in its box."""

    text: str
    point: tuple[float, float]
    right: bool


def photograph() -> Path:
    """Grace Hopper, United States Navy, in the public domain; it comes with matplotlib."""
    return Path(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))


def show_photograph(console: Console) -> tuple[Image.Image, list[Pointed]]:
    """A caption on its photograph: where each of its units is; the overlay, and the phrases that have a box."""
    groundings = load().ground(photograph(), PHOTOGRAPH_CAPTION)
    console.print("[bold]The packaged model[/], on a photograph in the public domain")
    console.print(colour_units([grounding.unit for grounding in groundings], console))
    points = judge_points(groundings)
    for pointed in points:
        x, y = (f"{100 * share:.0f}%" for share in pointed.point)
        told = "right" if pointed.right else "wrong: it lies elsewhere"
        console.print(Text(f"  {pointed.text}: {x} from the left, {y} from the top ({told})"))
    return draw_overlay(decode(photograph()), groundings), points


def show_captions(console: Console) -> list[list[Marked]]:
    """Captions of ours, segmented by the packaged model; what names something is coloured."""
    bracketed = [read_brackets(text) for text in CAPTIONS]
    segmented = load().segment([caption for caption, _ in bracketed])
    console.print("\n[bold]The packaged model[/], on captions of ours; it was trained on captions that people wrote")
    marked = []
    for units, (_, phrases) in zip(segmented, bracketed):
        marked.append(judge_units(units, phrases))
        console.print(colour_units(units, console))
        if wrong := [repr(one.unit.text) for one in marked[-1] if one.wrong]:
            console.print(Text(f"  wrong, not a phrase of the brackets: {', '.join(wrong)}", style="dim"))
    return marked


def captions_content(marked: Sequence[Sequence[Marked]]) -> dict[str, object]:
    """What the page shows of `show_captions`."""
    claimed = [one for units in marked for one in units if one.names]
    wrong = sum(one.wrong for one in claimed)
    phrases = sum(len(read_brackets(text)[1]) for text in CAPTIONS)
    counts = {"claimed": len(claimed), "wrong": wrong, "found": len(claimed) - wrong, "phrases": phrases}
    return {"packaged": marked, "packaged_counts": counts}


def read_brackets(text: str) -> tuple[str, set[tuple[int, int]]]:
    """A caption without its brackets, and the characters (start, end) of what stood in them."""
    caption, phrases = "", set()
    for before, phrase in re.findall(r"([^\[]*)(?:\[([^\]]*)\])?", text):
        start = len(caption) + len(before)
        if phrase:
            phrases.add((start, start + len(phrase)))
        caption += before + phrase
    return caption, phrases


def judge_units(units: Sequence[Unit], phrases: set[tuple[int, int]]) -> list[Marked]:
    """Each unit beside the phrases (start, end) of its caption."""
    return [
        Marked(unit, names := unit.groundable is not False, names and (unit.start, unit.end) not in phrases)
        for unit in units
    ]


def judge_points(groundings: Sequence[Grounding]) -> list[Pointed]:
    """The units that point and have a box, beside it."""
    points = []
    for unit, _, point, _, _ in groundings:
        if point is not None and unit.text in PHOTOGRAPH_BOXES:
            x0, y0, x1, y1 = PHOTOGRAPH_BOXES[unit.text]
            points.append(Pointed(unit.text, point, x0 <= point[0] <= x1 and y0 <= point[1] <= y1))
    return points
