"""Any image model of transformers as an object encoder: its patches are the objects.

A Transformer's patches are those of its last layer. A convolutional net's are its last layer and, beside it, the last
layer of a finer grid, averaged within each patch: a deep layer knows more of what a thing is, the one before more of
where it is. On an image that is larger than the network was trained for, patches are finer; but the image as a whole is
better known at the size of training (docs/grounding.md).
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from textgroup.devices import pick_device
from textgroup.errors import InputError
from textgroup.vision.encoders.folding import fold_batch_norms
from textgroup.vision.encoders.objects import Objects
from textgroup.vision.encoders.weights import load_frozen, read_preparation, weights_digest
from textgroup.vision.preprocess import MOST_PIXELS, Transform

SCALES = (5 / 7, 19 / 14)
"""A photograph is also looked at with so many times the pixels a side: 320 and 608 beside 448 (docs/grounding.md)."""

UNFIT = (AttributeError, TypeError, ValueError, RuntimeError)
"""What models raise for images that they were not made for."""


class Backbone:
    """An `ObjectEncoder` on the patch features of a model.

    pooled is the mean of the patches, or, if the image is larger than `own` pixels a side, of those that it has at that
    size. grid: h, w, the patches of a column and of a row.
    """

    published = ""

    def __init__(
        self, name: str, model: nn.Module, transform: Transform, device: str | None = None, own: int | None = None
    ) -> None:
        self.name, self.transform = name, transform
        self._own = transform.crop if own is None else min(own, transform.crop)
        self._identity: dict[str, Any] = {
            "encoder": name,
            "weights": weights_digest(model),
            "transform": transform.to_dict(),
        }
        self._device = pick_device(device)
        self._model = model.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        noise = torch.randn(1, 3, transform.crop, transform.crop, generator=torch.Generator().manual_seed(0))
        trial = noise.to(self._device, memory_format=torch.channels_last)
        self._two_layers = True  # if the model has two to give
        try:
            with torch.no_grad():
                layers = self._layers(trial)
        except UNFIT as error:
            reason = " ".join(str(error).split())[:160]
            raise InputError(
                f"image encoder {name}: no patches of an image of {transform.crop} pixels: {reason}"
            ) from None
        self.width = sum(layer.shape[1] for layer in layers)
        self.grid = (layers[0].shape[2], layers[0].shape[3])
        self._two_layers = len(layers) > 1
        if self._two_layers:
            self._identity["layers"] = len(layers)
        if self._own < transform.crop:
            self._identity["pooled_at"] = self._own
        self.objects = self.grid[0] * self.grid[1]
        self._model = fold_batch_norms(self._model, trial)

    @staticmethod
    def transformers_class(where: str) -> Any:
        """See `OpenableEncoder.transformers_class`."""
        from transformers import AutoModel

        return AutoModel

    @classmethod
    def open(
        cls, where: str, resize: int | None = None, device: str | None = None, size: int | None = None
    ) -> "Backbone":
        """Open a directory or a Hub name; see `open.open_encoder`."""
        name = f"backbone:{where}"
        model = load_frozen(cls.transformers_class(where), where, name)
        model = getattr(model, "vision_model", model)  # of two towers, as in CLIP, the one that sees
        if getattr(model, "main_input_name", "") != "pixel_values":
            raise InputError(f"image encoder {name}: {type(model).__name__} does not take images")
        config = read_preparation(where, name)
        own = None if size is None else read_transform(config, name).crop
        return cls(name, model, read_transform(config, name, resize, size), device, own)

    def identity(self) -> dict[str, Any]:
        """See `ObjectEncoder.identity`."""
        return self._identity

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """See `ObjectEncoder.sizes`: three of a convolutional net, but for those that it does not take; else one."""
        crop, patches = self.transform.crop, self.grid[0]
        if not self._two_layers:
            return (crop,)
        others = (crop // patches * round(patches * scale) for scale in SCALES)  # of whole patches
        return crop, *(side for side in others if 0 < side != crop and side <= MOST_PIXELS and self._takes(side))

    @torch.no_grad()
    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        """See `ObjectEncoder.encode`. Masks are (B, G, h, w), h x w = G: 1 where the patch is, 0 elsewhere."""
        patches = self.patches(pixels) if vectors or self._own == self.transform.crop else None  # (B, N, D)
        pooled = self.pooled(pixels, patches)
        grid = None
        if masks:
            cells = torch.eye(self.objects, device=pixels.device).unflatten(1, self.grid)  # (N, h, w)
            grid = cells.expand(len(pixels), -1, -1, -1)
        return Objects(patches.to(pixels.device) if vectors and patches is not None else None, pooled, grid)

    @torch.no_grad()
    def pooled(self, pixels: Tensor, patches: Tensor | None = None) -> Tensor:
        """pixels (B, 3, H, W) -> (B, D), on their device. patches: of these pixels, where they are at hand."""
        if self._own < self.transform.crop:
            patches = self.patches(shrink(pixels, self._own))
        return (self.patches(pixels) if patches is None else patches).mean(1).to(pixels.device)

    @torch.no_grad()
    def patches(self, pixels: Tensor) -> Tensor:
        """pixels (B, 3, H, W) -> features of the patches (B, N, D), row by row, on the encoder's device."""
        return torch.cat(self._layers(pixels), dim=1).flatten(2).transpose(1, 2)

    def _takes(self, side: int) -> bool:
        """Whether the model makes a square of patches of an image of so many pixels a side."""
        try:
            count = self.patches(torch.zeros(1, 3, side, side)).shape[1]
        except UNFIT:
            return False
        return math.isqrt(count) ** 2 == count

    def _layers(self, pixels: Tensor) -> list[Tensor]:
        """The last layer (B, D, h, w), and, of a convolutional net, the one before."""
        pixels = pixels.to(self._device, memory_format=torch.channels_last)
        output = self._model(pixel_values=pixels, output_hidden_states=self._two_layers)
        hidden = output.last_hidden_state
        if hidden.dim() == 4:  # of a convolutional net
            return [hidden, *finer_layer(hidden, output.hidden_states or ())]
        side = math.isqrt(hidden.shape[1])  # class and register tokens stand before a square of patches
        return [hidden[:, hidden.shape[1] - side**2 :].transpose(1, 2).unflatten(2, (side, side))]


