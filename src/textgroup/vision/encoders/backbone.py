"""Any image model of transformers as an object encoder: its patches, clustered by k-means within each image."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from textgroup.devices import pick_device
from textgroup.errors import InputError
from textgroup.vision.encoders.folding import fold_batch_norms
from textgroup.vision.encoders.objects import Objects
from textgroup.vision.encoders.weights import load_frozen, read_config, weights_digest
from textgroup.vision.preprocess import Transform

GROUPS = 8
"""Objects of an image, as many as GroupViT's."""
ROUNDS = 10
"""Of Lloyd's algorithm."""


class Backbone:
    """An `ObjectEncoder` on the patch features that a model gives as `last_hidden_state`.

    pooled is the mean over the patches, which is the mean of the groups weighted by their sizes.
    """

    published = ""

    def __init__(self, name: str, model: nn.Module, transform: Transform, device: str | None = None) -> None:
        self.name, self.transform, self.objects = name, transform, GROUPS
        self._identity = {"encoder": name, "weights": weights_digest(model), "transform": transform.to_dict()}
        self._device = pick_device(device)
        self._model = model.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        noise = torch.randn(1, 3, transform.crop, transform.crop, generator=torch.Generator().manual_seed(0))
        trial = noise.to(self._device, memory_format=torch.channels_last)
        try:
            self.width = self._patches(trial).shape[-1]
        except (AttributeError, TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:160]
            raise InputError(
                f"image encoder {name}: no patches of an image of {transform.crop} pixels: {reason}"
            ) from None
        self._model = fold_batch_norms(self._model, trial)

    @classmethod
    def open(cls, where: str, resize: int | None = None, device: str | None = None) -> "Backbone":
        """Open a directory or a Hub name; see `open.open_encoder`."""
        from transformers import AutoModel

        name = f"backbone:{where}"
        model = load_frozen(AutoModel, where, name)
        model = getattr(model, "vision_model", model)  # of two towers, as in CLIP, the one that sees
        if getattr(model, "main_input_name", "") != "pixel_values":
            raise InputError(f"image encoder {name}: {type(model).__name__} does not take images")
        transform = read_transform(read_config(where, "preprocessor_config.json", name), name, resize)
        return cls(name, model, transform, device)

    def identity(self) -> dict[str, Any]:
        """See `ObjectEncoder.identity`."""
        return self._identity

    @torch.no_grad()
    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        """See `ObjectEncoder.encode`. Masks are 0 or 1: a patch belongs to one group."""
        patches = self._patches(pixels.to(self._device, memory_format=torch.channels_last))  # (B, N, D)
        pooled = patches.mean(1).to(pixels.device)
        if not (vectors or masks):
            return Objects(None, pooled, None)
        centres, owner = kmeans(patches, self.objects)
        regions = self._masks(owner, pixels.shape[-2:]).to(pixels.device) if masks else None
        return Objects(centres.to(pixels.device) if vectors else None, pooled, regions)

    @torch.no_grad()
    def _patches(self, pixels: Tensor) -> Tensor:
        hidden = self._model(pixel_values=pixels).last_hidden_state
        if hidden.dim() == 4:  # (B, D, h, w) of a convolutional net
            hidden = hidden.flatten(2).transpose(1, 2)
        patches = math.isqrt(hidden.shape[1]) ** 2  # class and register tokens stand before a square of patches
        return hidden[:, hidden.shape[1] - patches :]

    def _masks(self, owner: Tensor, size: torch.Size) -> Tensor:
        side = math.isqrt(owner.shape[1])
        maps = nn.functional.one_hot(owner, self.objects).transpose(1, 2).float()  # (B, G, N)
        return nn.functional.interpolate(maps.unflatten(2, (side, side)), size=size, mode="nearest")


def kmeans(points: Tensor, groups: int, rounds: int = ROUNDS) -> tuple[Tensor, Tensor]:
    """Cluster the points of each image on their own: points (B, N, D) -> centres (B, G, D), owner (B, N).

    The same points always give the same clusters: the first centre is the point farthest from the mean, each
    next one the point farthest from all centres before it. Centres are the means of their points; one that
    has no points (an image with fewer than G different patches) stays where it is.
    """
    batch, count, _ = points.shape
    if count < groups:
        raise InputError(f"{count} patches cannot make {groups} objects: take a larger crop or another encoder")
    rows = torch.arange(batch, device=points.device)
    centres = [points[rows, (points - points.mean(1, keepdim=True)).square().sum(2).argmax(1)]]  # (B, D)
    nearest = torch.full((batch, count), torch.inf, device=points.device, dtype=points.dtype)
    while len(centres) < groups:
        nearest = nearest.minimum((points - centres[-1][:, None]).square().sum(2))
        centres.append(points[rows, nearest.argmax(1)])
    centre = torch.stack(centres, dim=1)  # (B, G, D)
    for _ in range(rounds):
        owner = torch.cdist(points, centre).argmin(2)  # (B, N)
        member = nn.functional.one_hot(owner, groups).to(points.dtype).transpose(1, 2)  # (B, G, N)
        size = member.sum(2, keepdim=True)
        centre = torch.where(size > 0, member @ points / size.clamp(min=1), centre)
    return centre, owner


def read_transform(config: dict[str, Any], name: str, resize: int | None = None) -> Transform:
    """Our transform from a preprocessor_config.json. Raises `InputError` for what it cannot express.

    A configuration that squashes images to height x width is read as: shorter side to that, then centre crop.
    """
    try:
        if abs(config.get("rescale_factor", 1 / 255) * 255 - 1) > 1e-3 or config.get("rescale_offset"):
            raise ValueError("it scales colours to something else than 0..1")
        edge = _side_length(config["size"])
        if share := config.get("crop_pct"):
            own, crop = round(edge / share), edge
        else:
            cropped = config.get("do_center_crop", "crop_size" in config)
            own, crop = edge, _side_length(config["crop_size"]) if cropped else edge
        normalise = config.get("do_normalize", True)
        return Transform(
            resize=own if resize is None else resize,
            crop=crop,
            mean=tuple(config["image_mean"]) if normalise else (0, 0, 0),
            std=tuple(config["image_std"]) if normalise else (1, 1, 1),
            interpolation={2: "bilinear", 3: "bicubic"}[config.get("resample", 2)],
        )
    except InputError as error:
        raise InputError(f"image encoder {name}: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"image encoder {name}: preprocessor_config.json: {error!r} is not understood") from None


def _side_length(size: Any) -> int:
    if isinstance(size, dict):
        if "shortest_edge" in size:
            return int(size["shortest_edge"])
        if size["height"] != size["width"]:
            raise ValueError(f"{size['height']} x {size['width']} is not square")
        return int(size["height"])
    return int(size)
