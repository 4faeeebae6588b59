"""`textgroup demo`: the real model trained on generated scenes, beside the paper's own recipe at the same size.

Everything that it says is measured on scenes with pairs of colour and shape that training never showed.
"""

import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.text import Text

from textgroup.config import SHIPPED, RunConfig, load_run
from textgroup.data.captions import CaptionData, pad
from textgroup.data.scenes import Scene, features, render, scenes
from textgroup.evaluation.phrases import PhraseScore, gold_tokens, score_captions
from textgroup.evaluation.retrieval import evaluate as evaluate_retrieval
from textgroup.evaluation.segmenters import equal_split
from textgroup.inference import load, units
from textgroup.model.encoder import TextGroups
from textgroup.model.textgroup import TextGroupModel
from textgroup.report import figures
from textgroup.report.page import write_page
from textgroup.report.terminal import coloured, table, training_bar
from textgroup.tokenizer import CaptionTokenizer, Tokens
from textgroup.training.monitor import Monitors
from textgroup.training.progress import Progress, shown_on
from textgroup.training.trainer import Inputs, build_model, train
from textgroup.units import Unit

TRAIN_SCENES, HELD_OUT_SCENES, EXAMPLES = 12_000, 400, 5
EQUAL = (2, 3, 4, 6, 8)
"""Parts of the equal splits that stand beside the models."""
CAPTIONS = (
    "Two girls in yellow raincoats are jumping over a puddle next to a bus stop.",
    "An old fisherman mends his net while a grey cat sleeps on the wooden deck.",
    "A group of cyclists in bright jerseys rides past a row of parked cars.",
    "A waiter carrying a tray of glasses walks between crowded tables.",
)
"""What the packaged model is shown on: written for the demo, so that it cannot have seen them."""
RUNS = (("scenes", "TextGroup"), ("scenes_paper", "the paper's recipe"))
"""Configuration and name of the two models; the first is ours."""


@dataclass(frozen=True)
class HeldOut:
    """Scenes that no model was trained on, with the tokens of their captions and the gold phrase of each token."""

    scenes: list[Scene]
    tokens: list[Tokens]
    gold: list[list[int]]

    @classmethod
    def make(cls, seed: int, count: int, tokenizer: CaptionTokenizer) -> "HeldOut":
        """The first `count` scenes of the test split."""
        found = list(islice(scenes(seed, "test"), count))
        tokens = tokenizer.encode_batch([scene.caption for scene in found])
        gold = [
            gold_tokens(t.spans[1:-1], [(p.start, p.end) for p in scene.phrases]) for scene, t in zip(found, tokens)
        ]
        return cls(found, tokens, gold)

    def assigned(self, model: TextGroupModel) -> list[list[int]]:
        """The group of each token of each caption, start and end included."""
        with torch.inference_mode():
            hard = _encode(model, self.tokens).owner.tolist()
        return [groups[: len(t.ids)] for groups, t in zip(hard, self.tokens)]

    def score(self, model: TextGroupModel) -> PhraseScore:
        """Agreement of a model's units with the phrases."""
        return score_captions((groups[1:-1] for groups in self.assigned(model)), self.gold)

    def score_equal(self, parts: int) -> PhraseScore:
        """The same of the caption cut into equal parts."""
        return score_captions((equal_split(len(gold), parts) for gold in self.gold), self.gold)


