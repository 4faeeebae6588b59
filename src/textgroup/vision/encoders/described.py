"""What a model directory of transformers says of itself, checked before transformers builds it.

A config.json of a few bytes can describe a model that fills any memory. So its numbers are compared with what the
weights hold; then the model is built without memory, and counted.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from textgroup.errors import InputError

LARGEST = 1 << 20
"""Of a configuration's whole numbers; vocabularies, the largest, have 256,000."""
SPARE, ROOM = 4, 50_000_000
"""A model may be described as so many times as large as its weights, and so many numbers beside: what it lacks is named
when it is loaded."""


def check_described(kind: Any, where: str, config: Mapping[str, Any], name: str) -> None:
    """Raise `InputError` for a configuration that the weights cannot fill. Raises also what transformers does.

    kind, where: as for `weights.load_frozen`. config: config.json. name: for messages.
    """
    shapes = [shape for file in _weight_files(where) for shape in _shapes(file)]
    for field, value in _whole_numbers(config):
        most = len(shapes) if "layers" in field or "depth" in field else LARGEST
        if value > most:
            raise InputError(f"model {name}: config.json: {field} is {value:,}; its weights have no room for it")
    held = sum(torch.Size(shape).numel() for shape in shapes)
    with torch.device("meta"):
        model = _build(kind, where)
    described = sum(tensor.numel() for tensor in (*model.parameters(), *model.buffers()))
    if described > SPARE * held + ROOM:
        raise InputError(f"model {name}: config.json describes {described:,} numbers, its weights hold {held:,}")


def _build(kind: Any, where: str) -> torch.nn.Module:
    from transformers import AutoConfig

    if (own := getattr(kind, "config_class", None)) is not None:  # a model's class; otherwise an AutoModel
        model: torch.nn.Module = kind._from_config(own.from_pretrained(where))
    else:
        model = kind.from_config(AutoConfig.from_pretrained(where, trust_remote_code=False), trust_remote_code=False)
    return model


def _whole_numbers(value: Any, field: str = "") -> Iterator[tuple[str, int]]:
    """Field and value of every whole number, however deep; of a list of them also the sum, as of layers a stage."""
    if type(value) is int:
        yield field, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _whole_numbers(inner, name)
    elif isinstance(value, list):
        yield field, len(value)
        yield field, sum(item for item in value if type(item) is int)
        for inner in value:
            yield from _whole_numbers(inner, field)


def _weight_files(where: str) -> list[str]:
    """The safetensors files that transformers would read."""
    from transformers.utils import cached_file

    try:
        return [cached_file(where, "model.safetensors")]
    except OSError as missing:
        try:
            index = json.loads(Path(cached_file(where, "model.safetensors.index.json")).read_bytes())
        except OSError:
            raise missing from None
    return [cached_file(where, shard) for shard in sorted({*index["weight_map"].values()})]


def _shapes(file: str) -> Iterator[list[int]]:
    with safe_open(file, "pt") as weights:
        for tensor in weights.keys():  # noqa: SIM118 (no iterator)
            yield weights.get_slice(tensor).get_shape()
