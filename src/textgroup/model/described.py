"""What a checkpoint says of itself, checked before anything is built: config.json beside the weights.

The weights are as large as their file. A config.json of a few bytes can describe a model that fills any memory; so the
model is first built without memory, and only if the weights have as many numbers, in earnest.
"""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from inspect import signature
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from torch.overrides import TorchFunctionMode

from textgroup.config.model import DecoderConfig, EncoderConfig
from textgroup.errors import InputError
from textgroup.files import read_json
from textgroup.model.textgroup import FORMAT, TextGroupModel

LONGEST_CONFIG = 1 << 20
"""Bytes of a config.json."""
MOST_GROUPS = 4096
"""Groups of a caption; a dynamic encoder has no weights that would say how many there are."""


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
    _check_fields(EncoderConfig, encoder, f"{file}: encoder")
    _check_fields(DecoderConfig, decoder or {}, f"{file}: decoder")
    _check_fields(TextGroupModel, {"encoder": encoder, "decoder": decoder, **settings}, str(file))
    if (identity := settings.get("image_encoder")) is not None:
        check_identity(identity, str(file))
    parts = EncoderConfig(**encoder), None if decoder is None else DecoderConfig(**decoder)
    _check_size(directory, *parts, settings)
    return TextGroupModel(*parts, **settings)


def check_identity(identity: Mapping[str, Any], owner: str) -> None:
    """Raise `InputError` for what is not as `ObjectEncoder.identity` has it. owner: whose it is, for the message."""
    if [type(identity.get(name)) for name in ("encoder", "weights", "transform")] != [str, str, dict]:
        raise InputError(f"{owner}: what it says of its image encoder is damaged")


def _check_fields(kind: type[Any], values: Mapping[str, Any], where: str) -> None:
    """Raise `InputError` for what `kind` does not take, for what it needs and is not there, and for another type."""
    hints, taken = get_type_hints(kind.__init__), signature(kind).parameters
    if unknown := sorted(values.keys() - taken.keys()):
        raise InputError(f"{where}: {unknown[0]!r:.60} is no field of it")
    for name, parameter in taken.items():
        if name not in values:
            if parameter.default is parameter.empty:
                raise InputError(f"{where}: it lacks {name!r}")
        elif not _fits(values[name], hints[name]):
            raise InputError(f"{where}: {name} is {values[name]!r:.60}, which it cannot be")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value of JSON is of this type."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if get_origin(hint) is dict or is_dataclass(hint):
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
    layers = encoder.layers_after + (0 if encoder.kind == "dynamic" else encoder.layers_before)
    layers += decoder.layers if decoder else 0
    values = [*vars(encoder).values(), *(vars(decoder).values() if decoder else ()), *settings.values()]
    largest = max(value for value in values if type(value) is int)
    can_be_counted = layers <= len(shapes) and largest <= max(held, MOST_GROUPS) and encoder.groups <= MOST_GROUPS
    if not can_be_counted or _count_numbers(encoder, decoder, settings) > held:
        raise InputError(
            f"{directory}: config.json describes a larger model than model.safetensors holds ({held:,} numbers): "
            "they are not of one checkpoint, or one is damaged"
        )


def _count_numbers(encoder: EncoderConfig, decoder: DecoderConfig | None, settings: Mapping[str, Any]) -> int:
    """The numbers of a model, without memory for them."""
    with torch.device("meta"), _Uninitialised():
        model = TextGroupModel(encoder, decoder, **settings)
    return sum(tensor.numel() for tensor in model.state_dict().values())


class _Uninitialised(TorchFunctionMode):
    """In the block, what would initialise a tensor leaves it as it is: where there is no memory, there is nothing to
    draw, and PyTorch would import its compiler to find that out, which takes longer than reading a model."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(function, "__module__", None) == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return function(*args, **(kwargs or {}))
