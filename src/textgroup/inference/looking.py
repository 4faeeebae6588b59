"""A photograph through the image encoder and the model, by PyTorch; what follows is in `scene.py`."""

import torch

from textgroup.inference.given_images import Image
from textgroup.inference.scene import Scene
from textgroup.model.textgroup import TextGroupModel
from textgroup.vision.decode import decode
from textgroup.vision.encoders.objects import ObjectEncoder, Objects


@torch.inference_mode()
def look_at(model: TextGroupModel, encoder: ObjectEncoder, image: Image) -> Scene:
    """The objects of a whole photograph, squashed to each size that the encoder takes. Raises `BrokenImage`."""
    device, picture = next(model.parameters()).device, decode(image)
    looks: list[Objects] = []
    for side in encoder.sizes:
        pixels = torch.from_numpy(encoder.transform.whole(side)(picture)[None])
        looks.append(encoder.encode(pixels, vectors=True, masks=not looks))
    vectors = [look.vectors for look in looks if look.vectors is not None]  # all: they were asked for
    embedded = [model.embed_objects(one.float().to(device))[0].cpu().numpy() for one in vectors]
    masks = looks[0].masks
    assert masks is not None, "they were asked for"
    return Scene.of(embedded, masks[0].float().cpu().numpy())
