"""What the demo's report shows: scores, maps, curves and rankings, as the template `report/demo.html` takes them."""

import platform
from collections.abc import Sequence
from dataclasses import fields
from importlib.metadata import version
from typing import Any

import torch

from textgroup.data.scenes.scene import render
from textgroup.evaluation.phrases.tiou import PhraseScore
from textgroup.evaluation.retrieval import evaluate as evaluate_retrieval
from textgroup.experiments.outcome import Outcome
from textgroup.experiments.scenes import HeldOut, encode_tokens, foil_accuracy, scene_captions
from textgroup.report import figures
from textgroup.report.sections import Panel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.build import Inputs
from textgroup.units import merge_tokens

EXAMPLES = 5
"""Held-out captions that are shown."""


@torch.inference_mode()
def demo_page(
    outcomes: Sequence[Outcome],
    held_out: HeldOut,
    rows: Sequence[tuple[str, PhraseScore]],
    inputs: Inputs,
    seconds: float,
    seed: int,
) -> dict[str, Any]:
    """What `report/demo.html` shows."""
    ours, paper = outcomes
    pairs = scene_captions(held_out.scenes, inputs.tokenizer)
    rankings = []
    for outcome in outcomes:
        retrieval = evaluate_retrieval(outcome.model, pairs)
        accuracy = foil_accuracy(outcome.model, held_out, inputs.tokenizer)
        values = [*accuracy.values(), retrieval.text_to_image.r1, retrieval.image_to_text.r1]
        rankings.append(_table_row(outcome, ours, [f"{value:.1f}" for value in values]))
    monitor_names = ("groups in use", "runs", "entropy", "biggest share", "leak")
    monitors = [
        _table_row(o, ours, [_format(o.monitors.as_dict().get(name.replace(" ", "_"))) for name in monitor_names])
        for o in outcomes
    ]
    return {
        "seconds": f"{seconds:.0f}",
        "machine": f"{torch.get_num_threads()} CPU threads ({platform.machine()})",
        "heldout": len(held_out.scenes),
        "chance": f"{100 / len(held_out.scenes):.2f}",
        "score_names": (f"{len(held_out.scenes)} held-out captions", "tIoU", "P", "R", "F1"),
        "scores": _score_rows(outcomes, rows),
        "examples": [_example(i, ours, paper, held_out, inputs.tokenizer) for i in range(EXAMPLES)],
        "curves": _curves(outcomes, dict(rows)),
        "monitor_names": ("at the last step", *monitor_names),
        "monitors": monitors,
        "warnings": [f"{o.name}: {warning}" for o in outcomes for warning in o.history[-1].warnings],
        "ranking_names": (
            "held-out scenes",
            "noun foil",
            "attribute foil",
            "relation foil",
            "text to image R@1",
            "image to text R@1",
        ),
        "rankings": rankings,
        "runs": [{"name": o.name, "settings": _changed_settings(o)} for o in outcomes],
        "seed": seed,
        "version": version("textgroup"),
    }


def _score_rows(outcomes: Sequence[Outcome], rows: Sequence[tuple[str, PhraseScore]]) -> list[dict[str, Any]]:
    """Rows of the table of scores, under a line that says what they are: trained, untrained, or blind to the words."""
    notes = {outcome.name: _what_it_is(outcome) for outcome in outcomes}
    table: list[dict[str, Any]] = [{"section": "Trained here"}]
    sections = {
        len(outcomes): "The first model with random weights, before it learns anything",
        len(outcomes) + 1: "Cut by position alone: a model below one of these has shown nothing about phrases",
    }
    for number, (name, score) in enumerate(rows):
        if number in sections:
            table.append({"section": sections[number]})
        cells = [name, *(f"{100 * value:.1f}" for value in score[:4])]
        table.append({"cells": cells, "note": notes.get(name), "best": number == 0})
    return table


def _what_it_is(outcome: Outcome) -> str:
    encoder = outcome.config.model.encoder
    learned = "as many units as a caption needs" if encoder.kind == "dynamic" else f"{encoder.groups} groups a caption"
    warned = "; ".join(warning.split(":")[0] for warning in outcome.history[-1].warnings)
    return f"{learned}; the monitors warn of: {warned} (see Monitors)" if warned else learned


def _example(i: int, ours: Outcome, paper: Outcome, held_out: HeldOut, tokenizer: CaptionTokenizer) -> dict[str, Any]:
    scene, tokens, gold = held_out.scenes[i], held_out.tokens[i], held_out.gold[i]
    pieces = tokenizer.pieces(tokens.ids[1:-1])
    bars = []
    for phrase in sorted(set(gold) - {-1}):
        owned = [j for j, owner in enumerate(gold) if owner == phrase]
        bars.append((owned[0], owned[-1]))
    maps = []
    for outcome in (ours, paper):
        groups = encode_tokens(outcome.model, [tokens])
        drawn = figures.heat_map(pieces, groups.assignment[0, groups.present[0], 1:-1].numpy(), bars)
        maps.append(Panel.of(outcome.name, drawn))
    lines = [("before training", ours.owners_before[i])]
    lines += [(o.name, held_out.owners(o.model)[i]) for o in (ours, paper)]
    return {
        "picture": figures.picture(render(scene)),
        "objects": f"{len(scene.objects)} object{'s' if len(scene.objects) > 1 else ''}",
        "lines": [
            {"name": name, "units": merge_tokens(scene.caption, tokens.spans[1:-1], assigned[1 : len(tokens.ids) - 1])}
            for name, assigned in lines
        ],
        "gold": [scene.caption[p.start : p.end] for p in scene.phrases],
        "maps": maps,
    }


def _curves(outcomes: Sequence[Outcome], rows: dict[str, PhraseScore]) -> list[Panel]:
    def line(outcome: Outcome, name: str) -> tuple[list[float], list[float]]:
        points = [(p.step, p.losses[name]) for p in outcome.history if name in p.losses]
        return [x for x, _ in points], [y for _, y in points]

    panels: list[tuple[str, dict[str, tuple[list[float], list[float]]]]] = [
        ("contrastive loss", {o.name: line(o, "contrastive") for o in outcomes}),
        ("reconstruction loss (nats)", {o.name: line(o, "reconstruction") for o in outcomes}),
    ]
    tiou = {o.name: ([float(s) for s, _ in o.scores], [100 * v.tiou for _, v in o.scores]) for o in outcomes}
    last = max(step for step, _ in outcomes[0].scores)
    best_split = max((name for name in rows if name.startswith("equal split")), key=lambda name: rows[name].tiou)
    panels.append(("tIoU, held-out", tiou | {best_split: ([0.0, float(last)], [100 * rows[best_split].tiou] * 2)}))
    return [Panel.of(panel[0], figures.curves([panel])) for panel in panels]


def _changed_settings(outcome: Outcome) -> str:
    config = outcome.config
    configurations = (("encoder", config.model.encoder), ("decoder", config.model.decoder), ("loss", config.loss))
    changed = [
        f"{name} {field.name} {getattr(settings, field.name)}"
        for name, settings in configurations
        if settings is not None
        for field in fields(settings)
        if getattr(settings, field.name) != field.default
    ]
    return (
        f"{outcome.history[-1].steps} steps of {config.optim.batch_size} captions in {outcome.seconds:.0f} s; "
        f"what is not as in the paper: {', '.join(changed)}"
    )


def _table_row(outcome: Outcome, ours: Outcome, values: Sequence[str]) -> dict[str, Any]:
    return {"cells": [outcome.name, *values], "best": outcome is ours}


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
