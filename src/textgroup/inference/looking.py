"""A photograph and the spans of a caption through the model, by PyTorch; what follows from them is in `scene.py`."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from textgroup.inference.given_images import Image
from textgroup.inference.scene import Scene
from textgroup.inference.vectors import span_vectors
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.vision.encoders.objects import ObjectEncoder


@torch.inference_mode()
def look_at(model: TextGroupModel, encoder: ObjectEncoder, image: Image) -> Scene:
    """The objects of a whole photograph, squashed to the size that the encoder takes. Raises `BrokenImage`."""
    whole = replace(encoder.transform, resize=encoder.transform.crop, squash=True)
    objects = encoder.encode(torch.from_numpy(whole(image)[None]), vectors=True, masks=True)
    assert objects.vectors is not None, "they were asked for"
    assert objects.masks is not None, "they were asked for"
    device = next(model.parameters()).device
    vectors = model.embed_objects(objects.vectors.float().to(device))[0].cpu()  # (G, E)
    return Scene.of(vectors.numpy(), objects.masks[0].float().cpu().numpy())


@torch.inference_mode()
def heat_maps(
    model: TextGroupModel, tokenizer: CaptionTokenizer, scene: Scene, caption: str, spans: Sequence[tuple[int, int]]
) -> list[np.ndarray]:
    """The heat map (h, w) of each span of characters (start, end) of the caption, as if it were a unit.

    Its tokens are forced into a group of their own. The baseline has one group, <eos>, whatever is forced.
    """
    vectors = span_vectors(model, tokenizer, caption, [[span] for span in spans])
    return [scene.heat(vector) for vector in vectors.float().cpu().numpy()]
