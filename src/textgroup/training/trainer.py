"""One training run, from a configuration to a checkpoint. The loop is `train`; read it like Section 4.1."""

import copy
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from textgroup.config import RunConfig
from textgroup.data.captions import Batch, CaptionData, Chunk
from textgroup.data.cooccurrence import cooccurrence
from textgroup.data.statistics import cohesion
from textgroup.errors import InputError
from textgroup.evaluation.retrieval import Retrieval
from textgroup.evaluation.retrieval import evaluate as evaluate_retrieval
from textgroup.keys import key_of
from textgroup.model.dynamic import DynamicGroupTransformer
from textgroup.model.pretrained import TOWER, load_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.tokenizer import CaptionTokenizer
from textgroup.training import checkpoint, distributed, gradcache, joint, teaching
from textgroup.training.log import RunLog
from textgroup.training.losses import Losses, compute
from textgroup.training.memory import give_back
from textgroup.training.monitor import watch
from textgroup.training.optim import adamw, learning_rate, total_steps
from textgroup.training.progress import Meter, Progress
from textgroup.vision.manifest import check_same_encoder
from textgroup.vision.tower import ImageTower


@dataclass(frozen=True)
class Inputs:
    """What a run trains on, read and checked.

    image_encoder: identity of the frozen encoder that made the features. tower: the one to begin with, where it is
    trained; then the captions have photographs for features.
    """

    tokenizer: CaptionTokenizer
    train: CaptionData
    val: CaptionData | None = None
    image_encoder: dict[str, Any] | None = None
    tower: ImageTower | None = None


def build_model(config: RunConfig, inputs: Inputs) -> TextGroupModel:
    """A fresh model for these inputs: the vocabulary is the tokenizer's, the image width the features'.

    With a trained tower, they are what it gives before the first step.
    """
    torch.manual_seed(config.seed)
    sample = None if inputs.train.pooled is None else joint.sample(inputs.tower, inputs.train.pooled)
    encoder = replace(config.model.encoder, vocabulary=len(inputs.tokenizer), max_tokens=inputs.tokenizer.max_tokens)
    architecture = replace(
        config.model,
        encoder=encoder,
        decoder=config.model.decoder if config.loss.reconstruction else None,
        image_width=None if sample is None else sample.shape[1],
    )
    model = TextGroupModel(**vars(architecture), image_encoder=inputs.image_encoder)
    if sample is not None:
        model.standardise_images(sample.mean(dim=0), sample.std(dim=0).clamp_min(1e-3))
    if isinstance(model.encoder, DynamicGroupTransformer):
        teaching.begin(model.encoder.router, inputs.train, inputs.tokenizer)
        if sample is not None:  # images are few beside what the captions alone say of words
            model.encoder.spread(cooccurrence(inputs.train, len(inputs.tokenizer), encoder.width, config.seed))
    return model


