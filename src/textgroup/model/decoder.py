"""The shallow decoder that must write the caption from its groups (Section 2.2.2, Eq. 9)."""

import torch
from torch import Tensor, nn

from textgroup.config.model import DecoderConfig, EncoderConfig
from textgroup.model.layers import DecoderLayer
from textgroup.model.noise import Noise


class TextDecoder(nn.Module):
    """Causal decoder over the caption, with cross-attention to the groups.

    The token embedding is the encoder's (tied), handed in at every call; positions are its own.
    """

    def __init__(self, config: DecoderConfig, encoder: EncoderConfig) -> None:
        super().__init__()
        width = encoder.width
        self.config = config
        self.position = nn.Embedding(encoder.max_tokens, width)
        self.layers = nn.ModuleList(DecoderLayer(width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.bottleneck = Bottleneck(width, config.bottleneck or width, config.noise) if self.narrowed else None

    @property
    def narrowed(self) -> bool:
        """Whether the groups pass a bottleneck of width or of noise."""
        return self.config.bottleneck is not None or self.config.noise > 0

    def forward(
        self,
        ids: Tensor,
        mask: Tensor,
        groups: Tensor,
        present: Tensor,
        embedding: nn.Embedding,
        noise: Noise | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """ids and mask (B, M), groups (B, K, D), present (B, K) True for the groups that the decoder may ask.

        noise: of training; None is evaluation.

        Returns the states (B, M - 1, D) whose product with the embedding are Eq. 9's logits, the ids that they
        are to predict (B, M - 1), and where those are valid (B, M - 1).
        """
        if self.config.direction == "right_to_left":
            ids = reverse(ids, mask)
        if self.bottleneck is not None:
            groups = self.bottleneck(groups, noise)
        x = embedding(ids[:, :-1])
        if noise is not None and self.config.word_dropout:
            keep = noise.uniform("decoder words", x.shape[1]) >= self.config.word_dropout
            keep[:, 0] = True
            x = x * keep.to(x)[:, :, None]
        x = x + self.position.weight[: x.shape[1]]
        for layer in self.layers:
            x = layer(x, groups, present)
        return self.norm(x), ids[:, 1:], mask[:, 1:]


class Bottleneck(nn.Module):
    """A narrow, noisy channel for each group: its capacity in nats is bounded by width and noise."""

    def __init__(self, width: int, narrow: int, noise: float) -> None:
        super().__init__()
        self.noise = noise
        self.down = nn.Linear(width, narrow)
        self.norm = nn.LayerNorm(narrow, elementwise_affine=False)
        self.up = nn.Linear(narrow, width)

    def forward(self, groups: Tensor, noise: Noise | None) -> Tensor:
        """(B, K, D) -> (B, K, D)."""
        code = self.norm(self.down(groups))  # unit variance: the noise is a signal-to-noise ratio
        if noise is not None and self.noise:
            code = code + self.noise * noise.normal("bottleneck", *code.shape[1:]).to(code)
        return self.up(code)


def reverse(ids: Tensor, mask: Tensor) -> Tensor:
    """Each row's valid ids in reverse order; padding stays at the end."""
    position = torch.arange(ids.shape[1], device=ids.device)
    mirrored = (mask.sum(dim=1, keepdim=True) - 1 - position).clamp_min(0)  # (B, M)
    return torch.where(mask, ids.gather(1, mirrored), ids)
