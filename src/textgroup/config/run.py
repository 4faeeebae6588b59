"""One training run: data, tokenizer, losses, optimisation and logs. The defaults are the paper's (Section 4.1)."""

import math
from dataclasses import dataclass, field
from typing import Literal

from textgroup.config.check import require, require_sane
from textgroup.config.model import ModelConfig

LARGEST = 10**9
"""The largest number of a run: beyond is a slip of the keyboard."""


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
    shuffle_images: bool = False
    """A control: each training image keeps its features and is given the captions of another."""
    image_column: str = "image"
    """Column of a table that names the image."""
    caption_column: str = "caption"
    """Column of a table that holds the caption."""
    missing: Literal["stop", "skip"] = "stop"
    """What to do about captions whose image data.features lacks. stop: say so and end. skip: train without them; they
    are counted and named in skipped.jsonl beside the tokens. (Those whose image `textgroup features` had to skip are
    left out in any case.)"""
    tokens: str | None = None
    """Directory of the tokenised captions, made by the first run that names it, used by all others; null: `tokens` in
    the directory of the run."""

    def __post_init__(self) -> None:
        require_sane(self, "data.", LARGEST)
        require(
            self.val_features is None or self.val_captions is not None,
            "data.val_features is given without data.val_captions: give both",
        )


@dataclass(frozen=True, kw_only=True)
class TokenizerConfig:
    """Where the byte-pair encoding comes from."""

    source: str | None = None
    """CLIP's merges file, a directory with tokenizer.json, or a Hub name; null: learn from data.captions."""
    vocabulary: int = 49_408
    """Number of token ids to learn when source is null."""

    def __post_init__(self) -> None:
        require_sane(self, "tokenizer.", LARGEST)
        require(
            self.vocabulary >= 514,
            f"tokenizer.vocabulary must be at least 514 (512 bytes and 2 special ids), not {self.vocabulary}",
        )


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Total loss (Eq. 5): contrastive + reconstruction, and terms of ours that are off by default."""

    reconstruction: float = 1.0
    """Lambda of Eq. 5."""
    written: float = 1.0
    """Share of the captions, drawn in each step, that the decoder reconstructs. The decoder is most of a step's work;
    on average the gradient is that of all captions."""
    temperature: float = 0.07
    """Tau of Eq. 6 and 7; fixed."""
    reduction: Literal["token_mean", "caption_mean", "sum"] = "token_mean"
    """How Eq. 10 adds up the tokens of a batch."""
    balance: float = 0.0
    """Weight of the balance term: sure assignments, and equal groups over the batch (not in the paper)."""
    contiguity: float = 0.0
    """Weight of the contiguity term: neighbouring tokens that cohere stay in one group (not in the paper)."""
    alignment: float = 0.0
    """Weight of InfoNCE between units and objects (needs features made with --groups; not in the paper)."""
    grounding: float = 0.0
    """Weight of InfoNCE with units that attend to objects such as patches (needs features made with --groups; not in
    the paper)."""
    grounded: float = 1.0
    """Share of the captions, drawn in each step, whose units are compared with objects. Objects are most of a step's
    work; on average the gradient is that of all captions."""
    paraphrase: float = 0.0
    """Weight of InfoNCE between two captions of an image; the batch then has two of each image (not in the paper)."""

    def __post_init__(self) -> None:
        require_sane(self, "loss.", LARGEST)
        require(0 < self.written <= 1, f"loss.written must be above 0 and at most 1, not {self.written}")
        require(
            self.written == 1 or self.reduction != "sum",
            f"loss.written {self.written} with loss.reduction sum, which is over all captions: set loss.written to 1",
        )
        require(0 < self.grounded <= 1, f"loss.grounded must be above 0 and at most 1, not {self.grounded}")
        require(
            self.grounded == 1 or not self.alignment,
            f"loss.grounded {self.grounded} with loss.alignment, which is over all captions: set loss.grounded to 1",
        )
        require(
            not (self.paraphrase and self.alignment),
            "loss.paraphrase with loss.alignment: an image that comes twice would be told from itself; set one to 0",
        )
        require(self.temperature > 0, f"loss.temperature must be positive, not {self.temperature}")
        for name in ("reconstruction", "balance", "contiguity", "alignment", "grounding", "paraphrase"):
            require(getattr(self, name) >= 0, f"loss.{name} must not be negative: {getattr(self, name)}")

    @property
    def needs_objects(self) -> str | None:
        """The first term with a weight that compares units with every object of an image; None: there is none."""
        return next((name for name in ("alignment", "grounding") if getattr(self, name)), None)


@dataclass(frozen=True, kw_only=True)
class UnitsConfig:
    """How a dynamic encoder learns to cut captions, before the first step (not in the paper)."""

    teachers: int = 3
    """Teachers that co-train on the captions and cut them together."""
    teacher_steps: int = 500
    """Steps of each teacher, 256 captions each."""
    captions: int = 80_000
    """Captions that are cut for each of two routers to learn from, in thousands rounded down; at least one thousand, or
    all that there are. The teachers cut them for the first, and together with it for the second, which is kept."""
    steps: int = 1_000
    """Steps of each router, 256 captions each."""
    translations: list[str] | None = None
    """Sources of captions that say the same in several languages, one language each: caption n of each is that of the
    first, translated. All but the first are sources of data.captions too. They are cut as those of the first are, so
    let that be the language with most captions. Some 3 GB of memory for 100,000 captions. Null: every caption is cut by
    what its own language says."""

    def __post_init__(self) -> None:
        require_sane(self, "units.", LARGEST)
        for name in ("teachers", "teacher_steps", "captions", "steps"):
            require(getattr(self, name) >= 1, f"units.{name} must be at least 1, not {getattr(self, name)}")
        require(
            self.translations is None or len(self.translations) > 1,
            f"units.translations {self.translations} has one source: give those of two languages at least, or null",
        )


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """AdamW with linear warm-up and a cosine; the conventions are GroupViT's where the paper is silent."""

    batch_size: int = 4096
    """Captions (and images) in a step, over all processes."""
    chunk: int | None = None
    """Captions in memory at once in each process (GradCache). Any batch size then fits, with the same result; the
    encoder reads each caption twice. Null: the whole batch at once."""
    epochs: float = 25
    """Passes over the images (or over the captions, where there are no images)."""
    lr: float = 1.6e-3
    """Peak learning rate."""
    lr_start: float = 4e-6
    """Learning rate at the first step of the warm-up."""
    lr_floor: float = 4e-5
    """Learning rate at the end of the cosine."""
    tower_lr: float = 1.0
    """Learning rate of an image tower that is trained too, as a share of lr. A small tower from scratch needs less:
    else all images get one vector before the text can tell them apart."""
    tower_soft: float = 0.0
    """Share of the steps, from the first, in which the patches of a trained image tower are shared out among its
    groups, before each goes to one of them. A small tower from scratch needs it: else most of its groups stay empty."""
    warmup_epochs: float = 2
    """Length of the linear warm-up; at most half of the run."""
    weight_decay: float = 0.05
    """Weight decay of matrices. Biases and other vectors have none."""
    clip: float = 5.0
    """Largest gradient norm."""

    def __post_init__(self) -> None:
        require_sane(self, "optim.", LARGEST)
        require(self.batch_size >= 1, f"optim.batch_size must be at least 1, not {self.batch_size}")
        require(self.chunk is None or self.chunk >= 1, f"optim.chunk must be at least 1, not {self.chunk}")
        require(self.epochs > 0, f"optim.epochs must be positive, not {self.epochs}")
        for name in ("lr_start", "lr_floor", "warmup_epochs", "weight_decay"):
            require(getattr(self, name) >= 0, f"optim.{name} must not be negative: {getattr(self, name)}")
        for name in ("lr", "clip", "tower_lr"):
            require(getattr(self, name) > 0, f"optim.{name} must be positive, not {getattr(self, name)}")
        require(0 <= self.tower_soft <= 1, f"optim.tower_soft must be between 0 and 1, not {self.tower_soft}")