def train(
    config: RunConfig,
    inputs: Inputs,
    *,
    resume: bool = False,
    device: torch.device | str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> TextGroupModel:
    """Run the whole schedule and return the trained model, in evaluation mode.

    Writes `config.out` (see `checkpoint`). With `resume`, goes on from its newest checkpoint: batches and
    noise depend on (seed, step) alone, so a resumed run takes the steps that an unbroken one would have taken.
    `progress` is called after every step. SIGINT and SIGTERM end the run after the step in hand, with a
    checkpoint; `Stopped` is raised. Among several processes (`distributed.joined`) each trains on its share of every
    batch, and process 0 alone logs, validates, saves and reports.
    """
    run = Path(config.out)
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    share = (distributed.rank(), distributed.ranks())
    size, chunk, seed = config.optim.batch_size, config.optim.chunk, config.seed
    if config.loss.paraphrase:
        inputs = replace(inputs, train=_in_pairs(inputs.train))
    most = min(size, len(inputs.train) * inputs.train.each)
    if most < share[1]:
        raise InputError(f"{share[1]} processes for batches of {most} captions: start fewer")
    model, tower = build_model(config, inputs).to(place), copy.deepcopy(inputs.tower)
    trained = joint.trained(model, tower).to(place)
    optimizer = adamw(trained, config.optim)
    first = _resume(run, model, optimizer, inputs, tower) if resume else 0
    distributed.equalise(trained)
    per_epoch = inputs.train.steps_per_epoch(size)
    steps = total_steps(per_epoch, config.optim)
    refits = {round(part * steps) for part in config.loss.refit} if config.loss.views else set()
    firm = None
    if config.loss.contiguity:
        firm = torch.from_numpy(cohesion(inputs.train, len(inputs.tokenizer))).to(place)

    with _log(run, config, resumed_at=first if resume else None) as log, _stop_signals() as stop:
        meter, report = Meter(), Progress(model, first, steps, {}, 0.0)
        for step in range(first, steps):
            if step in refits:
                _refit(model, inputs.train, config)
            batch = to_device(inputs.train.batch(step, size, seed, chunk, share), place)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, per_epoch, config.optim)
            losses = take_step(model, optimizer, batch, config, key_of(seed, step), firm, tower)
            meter.add(losses, batch.whole or batch.size)

            done = step + 1
            if done == steps and done in refits:
                _refit(model, inputs.train, config)
            final = done == steps or distributed.any_of(stop.asked)
            saves = done % config.log.save_every == 0 or final
            logs = step == first or done % config.log.every == 0 or saves
            report = Progress(model, done, steps, report.losses, report.captions_per_second)
            if logs:
                report.losses, report.captions_per_second = _read(meter, done)
                meter = Meter()
                give_back()
            if log is not None:
                if logs:
                    _look_closer(report, batch, inputs, config, firm, tower)
                    log.write(report, optimizer.param_groups[0]["lr"])
                if saves:
                    checkpoint.save(run, done, model, inputs.tokenizer, optimizer, tower)
                progress(report)
            if final and done < steps:
                raise Stopped(f"stopped at step {done} of {steps}; {run} is saved: go on with --resume")
    return model.eval()


def take_step(
    model: TextGroupModel,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: RunConfig,
    key: int,
    cohesion: Tensor | None = None,
    tower: ImageTower | None = None,
) -> Losses:
    """One step of the optimiser on a batch; arguments as in `losses.compute`. Weights and optimiser are changed.

    tower: trained with the model; None is a frozen encoder, whose vectors are in the batch.
    """
    chunk = config.optim.chunk
    at_once = chunk is None or chunk * distributed.ranks() >= config.optim.batch_size
    model.train()
    optimizer.zero_grad(set_to_none=True)
    with joint.encoded(tower, batch, key, None if at_once else chunk) as seen:
        if at_once:
            losses = compute(model, seen, config.loss, key, cohesion)
            losses.total.backward()
        else:
            losses = gradcache.backward(model, seen, config.loss, key, cohesion)
    trained = joint.trained(model, tower)
    distributed.add_gradients(trained)
    nn.utils.clip_grad_norm_(trained.parameters(), config.optim.clip)
    optimizer.step()
    return losses


def _read(meter: Meter, done: int) -> tuple[dict[str, float], float]:
    """Mean losses and captions per second since the last line of the log. NaN ends the run, in all processes."""
    losses = meter.means()
    if not math.isfinite(losses["total"]):
        raise InputError(f"the loss became {losses['total']} by step {done}: lower optim.lr, --resume")
    return losses, meter.captions_per_second()


def _look_closer(
    report: Progress,
    batch: Batch,
    inputs: Inputs,
    config: RunConfig,
    firm: Tensor | None,
    tower: ImageTower | None,
) -> None:
    """Add monitors, warnings and, when it is time, the validation to the report."""
    model, done = report.model, report.step
    report.monitors = watch(model.eval(), batch)
    if done > config.optim.warmup_epochs * inputs.train.steps_per_epoch(config.optim.batch_size):
        report.warnings = report.monitors.warnings(model.groups)  # before that, nothing can have formed
    if inputs.val is not None and (done % config.log.eval_every == 0 or done == report.steps):
        report.validation = validate(model, joint.encoded_data(tower, inputs.val), config, firm)


class Stopped(Exception):
    """The run was asked to stop and has saved itself."""


