"""A detector or a segmenter of transformers as an object encoder: the queries of its decoder are the objects.

DETR and its kin (Carion et al., 2020) ask an image a fixed number of questions; each answer is an object with a box or
a mask, or "no object". Their weights are as a rule Apache-2.0: a permissive counterpart of GroupViT.
"""

from typing import Any

import torch
from torch import Tensor, nn

from textgroup.devices import pick_device
from textgroup.errors import InputError
from textgroup.vision.encoders.backbone import read_transform
from textgroup.vision.encoders.objects import Objects
from textgroup.vision.encoders.weights import load_frozen, read_config, read_preparation, weights_digest
from textgroup.vision.preprocess import Transform

PRESENT = 0.5
"""Probability from which on a query has found something. A query below it is no object of the image; the most probable
query always is one."""
GRID = 28
"""Cells of a side of the masks that are made of boxes."""


class Queries:
    """An `ObjectEncoder`; vectors are the last hidden states of the decoder, zeros for a query that found nothing.

    pooled is the mean over those that found something.
    """

    published = ""

    def __init__(self, name: str, model: nn.Module, transform: Transform, device: str | None = None) -> None:
        self.name, self.transform = name, transform
        self.sizes: tuple[int, ...] = (transform.crop,)
        self._identity = {"encoder": name, "weights": weights_digest(model), "transform": transform.to_dict()}
        self._device = pick_device(device)
        self._model: Any = model.to(self._device)
        trial = torch.zeros(1, 3, transform.crop, transform.crop)
        try:
            objects = self.encode(trial, vectors=True, masks=True).vectors
        except (AttributeError, TypeError, ValueError, RuntimeError, KeyError) as error:
            reason = " ".join(str(error).split())[:160]
            raise InputError(f"image encoder {name}: no objects with masks or boxes come of it: {reason}") from None
        assert objects is not None, "they were asked for"
        _, self.objects, self.width = objects.shape

    @staticmethod
    def transformers_class(where: str) -> Any:
        """See `OpenableEncoder.transformers_class`."""
        from transformers import AutoModelForObjectDetection, AutoModelForUniversalSegmentation

        config = read_config(where, "config.json", f"queries:{where}")
        detects = str((config.get("architectures") or [""])[0]).endswith("Detection")
        return AutoModelForObjectDetection if detects else AutoModelForUniversalSegmentation

    @classmethod
    def open(
        cls, where: str, resize: int | None = None, device: str | None = None, size: int | None = None
    ) -> "Queries":
        """Open a directory or a Hub name; see `open.open_encoder`."""
        name = f"queries:{where}"
        model = load_frozen(cls.transformers_class(where), where, name)
        transform = read_transform(read_preparation(where, name), name, resize, size)
        return cls(name, model, transform, device)

    def identity(self) -> dict[str, Any]:
        """See `ObjectEncoder.identity`."""
        return self._identity

    @torch.no_grad()
    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        """See `ObjectEncoder.encode`. Masks are (B, G, h, w), in 0..1, and may overlap; boxes are filled."""
        output = self._model(pixel_values=pixels.to(self._device))
        segments = "masks_queries_logits" in output
        logits = output.class_queries_logits if segments else output.logits  # (B, G, classes)
        states = output.transformer_decoder_last_hidden_state if segments else output.last_hidden_state
        states = states[:, -logits.shape[1] :]  # (B, G, D); YOLOS has the patches before its queries
        present = found_something(logits, self._model.config.num_labels)[:, :, None]  # (B, G, 1)
        states = states * present
        pooled = (states.sum(1) / present.sum(1)).to(pixels.device)
        regions = None
        if masks:
            if (drawn := output.get("masks_queries_logits", output.get("pred_masks"))) is not None:
                regions = drawn.sigmoid()
            else:
                regions = fill_boxes(output.pred_boxes)
            regions = regions.to(pixels.device)
        return Objects(states.to(pixels.device) if vectors else None, pooled, regions)


def found_something(logits: Tensor, labels: int) -> Tensor:
    """Which queries are objects, (B, G), bool. logits (B, G, labels), or one more, the last, for "no object"."""
    none_is_a_class = logits.shape[2] > labels
    probability = 1 - logits.softmax(dim=2)[:, :, -1] if none_is_a_class else logits.sigmoid().amax(dim=2)
    return (probability >= PRESENT) | (probability == probability.amax(dim=1, keepdim=True))


def fill_boxes(boxes: Tensor) -> Tensor:
    """boxes (B, G, 4), centre and size as shares of the image -> masks (B, G, `GRID`, `GRID`): 1 for the cells whose
    centre is inside, and for the cell that holds the box's own centre."""
    cell = (torch.arange(GRID, device=boxes.device) + 0.5) / GRID
    inside = []
    for axis in (1, 0):  # rows, then columns
        centre, size = boxes[:, :, axis, None], boxes[:, :, axis + 2, None]
        inside.append((cell - centre).abs() <= torch.clamp_min(size / 2, 0.5 / GRID))  # (B, G, GRID)
    return (inside[0][:, :, :, None] & inside[1][:, :, None, :]).float()
