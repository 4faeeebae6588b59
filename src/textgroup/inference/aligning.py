"""Units and the objects of an image: which one a unit refers to, and where in the photograph that is."""

from collections.abc import Sequence

import torch
from torch import Tensor

from textgroup.inference.cutter import ModelCutter
from textgroup.inference.segmenting import segment
from textgroup.inference.vectors import unit_vectors
from textgroup.model.late_interaction import NULL
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.units import Reference, Unit

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@torch.inference_mode()
def align_units(
    model: TextGroupModel, tokenizer: CaptionTokenizer, captions: Sequence[str], vectors: Tensor
) -> list[list[Reference]]:
    """The references of each caption. vectors: objects of its image, (captions, G, D_image), zeros after the last."""
    device = next(model.parameters()).device
    objects = model.embed_objects(vectors.float().to(device)).float().cpu().numpy()  # (captions, G, E)
    number = (vectors != 0).any(dim=2).sum(dim=1).tolist()
    references = []
    for i, units in enumerate(segment(ModelCutter(model), tokenizer, captions)):
        cosines = (unit_vectors(model, tokenizer, captions[i], units) @ objects[i].T).tolist()  # (units, G)
        references.append([reference(unit, of_unit[: number[i]]) for unit, of_unit in zip(units, cosines)])
    return references


def reference(unit: Unit, cosines: list[float]) -> Reference:
    """The object of the largest cosine, or None where that is no larger than the null object's, or there is none."""
    best = max(range(len(cosines)), key=cosines.__getitem__, default=None)
    return Reference(unit, None if best is None or cosines[best] <= NULL else best, cosines)


def centres(masks: Tensor, part: Box) -> list[Point | None]:
    """The centre of mass (x, y) of each object, as shares of the photograph; None for one that is nowhere.

    masks: (G, h, w) over the part of the photograph that the encoder sees. part: x0, y0, x1, y1, shares of it.
    """
    _, h, w = masks.shape
    x0, y0, x1, y1 = part
    found: list[Point | None] = []
    for mask in masks.double():
        mass = float(mask.sum())
        if mass <= 0:
            found.append(None)
            continue
        x = float(mask.sum(dim=0) @ (torch.arange(w) + 0.5).double()) / mass / w
        y = float(mask.sum(dim=1) @ (torch.arange(h) + 0.5).double()) / mass / h
        found.append((x0 + x * (x1 - x0), y0 + y * (y1 - y0)))
    return found
