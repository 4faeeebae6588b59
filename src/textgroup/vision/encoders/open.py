"""The list of object encoders: what `--encoder` may name. A new encoder is a file and a line here."""

from pathlib import Path
from typing import Any

from textgroup.errors import InputError
from textgroup.files import local_or_hub
from textgroup.vision.encoders.backbone import Backbone
from textgroup.vision.encoders.clusters import Clusters
from textgroup.vision.encoders.groupvit import GroupViT
from textgroup.vision.encoders.objects import ObjectEncoder, OpenableEncoder
from textgroup.vision.encoders.queries import Queries
from textgroup.vision.encoders.weights import copy_half
from textgroup.vision.preprocess import MOST_PIXELS

ENCODERS: dict[str, type[OpenableEncoder]] = {
    "groupvit": GroupViT,
    "backbone": Backbone,
    "clusters": Clusters,
    "queries": Queries,
}


def open_encoder(
    spec: str, resize: int | None = None, device: str | None = None, size: int | None = None
) -> ObjectEncoder:
    """Open an image encoder.

    spec: `groupvit` (the published weights) or `groupvit:WHERE`; `backbone:WHERE`, any image model of transformers, its
    patches being the objects; `clusters:WHERE`, the same with its patches clustered; `queries:WHERE`, a detector or
    segmenter such as DETR or Mask2Former, the queries of its decoder being the objects. WHERE is a directory, a Hub
    name, or `packaged`, the MobileNetV2 of the packaged model; only safetensors are read. resize: pixels of the shorter
    side before the crop, if other than the encoder's own. size: squash the whole image to so many pixels a side
    instead, without a crop. device: where it runs; a GPU if there is one. Raises `InputError`.
    """
    kind, _, where = str(spec).partition(":")
    if kind not in ENCODERS or not (where or ENCODERS[kind].published):
        names = [f"{name}[:WHERE]" if encoder.published else f"{name}:WHERE" for name, encoder in ENCODERS.items()]
        raise InputError(
            f"image encoder {spec!r}: take {' or '.join(names)}, WHERE a directory, a Hub name or packaged"
        )
    if resize is not None and size is not None:
        raise InputError(f"resize {resize} and size {size}: give one of them; size leaves no crop")
    if size is not None and not 1 <= size <= MOST_PIXELS:
        raise InputError(f"size {size}: it must lie between 1 and {MOST_PIXELS} pixels")
    return ENCODERS[kind].open(local_or_hub(where or ENCODERS[kind].published), resize, device, size)


def copy_encoder(spec: str, out: Path) -> None:
    """Write the weights of an encoder to the directory `out`, in half precision, to be opened from there."""
    kind, _, where = spec.partition(":")
    encoder = ENCODERS[kind]
    where = local_or_hub(where or encoder.published)
    copy_half(encoder.transformers_class(where), where, spec, out)


def open_again(spec: str, transform: dict[str, Any], device: str | None = None) -> ObjectEncoder:
    """Open an encoder with the transform that it had, as `Transform.to_dict` gives it."""
    if transform.get("squash"):
        return open_encoder(spec, device=device, size=transform["crop"])
    return open_encoder(spec, resize=transform["resize"], device=device)