@dataclass(frozen=True, kw_only=True)
class LogConfig:
    """What a run logs and saves. `log.jsonl` is always written."""

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
        require_sane(self, "log.", LARGEST)
        for name in ("every", "eval_every", "save_every"):
            require(getattr(self, name) >= 1, f"log.{name} must be at least 1, not {getattr(self, name)}")


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
    """The encoder that made the feature stores, as in `textgroup features --encoder`. `trainable`: a GroupViT that is
    trained from scratch too, on the photographs of data.captions; `trainable:WHERE`: from the weights in a directory or
    under a Hub name."""
    router: str | None = None
    """Dynamic encoders: a checkpoint (directory, Hub name, `packaged` or `multilingual`) whose router and
    tokenizer are taken, so that captions are cut as it cuts them, and not trained; null: the router is trained."""
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    """Byte-pair encoding."""
    units: UnitsConfig = field(default_factory=UnitsConfig)
    """Dynamic encoders: how the router is trained."""
    loss: LossConfig = field(default_factory=LossConfig)
    """Objectives."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    """Optimisation."""
    log: LogConfig = field(default_factory=LogConfig)
    """Logs and checkpoints."""
    seed: int = 0
    """Seed of weights, order and noise."""

    def __post_init__(self) -> None:
        require_sane(self, "", math.inf)
        require(0 <= self.seed < 2**63, f"seed {self.seed}: it must lie between 0 and 2^63 - 1")
        require(
            self.trained_tower is None or self.data.features is self.data.val_features is None,
            f"image_encoder {self.image_encoder} reads the photographs of data.captions and data.val_captions: "
            "set data.features and data.val_features to null",
        )
        require(
            self.trained_tower is None or not self.loss.needs_objects,
            f"loss.{self.loss.needs_objects} needs stored object groups, which a trained image_encoder has not: "
            "set it to 0",
        )
        require(
            self.router is None or self.tokenizer.source is None,
            f"router {self.router} brings its own tokenizer: set tokenizer.source to null",
        )
        require(
            self.router is None or self.units.translations is None,
            f"router {self.router} has learned to cut already: set units.translations to null",
        )
        given = [self.data.captions] if isinstance(self.data.captions, str) else self.data.captions or []
        for source in (self.units.translations or [])[1:]:
            require(
                source in given,
                f"units.translations {source} is not in data.captions: add it there, or set units.translations to null",
            )
        require(
            not self.loss.paraphrase or self.optim.batch_size % 2 == 0,
            f"optim.batch_size {self.optim.batch_size} with loss.paraphrase: two captions an image make an even number",
        )

    @property
    def trained_tower(self) -> str | None:
        """Where the weights lie with which the trained image tower begins, "" for nowhere; None: it is frozen."""
        kind, _, where = (self.image_encoder or "").partition(":")
        return where if kind == "trainable" else None
