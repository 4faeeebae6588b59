"""What an object encoder is: a frozen tower that turns an image into vectors of its objects."""

from typing import Any, NamedTuple, Protocol, TypeVar

from torch import Tensor, nn

from textgroup.errors import InputError
from textgroup.vision.transform import Transform

Module = TypeVar("Module", bound=nn.Module)


class Objects(NamedTuple):
    """What is seen in B images.

    groups: (B, G, D), a vector for each object, or None. pooled: (B, D), the image as a whole.
    masks: (B, G, H, W) over the pixels of the encoder's crop, how much of each pixel each object has; or None.
    """

    groups: Tensor | None
    pooled: Tensor
    masks: Tensor | None


class ObjectEncoder(Protocol):
    """Images in, `Objects` out.

    An encoder is a plain class and no `nn.Module`, so that a model that holds one neither trains, moves nor
    saves it. (`.train()` would switch on GroupViT's Gumbel noise inside a tower that is meant to be frozen.)

    name: as `open_encoder` takes it. width: D. objects: G. transform: what `encode` expects done to an image.
    """

    name: str
    width: int
    objects: int
    transform: Transform

    def identity(self) -> dict[str, Any]:
        """What decides the features: {"encoder": name, "weights": sha256, "transform": settings}, for JSON."""
        ...

    def encode(self, pixels: Tensor, groups: bool = False, masks: bool = False) -> Objects:
        """pixels (B, 3, H, W) -> objects, without gradients, on the device of `pixels`.

        groups, masks: what to give besides `pooled`.
        """
        ...


def freeze(module: Module) -> Module:
    """The module itself, in evaluation mode and without gradients."""
    return module.eval().requires_grad_(False)


def open_encoder(spec: str, resize: int | None = None, device: str | None = None) -> ObjectEncoder:
    """Open an image encoder.

    spec: `groupvit` (the published weights), `groupvit:WHERE` or `backbone:WHERE` (any image model of
    transformers, its patches clustered), WHERE a directory or a Hub name; only safetensors are read.
    resize: pixels of the shorter side before the crop, if other than the encoder's own.
    device: where it runs; a GPU if there is one. Raises `InputError`.
    """
    kind, _, where = str(spec).partition(":")
    if kind == "groupvit":
        from textgroup.vision.groupvit import PUBLISHED, GroupViT

        return GroupViT.open(where or PUBLISHED, resize, device)
    if kind == "backbone" and where:
        from textgroup.vision.backbone import Backbone

        return Backbone.open(where, resize, device)
    raise InputError(
        f"image encoder {spec!r}: take groupvit, groupvit:WHERE or backbone:WHERE, WHERE a directory or a Hub name"
    )
