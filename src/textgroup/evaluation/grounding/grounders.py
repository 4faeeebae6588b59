"""What gives heat maps: our models, and other people's from a file; and baselines that look at nothing.

A grounder takes a photograph, its caption and spans of characters, and gives a heat map (h, w) for each span.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from textgroup.data.probes.rows import json_field, json_lines
from textgroup.errors import InputError
from textgroup.inference.scene import Scene
from textgroup.inference.textgroup import TextGroup, load
from textgroup.units import Unit

Spans = Sequence[tuple[int, int]]


class Grounder:
    """heats: (image name, image, caption, spans) -> heat maps. units: of a caption, where it finds its own."""

    def __init__(
        self,
        name: str,
        heats: Callable[[str, bytes | Path, str, Spans], list[np.ndarray]],
        units: Callable[[str], list[Unit]] | None = None,
    ) -> None:
        self.name, self.heats, self.units = name, heats, units


def open_grounder(spec: str, encoder: str | None = None, device: str | None = None) -> Grounder:
    """`model:PATH`, a checkpoint of ours with an image side, or `file:HEATS.jsonl`. Raises `InputError`.

    encoder: where the image encoder of a checkpoint lies now. device: where its text side runs.
    """
    kind, _, where = spec.partition(":")
    if kind == "model" and where:
        return _of_model(spec, load(where, device=device or "cpu", encoder=encoder))
    if kind == "file" and where:
        return _of_file(spec, Path(where).expanduser())
    raise InputError(f"model {spec!r}: take model:PATH, a checkpoint trained with images, or file:HEATS.jsonl")


def shuffled(grounder: Grounder, images: Mapping[str, bytes | Path]) -> list[Grounder]:
    """The same grounder, each caption on the next of these photographs: what it says without seeing the right one.

    None of one photograph alone, and none of a file, which has heat maps for each caption's own photograph only.
    """
    if grounder.units is None or len(images) < 2:
        return []
    names = list(images)
    following = dict(zip(names, [*names[1:], names[0]]))

    def heats(name: str, image: bytes | Path, caption: str, spans: Spans) -> list[np.ndarray]:
        return grounder.heats(following[name], images[following[name]], caption, spans)

    return [Grounder(f"{grounder.name}, shuffled images", heats)]


def _of_model(spec: str, model: TextGroup) -> Grounder:
    last: dict[str, Scene] = {}  # the captions of an image come one after the other: each image is encoded once

    def heats(name: str, image: bytes | Path, caption: str, spans: Spans) -> list[np.ndarray]:
        if name not in last:
            last.clear()
            last[name] = model.look_at(image)
        return model.heat_maps(last[name], caption, spans)

    if model.model.image_head is None:
        raise InputError(f"model {spec}: it was trained on captions alone, and cannot point at anything")
    return Grounder(spec, heats, model.segment)


def _of_file(spec: str, path: Path) -> Grounder:
    """A JSON line a phrase: {"image": ..., "caption": ..., "start": 0, "end": 5, "heat": [[...], ...]}."""
    if not path.is_file():
        raise InputError(f"model {spec}: there is no such file")
    kept: dict[tuple[str, str, int, int], np.ndarray] = {}
    for where, record in json_lines(path):
        image, caption = (json_field(record, name, str, where) for name in ("image", "caption"))
        start, end = (json_field(record, name, int, where) for name in ("start", "end"))
        kept[image, caption, start, end] = _heat(json_field(record, "heat", list, where), where)

    def heats(name: str, image: bytes | Path, caption: str, spans: Spans) -> list[np.ndarray]:
        try:
            return [kept[name, caption, start, end] for start, end in spans]
        except KeyError as key:
            shown = json.dumps(key.args[0], ensure_ascii=False)[:160]
            raise InputError(f"{path} has no heat map for {shown}: every phrase needs one") from None

    return Grounder(spec, heats)


def _heat(rows: list[Any], where: str) -> np.ndarray:
    try:
        heat = np.array(rows, dtype=float)
    except (ValueError, TypeError):
        heat = np.empty(0)
    if heat.ndim != 2 or not heat.size or not np.isfinite(heat).all():
        raise InputError(f"{where}: heat must be a list of rows of numbers, all of one length")
    return heat