@dataclass
class Outcome:
    """One trained model and what was seen on the way."""

    name: str
    config: RunConfig
    model: TextGroupModel
    untrained: PhraseScore
    before: list[list[int]]
    history: list[Progress] = field(default_factory=list)
    scores: list[tuple[int, PhraseScore]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def monitors(self) -> Monitors:
        """At the last step."""
        found = self.history[-1].monitors
        assert found is not None
        return found


def run_demo(out: Path, *, steps: int | None, seed: int) -> None:
    """Train, compare, print, and write the report to `out`. steps: training steps a model, for a quick look."""
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    packaged = show_packaged(console)
    console.print(f"\n[bold]TextGroup demo[/]: {TRAIN_SCENES:,} generated scenes, two models, one report")
    inputs, held_out = make_data(seed)
    outcomes = [train_one(name, title, inputs, held_out, steps, seed) for name, title in RUNS]
    ours = outcomes[0]
    show_captions(console, ours, held_out)
    rows = score_rows(outcomes, held_out)
    table(f"Units against gold phrases, {len(held_out.gold)} held-out captions", *_columns(rows), console=console)
    for outcome in outcomes:
        for warning in outcome.history[-1].warnings:
            console.print(Text(f"{outcome.name}: {warning}", style="yellow"))
    seconds = time.monotonic() - started
    write_page(out, "demo.html", report(outcomes, held_out, rows, inputs, seconds, seed) | {"packaged": packaged})
    console.print(f"\n{out} has the attention maps and curves  ({seconds:.0f} s)")
    console.print(
        f'More of it:\n  textgroup segment -c {ours.config.out} "a small red ring floats above two striped fish"'
    )


def show_packaged(console: Console) -> list[list[Unit]]:
    """Captions of ours, segmented by the model that comes with the package; what names something is coloured."""
    found = load().segment(CAPTIONS)
    console.print("[bold]The packaged model[/], trained on captions that people wrote, on captions of ours")
    for segmented in found:
        console.print(coloured(segmented, console))
    return found


def make_data(seed: int) -> tuple[Inputs, HeldOut]:
    """Training scenes with what the oracle says of their objects, and held-out scenes."""
    found = list(islice(scenes(seed), TRAIN_SCENES))
    tokenizer = CaptionTokenizer.train((scene.caption for scene in found[:10_000]), 1_024)
    data = _with_oracle(found, tokenizer)
    identity = {"encoder": "oracle of the generated scenes", "weights": "", "transform": {"resize": 224}}
    return Inputs(tokenizer, data, None, identity), HeldOut.make(seed, HELD_OUT_SCENES, tokenizer)


def train_one(name: str, title: str, inputs: Inputs, held_out: HeldOut, steps: int | None, seed: int) -> Outcome:
    """Train the shipped configuration `name`, scoring held-out captions on the way."""
    config = replace(load_run(["--config", str(SHIPPED / f"{name}.yaml")]), seed=seed)
    if steps is not None:
        epochs = steps / inputs.train.steps_per_epoch(config.optim.batch_size)
        warmup = min(config.optim.warmup_epochs, epochs / 4)
        config = replace(config, optim=replace(config.optim, epochs=epochs, warmup_epochs=warmup))
    _clear(Path(config.out))
    untrained = build_model(config, inputs).eval()
    outcome = Outcome(title, config, untrained, held_out.score(untrained), held_out.assigned(untrained))

    def follow(progress: Progress) -> None:
        show(progress)
        if progress.monitors is not None:
            outcome.history.append(progress)
            outcome.scores.append((progress.step, held_out.score(progress.model)))

    started = time.monotonic()
    with training_bar(title) as bar:
        show = shown_on(bar)
        outcome.model = train(config, inputs, device="cpu", progress=follow)
    outcome.seconds = time.monotonic() - started
    return outcome


def show_captions(console: Console, outcome: Outcome, held_out: HeldOut) -> None:
    """Held-out captions before and after training, one colour a group."""
    after = held_out.assigned(outcome.model)
    console.print("\nHeld-out captions, before and after training; one colour, one group")
    for i in range(EXAMPLES):
        for label, assigned in (("before", outcome.before), ("after", after)):
            caption, tokens = held_out.scenes[i].caption, held_out.tokens[i]
            found = units(caption, tokens.spans, assigned[i])
            console.print(Text(f"{label:<8}", style="dim") + coloured(found, console))
        console.print()


def score_rows(outcomes: Sequence[Outcome], held_out: HeldOut) -> list[tuple[str, PhraseScore]]:
    """Every model after training, ours before it, and cuts that look at nothing but positions."""
    ours = outcomes[0]
    rows = [(outcome.name, held_out.score(outcome.model)) for outcome in outcomes]
    rows.append((f"{ours.name}, untrained", ours.untrained))
    rows += [(f"equal split in {parts}", held_out.score_equal(parts)) for parts in EQUAL]
    return [*rows, ("the caption as one unit", held_out.score_equal(1))]


def _columns(rows: Sequence[tuple[str, PhraseScore]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    figures = [(name, *(f"{100 * value:.1f}" for value in score[:4])) for name, score in rows]
    return ("", "tIoU", "P", "R", "F1"), figures


def foils_told_apart(model: TextGroupModel, held_out: HeldOut, tokenizer: CaptionTokenizer) -> dict[str, float]:
    """Per cent of foils that the true caption beats, by kind; a tie is half a point."""
    wins: dict[str, list[float]] = {"noun": [], "attribute": [], "relation": []}
    image = model.embed_image(torch.from_numpy(_pooled(held_out.scenes)))
    true = model.embed_text(_encode(model, held_out.tokens))
    for kind, won in wins.items():
        pairs = [(i, foil.caption) for i, s in enumerate(held_out.scenes) for foil in s.foils if foil.kind == kind]
        rows = torch.tensor([i for i, _ in pairs])
        false = model.embed_text(_encode(model, tokenizer.encode_batch([caption for _, caption in pairs])))
        margin = ((true[rows] - false) * image[rows]).sum(dim=1)
        won += (0.5 + 0.5 * margin.sign()).tolist()
    return {kind: 100 * float(np.mean(won)) for kind, won in wins.items()}


@torch.inference_mode()
def report(
    outcomes: Sequence[Outcome],
    held_out: HeldOut,
    rows: Sequence[tuple[str, PhraseScore]],
    inputs: Inputs,
    seconds: float,
    seed: int,
) -> dict[str, Any]:
    """What `report/demo.html` shows."""
    ours, paper = outcomes
    pairs = _with_oracle(held_out.scenes, inputs.tokenizer)
    rankings = []
    for outcome in outcomes:
        found = evaluate_retrieval(outcome.model, pairs)
        told = foils_told_apart(outcome.model, held_out, inputs.tokenizer)
        figures_of = [*told.values(), found.text_to_image.r1, found.image_to_text.r1]
        rankings.append(_row(outcome, ours, [f"{value:.1f}" for value in figures_of]))
    names = ("groups in use", "runs", "entropy", "biggest share", "leak")
    watched = [
        _row(o, ours, [_figure(o.monitors.as_dict().get(name.replace(" ", "_"))) for name in names]) for o in outcomes
    ]
    return {
        "seconds": f"{seconds:.0f}",
        "machine": f"{torch.get_num_threads()} CPU threads ({platform.machine()})",
        "heldout": len(held_out.scenes),
        "chance": f"{100 / len(held_out.scenes):.2f}",
        "scores": [
            {"name": name, "cells": [f"{100 * v:.1f}" for v in score[:4]], "ours": name == ours.name}
            for name, score in rows
        ],
        "examples": [_example(i, ours, paper, held_out, inputs.tokenizer) for i in range(EXAMPLES)],
        "ours": ours.name,
        "paper": paper.name,
        "curves": _curves(outcomes, dict(rows)),
        "monitor_names": names,
        "monitors": watched,
        "warnings": [f"{o.name}: {warning}" for o in outcomes for warning in o.history[-1].warnings],
        "ranking_names": ("noun foil", "attribute foil", "relation foil", "text to image R@1", "image to text R@1"),
        "rankings": rankings,
        "runs": [{"name": o.name, "what": _settings(o)} for o in outcomes],
        "seed": seed,
        "version": version("textgroup"),
    }


def _example(i: int, ours: Outcome, paper: Outcome, held_out: HeldOut, tokenizer: CaptionTokenizer) -> dict[str, Any]:
    scene, tokens, gold = held_out.scenes[i], held_out.tokens[i], held_out.gold[i]
    pieces = tokenizer.pieces(tokens.ids[1:-1])
    bars = []
    for phrase in sorted(set(gold) - {-1}):
        owned = [j for j, owner in enumerate(gold) if owner == phrase]
        bars.append((owned[0], owned[-1]))
    maps = []
    for outcome in (ours, paper):
        seen = _encode(outcome.model, [tokens])
        maps.append(seen.assignment[0, seen.present[0], 1:-1].numpy())
    lines = [("before training", ours.before[i])]
    lines += [(o.name, held_out.assigned(o.model)[i]) for o in (ours, paper)]
    return {
        "picture": figures.picture(render(scene)),
        "objects": f"{len(scene.objects)} object{'s' if len(scene.objects) > 1 else ''}",
        "lines": [{"name": name, "units": units(scene.caption, tokens.spans, assigned)} for name, assigned in lines],
        "gold": [scene.caption[p.start : p.end] for p in scene.phrases],
        "map": figures.heat_map(pieces, maps[0], bars),
        "paper_map": figures.heat_map(pieces, maps[1], bars),
    }


def _curves(outcomes: Sequence[Outcome], rows: dict[str, PhraseScore]) -> str:
    def line(outcome: Outcome, name: str) -> tuple[list[float], list[float]]:
        points = [(p.step, p.losses[name]) for p in outcome.history if name in p.losses]
        return [x for x, _ in points], [y for _, y in points]

    panels: list[tuple[str, dict[str, tuple[list[float], list[float]]]]] = [
        ("contrastive loss", {o.name: line(o, "contrastive") for o in outcomes}),
        ("reconstruction loss (nats)", {o.name: line(o, "reconstruction") for o in outcomes}),
    ]
    tiou = {o.name: ([float(s) for s, _ in o.scores], [100 * v.tiou for _, v in o.scores]) for o in outcomes}
    last = max(step for step, _ in outcomes[0].scores)
    split = max((name for name in rows if name.startswith("equal split")), key=lambda name: rows[name].tiou)
    panels.append(("tIoU, held-out", tiou | {split: ([0.0, float(last)], [100 * rows[split].tiou] * 2)}))
    return figures.curves(panels)


def _settings(outcome: Outcome) -> str:
    config = outcome.config
    parts = (("encoder", config.model.encoder), ("decoder", config.model.decoder), ("loss", config.loss))
    changed = [
        f"{name} {field.name} {getattr(part, field.name)}"
        for name, part in parts
        if part is not None
        for field in fields(part)
        if getattr(part, field.name) != field.default
    ]
    return (
        f"{outcome.history[-1].steps} steps of {config.optim.batch_size} captions in {outcome.seconds:.0f} s; "
        f"what is not as in the paper: {', '.join(changed)}"
    )


def _row(outcome: Outcome, ours: Outcome, values: Sequence[str]) -> dict[str, Any]:
    return {"name": outcome.name, "cells": values, "ours": outcome is ours}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _encode(model: TextGroupModel, tokens: Sequence[Tokens]) -> TextGroups:
    chunk = pad([t.ids for t in tokens])
    return model.encode(chunk.ids, chunk.mask)


def _pooled(found: Sequence[Scene]) -> np.ndarray:
    """The oracle's image vectors (scenes, D): the mean over each scene's objects."""
    return np.stack([features(scene).mean(axis=0) for scene in found])


def _with_oracle(found: Sequence[Scene], tokenizer: CaptionTokenizer) -> CaptionData:
    return CaptionData.build([(s.caption,) for s in found], tokenizer, _pooled(found), np.arange(len(found)))


def _clear(run: Path) -> None:
    """Remove an earlier demo's run, and nothing that is not a run."""
    if (run / "log.jsonl").is_file() and (run / "config.yaml").is_file():
        shutil.rmtree(run)
