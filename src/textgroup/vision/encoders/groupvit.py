"""GroupViT (arXiv 2202.11094), the image encoder of the paper, frozen: its output groups are the objects.

Through transformers' `GroupViTVisionModel`, whose outputs equal those of the authors' code at evaluation. In
training mode it would add Gumbel noise to its assignments: here it is never in training mode.
"""

from typing import Any

import torch
from torch import Tensor, nn

from textgroup.devices import pick_device
from textgroup.errors import InputError
from textgroup.vision.encoders.objects import Objects
from textgroup.vision.encoders.weights import freeze, load_frozen, weights_digest
from textgroup.vision.preprocess import IMAGENET_MEAN, IMAGENET_STD, Transform

PUBLISHED = "nvidia/groupvit-gcc-yfcc"
"""Hub name of the weights trained on CC12M and YFCC14M."""


class GroupViT:
    """An `ObjectEncoder`; the published model has 8 groups of width 384 for images of 224 pixels.

    Images are prepared as the authors did: shorter side to 256 (bilinear), centre crop 224, ImageNet mean and
    standard deviation. The preprocessor on the Hub has CLIP's, which these weights were not trained with.
    """

    published = PUBLISHED

    def __init__(
        self, name: str, model: nn.Module, resize: int | None = None, device: str | None = None, squash: bool = False
    ) -> None:
        config: Any = model.config
        self.name, self.width, self.objects = name, int(config.hidden_size), int(config.num_output_groups[-1])
        self._patch = _side_length(config.patch_size)
        self.transform = authors_transform(config, resize)
        if squash:
            self.transform = self.transform.whole(self.transform.crop)
        self.sizes: tuple[int, ...] = (self.transform.crop,)
        self._device = pick_device(device)
        self._model = freeze(model).to(self._device)
        self._digest: str | None = None

    @staticmethod
    def transformers_class(where: str) -> Any:
        """See `OpenableEncoder.transformers_class`."""
        from transformers import GroupViTVisionModel

        return GroupViTVisionModel

    @classmethod
    def open(
        cls, where: str, resize: int | None = None, device: str | None = None, size: int | None = None
    ) -> "GroupViT":
        """Open a directory or a Hub name, of a whole GroupViT or its vision tower; see `open.open_encoder`."""
        name = "groupvit" if where == PUBLISHED else f"groupvit:{where}"
        model = load_frozen(cls.transformers_class(where), where, name)
        crop = _side_length(model.config.image_size)  # type: ignore[union-attr]
        if size not in (None, crop):
            raise InputError(f"size {size}: {name} takes {crop} pixels a side and no other size")
        return cls(name, model, resize, device, squash=size is not None)

    @classmethod
    def random(cls, seed: int, device: str = "cpu", **config: Any) -> "GroupViT":
        """Untrained; `config` as `transformers.GroupViTVisionConfig` takes it. For tests and trials."""
        from transformers import GroupViTVisionConfig, GroupViTVisionModel

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = GroupViTVisionModel(GroupViTVisionConfig(**config, attn_implementation="eager"))
            for name, parameter in model.named_parameters():
                if name.endswith("group_token"):  # zeros otherwise: all groups of a stage alike
                    nn.init.normal_(parameter)
        return cls(f"groupvit:random({seed})", model, device=device)

    def identity(self) -> dict[str, Any]:
        """See `ObjectEncoder.identity`."""
        self._digest = self._digest or weights_digest(self._model)
        return {"encoder": self.name, "weights": self._digest, "transform": self.transform.to_dict()}

    @torch.no_grad()
    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        """See `ObjectEncoder.encode`. The masks of a pixel sum to 1 over the groups."""
        height, width = pixels.shape[-2:]
        if (height, width) != (self.transform.crop, self.transform.crop):
            raise InputError(
                f"pixels are {height} x {width}; {self.name} takes {self.transform.crop} x {self.transform.crop}"
            )
        output = self._model(pixel_values=pixels.to(self._device), output_attentions=masks)
        vectors_out = output.last_hidden_state.to(pixels.device)  # (B, G, D), layer-normed by the model
        regions = None
        if masks:
            soft, *later = output.attentions  # (B, 64, N), then (B, G, 64): how much of each input a group takes
            for attention in later:
                soft = attention @ soft
            grid = soft.unflatten(2, (height // self._patch, width // self._patch))  # (B, G, h, w)
            regions = nn.functional.interpolate(grid, size=(height, width), mode="bilinear").to(pixels.device)
        return Objects(vectors_out if vectors else None, vectors_out.mean(1), regions)


def authors_transform(config: Any, resize: int | None = None) -> Transform:
    """How the authors prepare images for a vision tower with this configuration; see `GroupViT`."""
    crop = _side_length(config.image_size)
    return Transform(resize or round(crop * 256 / 224), crop, IMAGENET_MEAN, IMAGENET_STD)


def _side_length(size: Any) -> int:
    return int(size if isinstance(size, int) else size[0])
