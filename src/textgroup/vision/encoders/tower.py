"""A GroupViT that is trained (the paper's open question): pixels to the pooled vector of an image, with gradients.

Its assignments have Gumbel noise in training, as its authors trained it; at first they may be soft, without it (ours:
a small tower from scratch leaves most groups empty otherwise). transformers would draw that noise from the
global generator; here it is `Noise`, a function of (step, caption, place): a chunk that is encoded twice has the same
noise both times, and a resumed run takes the steps of an unbroken one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from textgroup.errors import InputError
from textgroup.model.noise import Noise
from textgroup.model.pretrained import TOWER
from textgroup.vision.encoders.groupvit import authors_transform
from textgroup.vision.encoders.weights import load_frozen, silence_transformers, weights_digest

DEVIATION = 0.02
"""Standard deviation of the initial group tokens and positions (Xu et al., 2022). transformers leaves both at 0, so
that all groups are alike."""


class ImageTower(nn.Module):
    """A `transformers.GroupViTVisionModel` in training. width: D. transform: what it expects done to an image. soft:
    whether a training step shares each patch out among the groups, instead of giving it to one.

    Always in evaluation mode: training mode would only switch on the noise of transformers.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        config: Any = model.config
        self.model = model.requires_grad_(True)
        self.width, self.transform, self.soft = int(config.hidden_size), authors_transform(config), False
        self.eval()

    @classmethod
    def open(cls, where: str, seed: int) -> "ImageTower":
        """Begin with the weights at a directory or Hub name, or from scratch where that is empty.

        From scratch it has the size of the published model. Raises `InputError`.
        """
        from transformers import GroupViTVisionModel

        return cls(load_frozen(GroupViTVisionModel, where, f"trainable:{where}")) if where else cls.random(seed)

    @classmethod
    def random(cls, seed: int, unit_variance: bool = False, **config: Any) -> "ImageTower":
        """Untrained; `config` as `transformers.GroupViTVisionConfig` takes it, the published size by default.

        unit_variance: weights that keep the variance of what passes them, and group tokens as large as what they
        compete for. With `DEVIATION` in a narrow tower all patches go to one group, and stay there.
        """
        from transformers import GroupViTVisionConfig, GroupViTVisionModel

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = GroupViTVisionModel(GroupViTVisionConfig(**config, attn_implementation="eager"))
            for name, parameter in model.named_parameters():
                if name.endswith(("group_token", "position_embeddings")):
                    deviation = DEVIATION if not unit_variance else 1.0 if name.endswith("group_token") else 0.3
                    nn.init.trunc_normal_(parameter, std=deviation, a=-2 * deviation, b=2 * deviation)
                elif unit_variance and parameter.dim() >= 2:
                    nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
        return cls(model)

    def train(self, mode: bool = True) -> "ImageTower":
        """Leave it in evaluation mode; see the class."""
        return super().train(False)

    def forward(self, pixels: Tensor, noise: Noise | None = None, chunk: int | None = None) -> Tensor:
        """Prepared images (B, 3, H, W) -> pooled (B, D), the mean of the object groups.

        noise: of the assignments; None is evaluation. chunk: images whose graph is in memory at once; each is then
        encoded a second time in backward.
        """
        size = chunk or len(pixels)
        if len(pixels) <= size:
            return self._encode(pixels, noise)
        blocks = []
        for a in range(0, len(pixels), size):
            noise_of = None if noise is None else Noise(noise.key, noise.rows[a : a + size])
            encode_again = partial(self._encode, noise=noise_of)
            blocks.append(checkpoint(encode_again, pixels[a : a + size], use_reentrant=False, preserve_rng_state=False))
        return torch.cat(blocks)

    def identity(self) -> dict[str, Any]:
        """As `ObjectEncoder.identity`; its name is where a checkpoint keeps it."""
        return {
            "encoder": f"groupvit:{TOWER}",
            "weights": weights_digest(self.model),
            "transform": self.transform.to_dict(),
        }

    def save(self, checkpoint: Path) -> None:
        """Write it into the directory of a checkpoint."""
        model: Any = self.model
        with silence_transformers():
            model.save_pretrained(checkpoint / TOWER)

    @torch.no_grad()
    def load(self, checkpoint: Path) -> None:
        """Take the weights from the directory of a checkpoint. Raises `InputError`."""
        from transformers import GroupViTVisionModel

        saved = load_frozen(GroupViTVisionModel, str(checkpoint / TOWER), f"groupvit:{checkpoint / TOWER}")
        try:
            self.model.load_state_dict(saved.state_dict())
        except RuntimeError:
            raise InputError(
                f"{checkpoint / TOWER} has another size than this run's tower: start anew in another directory"
            ) from None

    def _encode(self, pixels: Tensor, noise: Noise | None) -> Tensor:
        with self._assignments_of_training(noise):
            output = self.model(pixel_values=pixels.to(next(self.parameters()).dtype))
        return output.last_hidden_state.mean(1)

    @contextmanager
    def _assignments_of_training(self, noise: Noise | None) -> Iterator[None]:
        """Soft assignments, or the noise where transformers in training mode would put its own; None is evaluation."""
        from transformers.models.groupvit.modeling_groupvit import GroupViTAssignAttention

        layers: list[Any] = [layer for layer in self.modules() if isinstance(layer, GroupViTAssignAttention)]
        if noise is not None:
            for number, layer in enumerate(layers):
                plain = layer.get_attn
                layer.get_attn = (
                    partial(_assign_softly, plain)
                    if self.soft
                    else partial(_assign_with_noise, plain, noise, f"objects {number}")
                )
        try:
            yield
        finally:
            for layer in layers if noise is not None else ():
                del layer.get_attn  # the class's own shows again


def _assign_with_noise(
    plain: Any, noise: Noise, name: str, logits: Tensor, gumbel: bool = True, hard: bool = True
) -> Tensor:
    """`GroupViTAssignAttention.get_attn` with noise of ours; its soft maps (gumbel: False) have none."""
    return plain(logits + noise.gumbel(name, *logits.shape[1:]) if gumbel else logits, gumbel, hard)


def _assign_softly(plain: Any, logits: Tensor, gumbel: bool = True, hard: bool = True) -> Tensor:
    """`GroupViTAssignAttention.get_attn` that gives the groups their shares, where it would give all to one."""
    return plain(logits, False, False)
