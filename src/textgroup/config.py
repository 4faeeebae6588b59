"""Every number of a run, as frozen dataclasses read from YAML; the defaults are the paper's (Section 4.1).

The text under each field becomes `textgroup train --help`. `docs/fidelity.md` says which of these the paper
fixes and which are decisions of ours.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from textgroup.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise InputError(message)


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The text encoder: the Text Group Transformer, or the paper's baseline."""

    kind: Literal["grouping", "dynamic", "baseline"] = "grouping"
    """grouping: Section 2.1.1. dynamic: as many groups as the caption needs, cut by a router (not in the paper).
    baseline: a vanilla causal Transformer read at <eos> (Section 4.1)."""
    vocabulary: int = 49_408
    """Number of token ids. Training sets it to the tokenizer's."""
    max_tokens: int = 77
    """Longest caption in tokens, start and end included."""
    width: int = 128
    """Model dimension d."""
    router_width: int = 32
    """Dynamic: width of the router's layers and of its token embeddings, which are its own."""
    heads: int = 4
    """Attention heads of every self-attention layer."""
    layers_before: int = 6
    """Layers over [tokens ; groups] before the grouping block; dynamic: layers of the router, each way. The baseline
    has all its layers in one stack."""
    layers_after: int = 3
    """Layers over the groups after the grouping block."""
    groups: int = 4
    """K, the number of groups; fixed (Section 2). Dynamic: the most units that a caption can have."""
    block: Literal["groupvit", "equations"] = "groupvit"
    """groupvit: GroupViT's grouping block. equations: layer norm and Eq. 1-4 as printed."""
    noise: float = 1.0
    """Scale of the Gumbel noise in training; 1 is Eq. 2."""
    residual: Literal["groups", "none"] = "groups"
    """groups: add the groups that entered the block, as Eq. 4. none: only what is assigned passes on."""
    values: Literal["encoded", "embedded"] = "encoded"
    """What Eq. 4 averages: encoded tokens, or raw token embeddings with their positions (V(t) as printed)."""
    assign_eps: float | None = None
    """Added to the normaliser of Eq. 4. Default: 1.0 for groupvit, 0.0 (empty group guarded) for equations."""
    word_dropout: float = 0.0
    """Share of the caption's tokens hidden from the encoder in training; start and end are always shown."""
    positions: Literal["random", "smooth"] = "random"
    """Initial learned positions: random (GroupViT), or sinusoids, so that neighbours begin alike."""
    mask_padding: bool = True
    """False: padding up to max_tokens takes part as in GroupViT's own code."""

    def __post_init__(self) -> None:
        for name in ("vocabulary", "max_tokens", "width", "router_width", "heads", "groups"):
            _check(
                getattr(self, name) >= 1,
                f"model.encoder.{name} must be at least 1, not {getattr(self, name)}",
            )
        for name in ("layers_before", "layers_after"):
            _check(
                getattr(self, name) >= 0,
                f"model.encoder.{name} must be at least 0, not {getattr(self, name)}",
            )
        for name in ("width", "router_width") if self.kind == "dynamic" else ("width",):
            _check(
                getattr(self, name) % self.heads == 0,
                f"model.encoder.{name} {getattr(self, name)} must be a multiple of model.encoder.heads {self.heads}",
            )
        _check(self.max_tokens >= 3, f"model.encoder.max_tokens must be at least 3, not {self.max_tokens}")
        _check(self.noise >= 0, f"model.encoder.noise must not be negative: {self.noise}")
        _check(0 <= self.word_dropout < 1, f"model.encoder.word_dropout must be in 0..1, not {self.word_dropout}")
        if self.assign_eps is not None:
            _check(self.assign_eps >= 0, f"model.encoder.assign_eps must not be negative: {self.assign_eps}")


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """The text decoder (Section 2.2.2)."""

    layers: int = 1
    """Transformer decoder layers: causal self-attention, then cross-attention to the groups."""
    heads: int = 1
    """Heads of both attentions."""
    direction: Literal["left_to_right", "right_to_left"] = "left_to_right"
    """Order in which the caption is written out."""
    bottleneck: int | None = None
    """Width that each group is squeezed through before the decoder sees it; none: the groups as they are."""
    noise: float = 0.0
    """Standard deviation of the Gaussian noise on the (layer-normed) group in training."""
    word_dropout: float = 0.0
    """Share of the decoder's input tokens hidden in training (Bowman et al., 2015): it must ask the groups."""

    def __post_init__(self) -> None:
        _check(self.layers >= 1, f"model.decoder.layers must be at least 1, not {self.layers}")
        _check(self.heads >= 1, f"model.decoder.heads must be at least 1, not {self.heads}")
        _check(self.noise >= 0, f"model.decoder.noise must not be negative: {self.noise}")
        _check(
            self.bottleneck is None or self.bottleneck >= 1,
            f"model.decoder.bottleneck must be at least 1, not {self.bottleneck}",
        )
        _check(
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
    image_width: int | None = 384
    """Width of the image encoder's groups (GroupViT: 384). Null: no heads, no contrastive loss."""
    image_dropout: float = 0.0
    """Share of an image's features dropped in training."""

    def __post_init__(self) -> None:
        _check(self.embedding >= 1, f"model.embedding must be at least 1, not {self.embedding}")
        _check(0 <= self.image_dropout < 1, f"model.image_dropout must be in 0..1, not {self.image_dropout}")
        _check(
            self.decoder is not None or self.image_width is not None or self.encoder.kind == "dynamic",
            "model.decoder and model.image_width are both null: there is nothing to train on; give one of them",
        )
        _check(
            self.decoder is None or self.encoder.width % self.decoder.heads == 0,
            f"model.encoder.width {self.encoder.width} must be a multiple of model.decoder.heads",
        )


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What a run reads."""

    captions: str | list[str] | None = None
    """Training captions, one source or several: tar shards (file, directory, pattern, range, URL, pipe:COMMAND), a
    table, plain text, or Flickr30k Entities (its train split)."""
    features: str | None = None
    """Feature store of the training images (`textgroup features`); null trains on captions alone."""
    val_captions: str | list[str] | None = None
    """The same for validation; null: no validation."""
    val_features: str | None = None
    """Feature store of the validation images."""
    image_column: str = "image"
    """Column of a table that names the image."""
    caption_column: str = "caption"
    """Column of a table that holds the caption."""
    tokens: str | None = None
    """Directory of the tokenised captions, made by the first run that names it, used by all others; null: `tokens` in
    the directory of the run."""

    def __post_init__(self) -> None:
        _check(
            self.val_features is None or self.val_captions is not None,
            "data.val_features is given without data.val_captions: give both",
        )


@dataclass(frozen=True, kw_only=True)
class TokenizerConfig:
    """Where the subwords come from."""

    source: str | None = None
    """CLIP's merges file, a directory with tokenizer.json, or a Hub name; null: learn from data.captions."""
    vocabulary: int = 49_408
    """Ids to learn when source is null."""


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Total loss (Eq. 5): contrastive + reconstruction, and terms of ours that are off by default."""

    reconstruction: float = 1.0
    """Lambda of Eq. 5."""
    written: float = 1.0
    """Share of the captions, drawn anew in each step, that the decoder writes out; Eq. 10 is taken over these.
    The decoder is most of a step's work."""
    temperature: float = 0.07
    """Tau of Eq. 6 and 7; fixed."""
    reduction: Literal["token_mean", "caption_mean", "sum"] = "token_mean"
    """How Eq. 10 adds up the tokens of a batch."""
    balance: float = 0.0
    """Weight of the term that asks for sure assignments and, over the batch, equal groups (not in the paper)."""
    contiguity: float = 0.0
    """Weight of the term that charges for parting neighbours that hold together firmly (not in the paper)."""
    views: float = 0.0
    """Weight of what the router's place view learns from its word view (dynamic encoders; not in the paper)."""
    alignment: float = 0.0
    """Weight of InfoNCE over units against objects (needs stores made with --groups; not in the paper)."""
    paraphrase: float = 0.0
    """Weight of InfoNCE between two captions of an image, both of which are then in the batch (not in the paper)."""
    refit: tuple[float, ...] = (0.5, 1.0)
    """When the word view is taken anew from the place view, as shares of the schedule."""

    def __post_init__(self) -> None:
        _check(0 < self.written <= 1, f"loss.written must be above 0 and at most 1, not {self.written}")
        _check(
            self.written == 1 or self.reduction != "sum",
            f"loss.written {self.written} with loss.reduction sum, which is over all captions: set loss.written to 1",
        )
        _check(
            not (self.paraphrase and self.alignment),
            "loss.paraphrase with loss.alignment: an image that comes twice would be told from itself; set one to 0",
        )
        _check(self.temperature > 0, f"loss.temperature must be positive, not {self.temperature}")
        for name in ("reconstruction", "balance", "contiguity", "views", "alignment", "paraphrase"):
            _check(getattr(self, name) >= 0, f"loss.{name} must not be negative: {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """AdamW with linear warm-up and a cosine; the conventions are GroupViT's where the paper is silent."""

    batch_size: int = 4096
    """Captions (and images) a step, over all processes."""
    chunk: int | None = None
    """Captions in memory at once, in each process (GradCache): any batch size then fits, and the result is the same;
    the encoder reads each caption twice. Null: the whole batch at once."""
    epochs: float = 25
    """Passes over the images (or over the captions, where there are no images)."""
    lr: float = 1.6e-3
    """Peak learning rate."""
    lr_start: float = 4e-6
    """Learning rate at the first step of the warm-up."""
    lr_floor: float = 4e-5
    """Learning rate at the end of the cosine."""
    warmup_epochs: float = 2
    """Length of the linear warm-up."""
    weight_decay: float = 0.05
    """On matrices; none on biases and other vectors."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's betas."""
    clip: float = 5.0
    """Largest gradient norm."""

    def __post_init__(self) -> None:
        _check(self.batch_size >= 1, f"optim.batch_size must be at least 1, not {self.batch_size}")
        _check(self.chunk is None or self.chunk >= 1, f"optim.chunk must be at least 1, not {self.chunk}")
        _check(self.epochs > 0, f"optim.epochs must be positive, not {self.epochs}")
        _check(
            0 <= self.warmup_epochs < self.epochs,
            f"optim.warmup_epochs {self.warmup_epochs} must be below optim.epochs {self.epochs}",
        )
        for name in ("lr", "clip"):
            _check(getattr(self, name) > 0, f"optim.{name} must be positive, not {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class LogConfig:
    """What a run writes. `log.jsonl` is always written."""

    every: int = 20
    """Steps between two lines of the log."""
    eval_every: int = 500
    """Steps between two validations (the last step is always validated)."""
    save_every: int = 500
    """Steps between two checkpoints (the last step is always saved)."""
    tensorboard: bool = False
    """Also write TensorBoard's event files (pip install 'textgroup[tensorboard]')."""
    wandb: str | None = None
    """Also report to this Weights & Biases project (pip install 'textgroup[wandb]')."""

    def __post_init__(self) -> None:
        for name in ("every", "eval_every", "save_every"):
            _check(getattr(self, name) >= 1, f"log.{name} must be at least 1, not {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run."""

    out: str = "runs/textgroup"
    """Directory of the run: config.yaml, log.jsonl and checkpoints; `last` is the newest checkpoint."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """Architecture."""
    data: DataConfig = field(default_factory=DataConfig)
    """Captions and features."""
    image_encoder: str | None = "groupvit:nvidia/groupvit-gcc-yfcc"
    """The encoder that the feature stores must have been made with, as `textgroup features --encoder`. Or `trainable`:
    a GroupViT that is trained too, on the photographs of data.captions, from scratch; `trainable:WHERE`: from the
    weights in a directory or under a Hub name."""
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    """Subwords."""
    loss: LossConfig = field(default_factory=LossConfig)
    """Objectives."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    """Optimisation."""
    log: LogConfig = field(default_factory=LogConfig)
    """Logs and checkpoints."""
    seed: int = 0
    """Seeds weights, order, noise."""

    def __post_init__(self) -> None:
        _check(0 <= self.seed < 2**63, f"seed {self.seed}: it must lie between 0 and 2^63 - 1")
        _check(
            self.trained_tower is None or self.data.features is self.data.val_features is None,
            f"image_encoder {self.image_encoder} reads the photographs of data.captions and data.val_captions: "
            "set data.features and data.val_features to null",
        )
        _check(
            self.trained_tower is None or not self.loss.alignment,
            f"loss.alignment {self.loss.alignment} needs stored object groups, which a trained image_encoder has not: "
            "set it to 0",
        )
        _check(
            not self.loss.paraphrase or self.optim.batch_size % 2 == 0,
            f"optim.batch_size {self.optim.batch_size} with loss.paraphrase: two captions an image make an even number",
        )
        dynamic = self.model.encoder.kind == "dynamic"
        _check(
            dynamic == (self.loss.views > 0),
            f"loss.views {self.loss.views} with model.encoder.kind {self.model.encoder.kind}: "
            "a dynamic encoder needs loss.views above 0, the others have no views",
        )
        _check(
            not dynamic or self.loss.balance == self.loss.contiguity == 0,
            "loss.balance and loss.contiguity are for a fixed number of groups: set them to 0 for a dynamic encoder",
        )

    @property
    def trained_tower(self) -> str | None:
        """Where the weights lie with which the trained image tower begins, "" for nowhere; None: it is frozen."""
        kind, _, where = (self.image_encoder or "").partition(":")
        return where if kind == "trainable" else None


SHIPPED = Path(__file__).parent / "configs"
"""The configurations that come with the package."""


def run_parser(prog: str = "textgroup train") -> "ArgumentParser":
    """The command-line parser of a `RunConfig`: `--config FILE` and one `--option` a field."""
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = ArgumentParser(prog=prog, exit_on_error=False, description=RunConfig.__doc__)
    parser.add_argument("--config", action="config", help="YAML file; what follows on the line overrides it.")
    parser.add_class_arguments(RunConfig, None)
    return parser


def load_run(arguments: Sequence[str]) -> RunConfig:
    """A run from command-line words, such as ["--config", "configs/paper.yaml", "--optim.lr", "1e-3"]."""
    from jsonargparse import ArgumentError

    parser = run_parser()
    try:
        parsed = parser.parse_args(list(arguments))
        parsed.pop("config", None)
        return RunConfig(**parser.instantiate(parsed).as_dict())
    except (ArgumentError, TypeError, ValueError) as error:
        found = error if isinstance(error, InputError) else error.__cause__  # a check of ours, wrapped by the parser
        raise InputError(" ".join(str(found if isinstance(found, InputError) else error).split())) from None


def save_run(config: RunConfig, path: Path) -> None:
    """Write a run as YAML that `--config` reads back."""
    path.write_text(yaml.safe_dump(to_dict(config), sort_keys=False), encoding="utf-8")


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration as plain dicts, lists and numbers."""
    plain = asdict(config)
    return {k: _plain(v) for k, v in plain.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value