@torch.no_grad()
def validate(
    model: TextGroupModel, data: CaptionData, config: RunConfig, firm: Tensor | None = None
) -> dict[str, float]:
    """Noise-free losses over a data set, a mean over its captions, and retrieval where there are images."""
    model.eval()
    place = next(model.parameters()).device
    size = min(config.optim.batch_size, len(data))
    found = []
    for step in range(data.steps_per_epoch(size)):
        batch = data.batch(step, size, config.seed, config.optim.chunk)
        found.append(compute(model, to_device(batch, place), config.loss, None, firm))
    result = {
        name: torch.stack([getattr(losses, name) for losses in found]).mean().item()
        for name in Losses._fields
        if getattr(found[0], name) is not None
    }
    if data.pooled is not None and model.image_head is not None:
        result |= retrieval_figures(evaluate_retrieval(model, data))
    return {f"val_{name}": value for name, value in result.items()}


def retrieval_figures(found: Retrieval) -> dict[str, float]:
    """Recall at 1, 5, 10 in both directions, by name."""
    return {
        f"{direction}_r{k}": getattr(recall, f"r{k}")
        for direction, recall in (("i2t", found.image_to_text), ("t2i", found.text_to_image))
        for k in (1, 5, 10)
    }


def to_device(batch: Batch, place: torch.device) -> Batch:
    """Move a batch."""

    def move(x: Tensor) -> Tensor:
        return x.to(place, non_blocking=True)

    chunks = [Chunk(move(chunk.ids), move(chunk.mask)) for chunk in batch.chunks]
    image, rows, objects, pairs = (
        None if x is None else move(x) for x in (batch.image, batch.rows, batch.objects, batch.pairs)
    )
    return Batch(chunks, image, rows, batch.whole, objects, pairs)


def _in_pairs(data: CaptionData) -> CaptionData:
    """The data set with two captions of each image in a batch; of an image that has but one, the same twice."""
    if data.pooled is None:
        raise InputError("loss.paraphrase compares two captions of an image: give data.features, or set it to 0")
    if len(data.starts) == len(data.first):
        raise InputError("loss.paraphrase compares two captions of an image, and no image has two: set it to 0")
    return replace(data, each=2)


def _refit(model: TextGroupModel, data: CaptionData, config: RunConfig) -> None:
    assert isinstance(model.encoder, DynamicGroupTransformer), "only a dynamic encoder has two views"
    teaching.refit(model.encoder.router, data, config.seed)
    distributed.equalise(model)  # a GPU adds up in any order


def _log(run: Path, config: RunConfig, resumed_at: int | None) -> RunLog | nullcontext[None]:
    """The log, in process 0."""
    return RunLog(run, config, resumed_at) if distributed.rank() == 0 else nullcontext()


@dataclass
class _Stop:
    by: set[int] = field(default_factory=set)

    @property
    def asked(self) -> bool:
        return bool(self.by)


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Turn SIGINT and SIGTERM into a flag that the loop reads between two steps."""
    stop = _Stop()
    before = {}

    def ask(number: int, _: object) -> None:
        if number in stop.by:  # the same twice: at once (torchrun sends SIGTERM after the terminal's SIGINT)
            raise KeyboardInterrupt
        stop.by.add(number)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, ask)
    except ValueError:  # not the main thread: signals are not ours to take
        pass
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _resume(
    run: Path, model: TextGroupModel, optimizer: torch.optim.Optimizer, inputs: Inputs, tower: ImageTower | None
) -> int:
    """Load the newest checkpoint of a run into model, tower and optimiser; the number of steps it has done."""
    saved = checkpoint.newest(run)
    if saved is None:
        raise InputError(f"{run} has no checkpoint to resume from: start it without --resume")
    if (saved / TOWER).is_dir() != (tower is not None):
        was, now = ("frozen", "trainable") if tower else ("trainable", "frozen")
        raise InputError(f"{saved} was trained with a {was} image_encoder, not a {now} one: start anew elsewhere")
    old, tokenizer = load_model(saved)
    if tokenizer.merges != inputs.tokenizer.merges:
        raise InputError(f"{saved} was trained with another tokenizer than this run's: start anew in another directory")
    try:
        model.load_state_dict(old.state_dict())
    except RuntimeError:
        raise InputError(f"{saved} has another architecture than this run's: start anew in another directory") from None
    if old.image_encoder and inputs.image_encoder:
        check_same_encoder(old.image_encoder, inputs.image_encoder, str(saved), "data.features")
    if tower is not None:
        tower.load(saved)
    return checkpoint.load_state(saved, optimizer)
