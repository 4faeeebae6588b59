"""One training run, from a configuration to a checkpoint. The loop is `train`; read it beside Section 4.1."""

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from textgroup.config.run import RunConfig
from textgroup.data.batches import Batch
from textgroup.data.captions import CaptionData
from textgroup.data.statistics.entropy import cohesion
from textgroup.devices import pick_device
from textgroup.errors import InputError
from textgroup.keys import key_of
from textgroup.model.textgroup import TextGroupModel
from textgroup.training import distributed
from textgroup.training.build import Inputs, build_model
from textgroup.training.exactness import gradcache, joint
from textgroup.training.objectives.contract import Losses, Objective
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.optim import adamw, learning_rate, set_learning_rate, total_steps, warmup_steps
from textgroup.training.placement import to_device
from textgroup.training.runs import checkpoint
from textgroup.training.runs.directory import open_run
from textgroup.training.runs.health import bad_step
from textgroup.training.runs.log import RunLog
from textgroup.training.runs.memory import trim_memory
from textgroup.training.runs.monitor import monitor
from textgroup.training.runs.progress import Meter, Progress
from textgroup.training.runs.resume import load_checkpoint
from textgroup.training.signals import stop_signals
from textgroup.training.validation import validate
from textgroup.vision.encoders.tower import ImageTower


class Stopped(Exception):
    """The run was asked to stop and has saved itself."""


