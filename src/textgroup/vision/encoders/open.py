"""The list of object encoders: what `--encoder` may name. A new encoder is a file and a line here."""

from textgroup.errors import InputError
from textgroup.vision.encoders.backbone import Backbone
from textgroup.vision.encoders.groupvit import GroupViT
from textgroup.vision.encoders.objects import ObjectEncoder, OpenableEncoder

ENCODERS: dict[str, type[OpenableEncoder]] = {"groupvit": GroupViT, "backbone": Backbone}


def open_encoder(spec: str, resize: int | None = None, device: str | None = None) -> ObjectEncoder:
    """Open an image encoder.

    spec: `groupvit` (the published weights), `groupvit:WHERE` or `backbone:WHERE` (any image model of
    transformers, its patches clustered), WHERE a directory or a Hub name; only safetensors are read.
    resize: pixels of the shorter side before the crop, if other than the encoder's own.
    device: where it runs; a GPU if there is one. Raises `InputError`.
    """
    kind, _, where = str(spec).partition(":")
    if kind not in ENCODERS or not (where or ENCODERS[kind].published):
        names = [
            f"{name}, {name}:WHERE" if encoder.published else f"{name}:WHERE" for name, encoder in ENCODERS.items()
        ]
        raise InputError(f"image encoder {spec!r}: take {' or '.join(names)}, WHERE a directory or a Hub name")
    return ENCODERS[kind].open(where or ENCODERS[kind].published, resize, device)
