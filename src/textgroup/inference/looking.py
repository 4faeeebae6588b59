"""A photograph through the image encoder and the model, by PyTorch; what follows is in `scene.py`."""

import torch

from textgroup.inference.given_images import Image
from textgroup.inference.scene import Scene
from textgroup.model.textgroup import TextGroupModel
from textgroup.vision.decode import decode
from textgroup.vision.encoders.objects import ObjectEncoder


@torch.inference_mode()
def look_at(model: TextGroupModel, encoder: ObjectEncoder, image: Image) -> Scene:
    """The objects of a whole photograph, squashed to each size that the encoder takes. Raises `BrokenImage`."""
    device, picture = next(model.parameters()).device, decode(image)
    masks, looks = None, []
    for size in encoder.sizes:
        pixels = torch.from_numpy(encoder.transform.whole(size)(picture)[None])
        found = encoder.encode(pixels, vectors=True, masks=masks is None)
        assert found.vectors is not None, "they were asked for"
        masks = found.masks if masks is None else masks
        looks.append(model.embed_objects(found.vectors.float().to(device))[0].cpu().numpy())  # (G, E)
    assert masks is not None, "they were asked for"
    return Scene.of(looks, masks[0].float().cpu().numpy())
