"""What each ONNX file computes: a piece of the model as a function of arrays, and what goes in and out of it."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from textgroup.inference.onnx.cutter import SEGMENTER
from textgroup.inference.onnx.grounder import IMAGE, SPANS
from textgroup.model.textgroup import TextGroupModel
from textgroup.vision.encoders.objects import ObjectEncoder

TEXT = "text.onnx"
Shape = dict[int, str]
"""The axes of an input that may have any length, by name."""


class Part(NamedTuple):
    """One file. inputs: its names and their free axes. outputs: its names. facts: what the file says of itself.

    draw: random input for (batch, length, seed). longest: tokens of a caption that it takes; None for any number, and
    for images, of which `draw` uses no length. fixed: to be written instead where free axes are more than the format
    can express of it.
    """

    file: str
    module: nn.Module
    inputs: dict[str, Shape]
    outputs: list[str]
    facts: dict[str, str]
    draw: Callable[[int, int, int], tuple[Tensor, ...]]
    longest: int | None = None
    fixed: "Part | None" = None


class _OfModel(nn.Module):
    """A piece of a model."""

    def __init__(self, model: TextGroupModel) -> None:
        super().__init__()
        self.model = model


class Owners(_OfModel):
    """ids and mask (B, M) -> owner (B, M), -1 on padding; and groundable (B, M), if the model makes that mark."""

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        owners = self.model.owners(ids, mask)
        return (owners.owner,) if owners.groundable is None else (owners.owner, owners.groundable)


class TextVectors(_OfModel):
    """ids and mask (B, M) -> caption (B, E) and units (B, K, E), unit vectors; owner (B, M), the unit of each token."""

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        text = self.model.encode(ids, mask)
        return self.model.embed_text(text), self.model.embed_units(text), text.owner


class SpanVectors(_OfModel):
    """ids and mask (B, M), and which tokens each group has, forced (B, K, M) -> groups (B, K, E), unit vectors."""

    def forward(self, ids: Tensor, mask: Tensor, forced: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        return (self.model.embed_units(self.model.encode(ids, mask, forced=forced)),)


class ImageVectors(nn.Module):
    """pixels (B, 3, H, W), prepared -> image (B, E) and objects (B, G, E), unit vectors."""

    def __init__(self, model: TextGroupModel, encoder: ObjectEncoder) -> None:
        super().__init__()
        self.model, self.encoder = model, encoder
        self.towers = nn.ModuleList(_modules(encoder))  # an encoder is no module: this makes its weights known

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        objects = self.encoder.encode(pixels, vectors=True)
        assert objects.vectors is not None, "they were asked for"
        return self.model.embed_image(objects.pooled), self.model.embed_objects(objects.vectors)


def segmenter_part(model: TextGroupModel) -> Part:
    """Captions to units."""
    reach = model.encoder.reach
    facts = {"vocabulary": str(model.vocabulary)} | ({} if reach is None else {"reach": str(reach)})
    module, draw = Owners(model), partial(_draw_captions, model.vocabulary)
    outputs = ["owner", "groundable"][: len(module(*draw(1, 2, 0)))]
    longest = None if reach is not None else model.encoder.config.max_tokens
    return Part(SEGMENTER, module, _caption_inputs(), outputs, facts, draw, longest)


def text_part(model: TextGroupModel) -> Part:
    """Captions and their groups to vectors."""
    facts = {"vocabulary": str(model.vocabulary)}
    draw, longest = partial(_draw_captions, model.vocabulary), model.encoder.config.max_tokens
    return Part(TEXT, TextVectors(model), _caption_inputs(), ["caption", "units", "owner"], facts, draw, longest)


def spans_part(model: TextGroupModel) -> Part:
    """Spans of captions to vectors, for `ground`."""
    facts = {"vocabulary": str(model.vocabulary), "groups": str(model.most_groups), "width": str(model.embedding)}
    draw, longest = partial(_draw_spans, model.vocabulary, model.most_groups), model.encoder.config.max_tokens
    inputs: dict[str, Shape] = {**_caption_inputs(), "forced": {0: "batch", 2: "length"}}
    return Part(SPANS, SpanVectors(model), inputs, ["groups"], facts, draw, longest)


def image_part(model: TextGroupModel, encoder: ObjectEncoder) -> Part:
    """Images and their objects to vectors. The file says how images are prepared: `Transform.to_dict`, as JSON; if the
    objects are patches, how many there are from top to bottom and from left to right; and the encoder's `sizes`."""
    facts = {"transform": json.dumps(encoder.transform.to_dict())} | _patches(encoder)
    module, outputs = ImageVectors(model, encoder), ["image", "objects"]
    inputs: dict[str, Shape] = {"pixels": {0: "batch"}}
    one = Part(IMAGE, module, inputs, outputs, facts, partial(_draw_pixels, encoder.sizes[:1]))
    if len(encoder.sizes) == 1:
        return one
    inputs = {"pixels": {0: "batch", 2: "height", 3: "width"}}
    facts = facts | {"sizes": " ".join(map(str, encoder.sizes))}
    return Part(IMAGE, module, inputs, outputs, facts, partial(_draw_pixels, encoder.sizes), fixed=one)


def _draw_captions(vocabulary: int, batch: int, length: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random ids and mask (B, M): captions of different lengths, the first of which fills its row."""
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, vocabulary - 2, (batch, length), generator=random)
    lengths = torch.randint(2, length + 1, (batch,), generator=random)
    lengths[0] = length
    ids[:, 0] = vocabulary - 2
    ids[torch.arange(batch), lengths - 1] = vocabulary - 1
    return ids, torch.arange(length) < lengths[:, None]


def _draw_spans(vocabulary: int, groups: int, batch: int, length: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random captions, and each token in one of the groups or in none."""
    ids, mask = _draw_captions(vocabulary, batch, length, seed)
    owner = torch.randint(0, groups + 1, ids.shape, generator=torch.Generator().manual_seed(seed + 1))
    return ids, mask, (owner[:, None, :] == torch.arange(groups)[:, None]).float() * mask[:, None, :]


@torch.no_grad()
def _patches(encoder: ObjectEncoder) -> dict[str, str]:
    """The fact "patches", where each object is a cell of its own, row by row."""
    masks = encoder.encode(*_draw_pixels(encoder.sizes, 1, 0, 0), masks=True).masks
    assert masks is not None, "they were asked for"
    _, objects, h, w = masks.shape
    alone = objects == h * w and torch.equal(masks[0].float(), torch.eye(objects).view(objects, h, w))
    return {"patches": f"{h} {w}"} if alone else {}


def _draw_pixels(sizes: tuple[int, ...], batch: int, _: int, seed: int) -> tuple[Tensor]:
    """Random pixels (B, 3, side, side), of one size after the other."""
    side = sizes[seed % len(sizes)]
    return (torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(seed)),)


def _caption_inputs() -> dict[str, Shape]:
    return {"ids": {0: "batch", 1: "length"}, "mask": {0: "batch", 1: "length"}}


def _modules(holder: Any) -> list[nn.Module]:
    """The modules that an object holds, and those that what it holds does."""
    found: list[nn.Module] = []
    for value in vars(holder).values():
        if isinstance(value, nn.Module):
            found.append(value)
        elif type(value).__module__.startswith("textgroup.vision.encoders"):
            found += _modules(value)
    return found
