"""A photograph as the model sees it: vectors of its objects and where they are; and the heat maps of units over it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from textgroup.inference.given_images import Image
from textgroup.inference.heat import MIDDLE, from_middle, largest_cosine, point
from textgroup.inference.vectors import span_vectors
from textgroup.model.late_interaction import SHARPNESS
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.units import Grounding, Unit
from textgroup.vision.encoders.objects import ObjectEncoder

FAINT = 0.01
"""Share of a cell below which an object is not there."""
ALIKE, NEAR = 5.0, 0.3
"""How patches share their heat (`_shares`); chosen on photographs of train (docs/grounding.md)."""

ANSWERS = 0.1
"""Largest cosine below which nothing in the photograph answers a unit: 97% of the phrases have more in their own
photograph, and 49% in another (train; docs/grounding.md)."""


class Scene(NamedTuple):
    """vectors: (G, E), unit length, zeros for an object that the image does not have. masks: (G, h, w) over the whole
    photograph, how much of each cell each object has. shares: (G, G), see `_shares`; None where objects are no patches.
    """

    vectors: Tensor
    masks: Tensor
    shares: Tensor | None = None

    def heat(self, unit: Tensor) -> np.ndarray:
        """The heat map (h, w) of a unit's vector (E,): in each cell the cosine with the object that is there, less the
        cell's distance from the middle times `MIDDLE`.

        Of several it attends to those that are like it, as in training. Where none is, the least heat of all.
        """
        cosine = self.vectors @ unit.float()  # (G,)
        if self.shares is not None:
            cosine = self.shares @ cosine
        there = self.present_masks()
        weight = there * (SHARPNESS * (cosine - 1)).exp()[:, None, None]
        heat = (weight * cosine[:, None, None]).sum(dim=0) / weight.sum(dim=0)
        empty = there.amax(dim=0) < FAINT
        heat[empty] = heat[~empty].min() if not empty.all() else 0.0
        cooled: np.ndarray = heat.numpy() - MIDDLE * from_middle(*heat.shape)
        return cooled

    def present_masks(self) -> Tensor:
        """(G, h, w), zeros for an object that the image does not have."""
        return self.masks * (self.vectors != 0).any(dim=1)[:, None, None]


@torch.inference_mode()
def look_at(model: TextGroupModel, encoder: ObjectEncoder, image: Image) -> Scene:
    """The objects of a whole photograph, squashed to the size that the encoder takes. Raises `BrokenImage`."""
    whole = replace(encoder.transform, resize=encoder.transform.crop, squash=True)
    objects = encoder.encode(torch.from_numpy(whole(image)[None]), vectors=True, masks=True)
    assert objects.vectors is not None, "they were asked for"
    assert objects.masks is not None, "they were asked for"
    device = next(model.parameters()).device
    vectors = model.embed_objects(objects.vectors.float().to(device))[0].cpu()  # (G, E)
    masks = objects.masks[0].float().cpu()  # (G, h, w)
    patches = masks.shape[0] == masks.shape[1] * masks.shape[2]
    return Scene(vectors, masks, _shares(vectors, *masks.shape[1:]) if patches else None)


def _shares(patches: Tensor, h: int, w: int) -> Tensor:
    """What each patch (G, E) takes of the heat of each other, (G, G), rows sum to 1: softmax of `ALIKE` * cosine -
    (distance / `NEAR`)^2 / 2.

    A thing has its heat where it is most typical, as at a face; patches that look like that and are near belong to it.
    """
    x, y = (torch.arange(w) + 0.5) / w, (torch.arange(h) + 0.5) / h
    place = torch.cartesian_prod(y, x)  # (G, 2)
    distance = torch.cdist(place, place)
    return (ALIKE * (patches @ patches.T) - (distance / NEAR).square() / 2).softmax(dim=1)


@torch.inference_mode()
def heat_maps(
    model: TextGroupModel, tokenizer: CaptionTokenizer, scene: Scene, caption: str, spans: Sequence[tuple[int, int]]
) -> list[np.ndarray]:
    """The heat map (h, w) of each span of characters (start, end) of the caption, as if it were a unit.

    Its tokens are forced into a group of their own. The baseline has one group, <eos>, whatever is forced.
    """
    return [scene.heat(vector) for vector in span_vectors(model, tokenizer, caption, [[span] for span in spans]).cpu()]


def grounded(unit: Unit, heat: np.ndarray) -> Grounding:
    """The unit with its heat map, and the point and the box that follow from it; its score alone if nothing answers."""
    score = largest_cosine(heat)
    if score < ANSWERS:
        return Grounding(unit, score=score)
    pointed = point(heat)
    x0, y0, x1, y1 = (float(end) for end in pointed.box)
    return Grounding(unit, heat, pointed.mass, (x0, y0, x1, y1), score)
