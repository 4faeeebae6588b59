"""The architecture: text encoder, decoder and heads. The defaults are the paper's (Section 4.1).

The text under each field becomes `textgroup train --help`. `docs/fidelity.md` says which of these the paper
fixes and which are decisions of ours.
"""

from dataclasses import dataclass, field
from typing import Literal

from textgroup.config.check import require, require_sane

WIDEST, DEEPEST = 65_536, 1_000
"""The largest width, length or number of a model, and the most layers of a stack: beyond is a slip of the keyboard."""


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The text encoder: the Text Group Transformer, or the paper's baseline."""

    kind: str = "grouping"
    """How tokens are grouped. grouping: K groups compete for them (Section 2.1.1). dynamic: a router cuts the caption
    into as many groups as it needs (not in the paper). baseline: a causal Transformer, read at <eos> (Section 4.1).
    soft: grouping without the hard assignment of Eq. 3. bottom_up: groups that read the tokens by ordinary attention.
    two_blocks: 2 K groups, then K (footnote 4). equal: K runs of equal length. tokens: no grouping."""
    max_tokens: int = 77
    """Longest caption in tokens, start and end included."""
    width: int = 128
    """Model dimension d."""
    router_width: int = 32
    """Dynamic: width of the router's own token embeddings."""
    router_hidden: int = 64
    """Dynamic: channels of the router's two convolutions."""
    heads: int = 4
    """Attention heads of every self-attention layer."""
    layers_before: int = 6
    """Layers over [tokens ; groups] before the grouping block; dynamic: not used. Baseline: one stack of
    layers_before + layers_after."""
    layers_after: int = 3
    """Layers over the groups after the grouping block."""
    groups: int = 4
    """K, the number of groups (Section 2). Dynamic: the largest number of units that are embedded; what follows
    joins the last. Captions are cut into as many as they have."""
    block: Literal["groupvit", "equations"] = "groupvit"
    """groupvit: GroupViT's grouping block. equations: layer norm and Eq. 1-4 as printed."""
    noise: float = 1.0
    """Scale of the Gumbel noise in training; 1 is Eq. 2."""
    residual: Literal["groups", "none"] = "groups"
    """groups: the block's output is added to the groups that entered it, as in Eq. 4. none: it is not, so that only
    what is assigned reaches the decoder."""
    values: Literal["encoded", "embedded"] = "encoded"
    """What Eq. 4 averages: encoded tokens, or raw token embeddings with their positions (V(t) as printed)."""
    assign_eps: float | None = None
    """Added to the normaliser of Eq. 4. Null: 1.0 for block groupvit, 0.0 for equations (an empty group stays 0)."""
    word_dropout: float = 0.0
    """Share of the caption's tokens that training hides from the encoder; start and end of text are never hidden."""
    positions: Literal["random", "smooth"] = "random"
    """Initial values of the learned positions. random: as GroupViT. smooth: sinusoids, alike for neighbours."""
    mask_padding: bool = True
    """False: captions are padded to max_tokens and the padding takes part, as in GroupViT's code."""

    def __post_init__(self) -> None:
        require_sane(self, "model.encoder.", WIDEST)
        for name in ("max_tokens", "width", "router_width", "router_hidden", "heads", "groups"):
            require(
                getattr(self, name) >= 1,
                f"model.encoder.{name} must be at least 1, not {getattr(self, name)}",
            )
        for name in ("layers_before", "layers_after"):
            require(
                0 <= getattr(self, name) <= DEEPEST,
                f"model.encoder.{name} must be at least 0 and at most {DEEPEST:,}, not {getattr(self, name)}",
            )
        require(
            self.width % self.heads == 0,
            f"model.encoder.width {self.width} must be a multiple of model.encoder.heads {self.heads}",
        )
        require(self.max_tokens >= 3, f"model.encoder.max_tokens must be at least 3, not {self.max_tokens}")
        require(self.noise >= 0, f"model.encoder.noise must not be negative: {self.noise}")
        require(0 <= self.word_dropout < 1, f"model.encoder.word_dropout must be in 0..1, not {self.word_dropout}")
        if self.assign_eps is not None:
            require(self.assign_eps >= 0, f"model.encoder.assign_eps must not be negative: {self.assign_eps}")


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """The text decoder (Section 2.2.2)."""

    layers: int = 1
    """Transformer decoder layers: causal self-attention, then cross-attention to the groups."""
    heads: int = 1
    """Heads of both attentions."""
    direction: Literal["left_to_right", "right_to_left"] = "left_to_right"
    """Order in which the caption is written."""
    bottleneck: int | None = None
    """Width of a bottleneck that each group passes before the decoder reads it. Null: no bottleneck."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise on the layer-normed group in training."""
    word_dropout: float = 0.0
    """Share of its own input tokens that training hides from the decoder, so that it has to use the groups (Bowman et
    al., 2015)."""

    def __post_init__(self) -> None:
        require_sane(self, "model.decoder.", WIDEST)
        require(
            1 <= self.layers <= DEEPEST,
            f"model.decoder.layers must be at least 1 and at most {DEEPEST:,}, not {self.layers}",
        )
        require(self.heads >= 1, f"model.decoder.heads must be at least 1, not {self.heads}")
        require(self.noise >= 0, f"model.decoder.noise must not be negative: {self.noise}")
        require(
            self.bottleneck is None or self.bottleneck >= 1,
            f"model.decoder.bottleneck must be at least 1, not {self.bottleneck}",
        )
        require(
            0 <= self.word_dropout <= 1,
            f"model.decoder.word_dropout must be in 0..1, not {self.word_dropout}",
        )


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The whole trainable model."""

    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    """The text encoder."""
    decoder: DecoderConfig | None = field(default_factory=DecoderConfig)
    """The text decoder; null trains without the reconstruction loss."""
    embedding: int = 256
    """Dimension of the space that both linear heads map into."""
    image_dropout: float = 0.0
    """Dropout on an image's features in training."""

    def __post_init__(self) -> None:
        require_sane(self, "model.", WIDEST)
        require(self.embedding >= 1, f"model.embedding must be at least 1, not {self.embedding}")
        require(0 <= self.image_dropout < 1, f"model.image_dropout must be in 0..1, not {self.image_dropout}")
        require(
            self.decoder is None or self.encoder.width % self.decoder.heads == 0,
            f"model.encoder.width {self.encoder.width} must be a multiple of model.decoder.heads",
        )