def train(
    config: RunConfig,
    inputs: Inputs,
    *,
    resume: bool = False,
    device: torch.device | str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> TextGroupModel:
    """Run the whole schedule and return the trained model, in evaluation mode.

    Writes `config.out` (see `runs/checkpoint.py`), which no other process may write meanwhile (`runs/directory.py`).
    With `resume`, goes on from its newest checkpoint, or begins where there is none: batches and noise depend on
    (seed, step) alone, so a resumed run takes the steps that an unbroken one would have taken. `progress` is called
    after every step. SIGINT and SIGTERM end the run after the step in hand, with a checkpoint; `Stopped` is raised.
    Among several processes (`distributed.join_processes`) each trains on its share of every batch, and process 0 alone
    logs, validates, saves and reports.
    """
    with open_run(config, resume=resume):
        return train_opened(config, inputs, device=device, progress=progress)


def train_opened(
    config: RunConfig,
    inputs: Inputs,
    *,
    device: torch.device | str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> TextGroupModel:
    """`train` in a directory that the caller holds with `open_run`."""
    run = Path(config.out)
    device = pick_device(device)
    share = (distributed.rank(), distributed.world_size())
    size, chunk, seed = config.optim.batch_size, config.optim.chunk, config.seed
    if config.data.shuffle_images:
        inputs = replace(inputs, train=inputs.train.with_shuffled_images(config.seed))
    if config.loss.paraphrase:
        inputs = replace(inputs, train=_two_captions_an_image(inputs.train))
    batch_captions = min(size, len(inputs.train) * inputs.train.per_item)
    if batch_captions < share[1]:
        raise InputError(f"{share[1]} processes for batches of {batch_captions} captions: start fewer")
    saved = checkpoint.newest_checkpoint(run)
    learns = saved is None and distributed.rank() == 0  # the others are given what it learned
    model, tower = build_model(config, inputs, learn=learns).to(device), copy.deepcopy(inputs.tower)
    trained = joint.trained_modules(model, tower).to(device)
    optimizer = adamw(model, config.optim, tower)
    data = inputs.digest()
    first = 0 if saved is None else load_checkpoint(saved, model, optimizer, inputs, tower, data)
    distributed.broadcast_state(trained)
    per_epoch = inputs.train.steps_per_epoch(size)
    steps = total_steps(per_epoch, config.optim) if model.decoder or model.image_head else 0  # 0: the router is all
    objectives = _objectives(config, inputs, device)

    log_file = RunLog(run, config, first if saved else None) if distributed.rank() == 0 else nullcontext()
    with log_file as log, stop_signals() as stop:
        meter, report = Meter(), Progress(model, first, steps, {}, 0.0)
        if not steps and log is not None and saved is None:
            log.write(report, 0.0)
            checkpoint.save(run, 0, model, inputs.tokenizer, optimizer, tower, data)
        for step in range(first, steps):
            batch = to_device(inputs.train.batch(step, size, seed, chunk, share), device)
            set_learning_rate(optimizer, learning_rate(step, per_epoch, config.optim))
            if tower is not None:
                tower.soft = step < config.optim.tower_soft * steps
            losses, norm = take_step(model, optimizer, batch, config, objectives, key_of(seed, step), tower)
            meter.add(step, losses, norm, batch.total or batch.size)

            done = step + 1
            final = done == steps or distributed.any_rank(stop.is_set)
            saves = done % config.log.save_every == 0 or final
            logs = step == first or done % config.log.every == 0 or saves
            report = Progress(model, done, steps, report.losses, report.captions_per_second)
            if logs:
                if (bad := meter.first_bad_step()) is not None:  # the same in all processes
                    raise bad_step(bad, config, inputs)
                report.losses, report.captions_per_second = meter.means(), meter.captions_per_second()
                meter = Meter()
                trim_memory()
            if log is not None:
                if logs:
                    _monitor_and_validate(report, batch, inputs, config, objectives, tower)
                    log.write(report, optimizer.param_groups[0]["lr"])
                if saves:
                    checkpoint.save(run, done, model, inputs.tokenizer, optimizer, tower, data)
                progress(report)
            if final and done < steps:
                raise Stopped(f"stopped at step {done} of {steps}; {run} is saved: go on with --resume")
    return model.eval()


def take_step(
    model: TextGroupModel,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: RunConfig,
    objectives: Sequence[Objective],
    key: int,
    tower: ImageTower | None = None,
) -> tuple[Losses, Tensor]:
    """One step of the optimiser on a batch; arguments as in `total.compute`. Weights and optimiser are changed.

    Returns the losses and the norm of the gradient, before it was clipped.

    tower: trained with the model; None is a frozen encoder, whose vectors are in the batch.
    """
    chunk = config.optim.chunk
    at_once = chunk is None or chunk * distributed.world_size() >= config.optim.batch_size
    model.train()
    optimizer.zero_grad(set_to_none=True)
    with joint.encode_photographs(tower, batch, key, None if at_once else chunk) as encoded:
        if at_once:
            losses = compute(model, encoded, objectives, key)
            losses.total.backward()
        else:
            losses = gradcache.backward(model, encoded, objectives, key)
    trained = joint.trained_modules(model, tower)
    distributed.reduce_gradients(trained)
    norm = nn.utils.clip_grad_norm_(trained.parameters(), config.optim.clip)
    optimizer.step()
    return losses, norm


def _objectives(config: RunConfig, inputs: Inputs, device: torch.device) -> list[Objective]:
    """The terms of the loss. Contiguity weighs neighbours by the cohesion that is counted on the training captions."""
    if not config.loss.contiguity:
        return objectives_for(config.loss)
    return objectives_for(config.loss, torch.from_numpy(cohesion(inputs.train, len(inputs.tokenizer))).to(device))


def _two_captions_an_image(data: CaptionData) -> CaptionData:
    """The data set with two captions of each image in a batch; of an image that has but one, the same twice."""
    if data.pooled is None:
        raise InputError("loss.paraphrase compares two captions of an image: give data.features, or set it to 0")
    if len(data.starts) == len(data.first):
        raise InputError("loss.paraphrase compares two captions of an image, and no image has two: set it to 0")
    return replace(data, per_item=2)


def _monitor_and_validate(
    report: Progress,
    batch: Batch,
    inputs: Inputs,
    config: RunConfig,
    objectives: Sequence[Objective],
    tower: ImageTower | None,
) -> None:
    """Add monitors, warnings and, when it is time, the validation to the report."""
    model, done = report.model, report.step
    report.monitors = monitor(model.eval(), batch)
    if done > warmup_steps(inputs.train.steps_per_epoch(config.optim.batch_size), config.optim):
        report.warnings = report.monitors.warnings(model.most_groups)  # before that, nothing can have formed
    if inputs.val is not None and (done % config.log.eval_every == 0 or done == report.steps):
        report.validation = validate(model, joint.encode_data(tower, inputs.val), config, objectives)