def shrink(pixels: Tensor, side: int) -> Tensor:
    """(B, 3, H, W) -> (B, 3, side, side)."""
    return F.interpolate(pixels, (side, side), mode="bilinear", antialias=True)


def finer_layer(hidden: Tensor, layers: Sequence[Tensor]) -> list[Tensor]:
    """The last of the layers on a finer grid than `hidden` (B, D, h, w), averaged to (B, C, h, w); none without one."""
    finer = [layer for layer in layers if layer.dim() == 4 and layer.shape[2] > hidden.shape[2]]
    return [F.adaptive_avg_pool2d(layer, (hidden.shape[2], hidden.shape[3])) for layer in finer[-1:]]


def read_transform(config: dict[str, Any], name: str, resize: int | None = None, size: int | None = None) -> Transform:
    """Our transform from `weights.read_preparation`. Raises `InputError` for what it cannot express.

    A configuration that squashes images to height x width is read as: shorter side to that, then centre crop.
    resize: instead of the configuration's. size: squash the whole image to so many pixels a side, without a crop.
    """
    try:
        if not abs(config.get("rescale_factor", 1 / 255) * 255 - 1) <= 1e-3 or config.get("rescale_offset"):
            raise ValueError("it scales colours to something else than 0..1")
        edge = _side_length(config["size"])
        if share := config.get("crop_pct"):
            own, crop = round(edge / share), edge
        else:
            cropped = config.get("do_center_crop", "crop_size" in config)
            own, crop = edge, _side_length(config["crop_size"]) if cropped else edge
        normalise = config.get("do_normalize", True)
        return Transform(
            resize=size or (own if resize is None else resize),
            crop=size or crop,
            squash=size is not None,
            mean=_colours(config["image_mean"]) if normalise else (0, 0, 0),
            std=_colours(config["image_std"]) if normalise else (1, 1, 1),
            interpolation={2: "bilinear", 3: "bicubic"}[config.get("resample", 2)],
        )
    except InputError as error:
        raise InputError(f"image encoder {name}: {error}") from None
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(
            f"image encoder {name}: how it has images prepared is not understood: {error!r:.120}"
        ) from None


def _colours(values: Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    if not all(map(math.isfinite, (red, green, blue))):
        raise ValueError("a colour is no number")
    return red, green, blue


def _side_length(size: Any) -> int:
    if isinstance(size, dict):
        if "shortest_edge" in size:
            return int(size["shortest_edge"])
        if size["height"] != size["width"]:
            raise ValueError(f"{size['height']} x {size['width']} is not square")
        return int(size["height"])
    return int(size)
