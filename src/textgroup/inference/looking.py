"""A photograph through the image encoder and the model, by PyTorch; what follows is in `scene.py`."""

from dataclasses import replace

import torch

from textgroup.inference.given_images import Image
from textgroup.inference.scene import Scene
from textgroup.model.textgroup import TextGroupModel
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
