"""What a checkpoint says of itself, checked before anything is built: config.json beside the weights.

The weights are as large as their file. A config.json of a few bytes can describe a model that fills any memory; so the
model is first built without memory, and only if the weights have as many numbers, in earnest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open

from textgroup.config.model import DecoderConfig, EncoderConfig
from textgroup.errors import InputError
from textgroup.files import read_json
from textgroup.model.textgroup import FORMAT, TextGroupModel

LONGEST_CONFIG = 1 << 20
"""Bytes of a config.json."""
MOST_GROUPS = 4096
"""Groups of a caption; a dynamic encoder has no weights that would say how many there are."""


@dataclass(frozen=True, kw_only=True)
class _Described:
    """The arguments of `TextGroupModel` that are no configurations."""

    embedding: int
    vocabulary: int
    image_dropout: float = 0.0
    image_width: int | None = None
    image_encoder: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """What is read of `ObjectEncoder.identity()`."""

    encoder: str
    weights: str
    transform: dict[str, Any]


def new_model(directory: Path) -> TextGroupModel:
    """The model that config.json describes, untrained. An unknown field is an error.

    Raises `InputError` for fields of another type, and for a model of more numbers than model.safetensors holds.
    """
    file = directory / "config.json"
    settings = read_json(file, LONGEST_CONFIG)
    version = settings.pop("format", 1)
    encoder, decoder = settings.pop("encoder", None), settings.pop("decoder", None)
    if not isinstance(encoder, dict) or not isinstance(decoder, dict | None):
        raise InputError(f"{file}: encoder must be an object, and decoder one or null")
    if type(version) is not int or version > FORMAT:
        raise InputError(f"checkpoint {directory}: format {version!r:.40}, this version reads up to {FORMAT}")
    if version == 1:
        settings["vocabulary"] = encoder.pop("vocabulary", None)
    if version < FORMAT and encoder.get("kind") == "dynamic":
        raise InputError(
            f"checkpoint {directory}: its router is of an older version (format {version}): train it again"
        )
    check_fields(_Described, settings, str(file))
    check_fields(EncoderConfig, encoder, f"{file}: encoder")
    check_fields(DecoderConfig, decoder or {}, f"{file}: decoder")
    if (identity := settings.get("image_encoder")) is not None:
        known = {name: identity[name] for name in ("encoder", "weights", "transform") if name in identity}
        check_fields(_Identity, known, f"{file}: image_encoder")
    parts = EncoderConfig(**encoder), None if decoder is None else DecoderConfig(**decoder)
    _check_size(directory, *parts, settings)
    return TextGroupModel(*parts, **settings)


def check_fields(kind: Any, values: Mapping[str, Any], where: str) -> None:
    """Raise `InputError` for what is no field of the dataclass, for one that lacks, and for one of another type."""
    hints = get_type_hints(kind)
    if unknown := sorted(values.keys() - hints.keys()):
        raise InputError(f"{where}: {unknown[0]!r:.60} is no field of it")
    for field in fields(kind):
        required = field.default is field.default_factory  # both are MISSING
        if required and field.name not in values:
            raise InputError(f"{where}: it lacks {field.name!r}")
        if field.name in values and not _fits(values[field.name], hints[field.name]):
            raise InputError(f"{where}: {field.name} is {values[field.name]!r:.60}, which cannot be")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of JSON is of this type."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if get_origin(hint) is dict:
        return isinstance(value, dict)
    if hint is float:
        return type(value) in (int, float) and abs(value) < float("inf")
    return type(value) is (NoneType if hint is None else hint)


def _check_size(
    directory: Path, encoder: EncoderConfig, decoder: DecoderConfig | None, settings: Mapping[str, Any]
) -> None:
    """Raise `InputError` if a model would have more layers or numbers than the weights."""
    file = directory / "model.safetensors"
    try:
        with safe_open(file, "pt") as weights:
            shapes = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118 (no iterator)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file} cannot be read: {' '.join(str(error).split())[:120]}") from None
    held = sum(torch.Size(shape).numel() for shape in shapes)
    layers = encoder.layers_before + encoder.layers_after + (decoder.layers if decoder else 0)
    sizes = [v for part in (encoder, decoder) if part for v in vars(part).values() if type(v) is int]
    sizes += [v for v in settings.values() if type(v) is int]
    described = 0
    unread = encoder.layers_before if encoder.kind == "dynamic" else 0
    if layers - unread <= len(shapes) and max(sizes) <= max(held, MOST_GROUPS):
        with torch.device("meta"):
            model = TextGroupModel(encoder, decoder, **settings)
        described = sum(tensor.numel() for tensor in model.state_dict().values())
    if not 0 < described <= held or encoder.groups > MOST_GROUPS:
        raise InputError(
            f"{directory}: config.json describes a larger model than model.safetensors holds ({held:,} numbers): "
            "they are not of one checkpoint, or one is damaged"
        )
