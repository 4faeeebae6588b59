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
    """heats: (image name, image, caption, spans) -> heat maps. units: of a caption, where it finds its own.

    masks: (image name, image) -> those of its objects (G, h, w), where they can differ in size.
    """

    def __init__(
        self,
        name: str,
        heats: Callable[[str, bytes | Path, str, Spans], list[np.ndarray]],
        units: Callable[[str], list[Unit]] | None = None,
        masks: Callable[[str, bytes | Path], np.ndarray] | None = None,
    ) -> None:
        self.name, self.heats, self.units, self.masks = name, heats, units, masks


def open_grounder(spec: str, encoder: str | None = None, device: str | None = None) -> Grounder:
    """`model:PATH`, a checkpoint of ours with an image side, `model` alone, the packaged one, or `file:HEATS.jsonl`.

    encoder: where the image encoder of a checkpoint lies now. device: where its text side runs. Raises `InputError`.
    """
    kind, _, where = spec.partition(":")
    if spec == "model" or (kind == "model" and where):
        return _of_model(spec, load(where or None, device=device or "cpu", encoder=encoder))
    if kind == "file" and where:
        return _of_file(spec, Path(where).expanduser())
    raise InputError(
        f"model {spec!r}: take model (the packaged one), model:PATH (trained with images) or file:HEATS.jsonl"
    )


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


def largest_object(grounder: Grounder) -> list[Grounder]:
    """A baseline that says "the largest object" to every phrase; none where all objects are patches of one size."""
    masks = grounder.masks
    if masks is None:
        return []

    def heats(name: str, image: bytes | Path, caption: str, spans: Spans) -> list[np.ndarray]:
        found = masks(name, image)
        return [found[found.sum(axis=(1, 2)).argmax()]] * len(spans)

    return [Grounder(f"{grounder.name}, largest object", heats)]


def _of_model(spec: str, model: TextGroup) -> Grounder:
    last: dict[str, Scene] = {}  # the captions of an image come one after the other: each image is encoded once

    def scene(name: str, image: bytes | Path) -> Scene:
        if name not in last:
            last.clear()
            last[name] = model.look_at(image)
        return last[name]

    def heats(name: str, image: bytes | Path, caption: str, spans: Spans) -> list[np.ndarray]:
        return model.heat_maps(scene(name, image), caption, spans)

    def masks(name: str, image: bytes | Path) -> np.ndarray:
        return scene(name, image).present_masks()

    if model.model.image_head is None:
        raise InputError(f"model {spec}: it was trained on captions alone, and cannot point at anything")
    identity = model.model.image_encoder or {}
    of_one_size = str(identity.get("encoder")).startswith("backbone:")
    return Grounder(spec, heats, model.segment, None if of_one_size else masks)


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
