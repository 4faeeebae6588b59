"""Checkpoints: a `save_pretrained` directory with the tokenizer beside it, and what a resumed run needs.

A jointly trained image tower lies in `image_encoder/`, as transformers saves it; config.json has its digest.

A run directory holds `config.yaml`, `log.jsonl`, `checkpoints/000500/...` and `last`, a link to the newest
checkpoint. A checkpoint is written under another name and renamed when it is whole, and none is written of a model that
is not finite: the newest checkpoint is a good one.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from textgroup.errors import InputError
from textgroup.files import atomic_write, full_disk_told
from textgroup.model.pretrained import save_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.vision.encoders.tower import ImageTower

STATE = "training.safetensors"
"""Steps done, and what the optimiser knows of each parameter, under "NUMBER.NAME"."""
DATA = "data"
"""Name of the digest of the training data in the metadata of that file."""
LAST = "last"
"""The link to the newest checkpoint."""
KEPT = 2
"""Checkpoints that a run keeps: the newest, and the one before it."""


def save(
    run: Path,
    step: int,
    model: TextGroupModel,
    tokenizer: CaptionTokenizer,
    optimizer: torch.optim.Optimizer,
    tower: ImageTower | None = None,
    data: str = "",
) -> Path:
    """Write `run/checkpoints/STEP` atomically, point `run/last` at it, drop the oldest.

    data: digest of the training data, see `CaptionData.digest`. Raises `InputError`, and leaves the newest checkpoint
    as it is, if a tensor is not finite or the disk is full.
    """
    target = run / "checkpoints" / f"{step:06d}"
    known = optimizer.state_dict()["state"]
    state = {f"{number}.{name}": x for number, values in known.items() for name, x in values.items()}
    weights = {**model.state_dict(), **({} if tower is None else tower.state_dict())}
    if broken := [name for name, x in {**weights, **state}.items() if not x.isfinite().all()]:
        raise InputError(
            f"at step {step}, {len(broken)} tensors of model and optimiser are not finite, such as {broken[0]}: they "
            f"are not saved; {name_newest(run)}; lower optim.lr and start again in another --out"
        )
    remedy = f"step {step} is not saved; {name_newest(run)}; make room and go on with --resume"
    with full_disk_told(target, remedy):
        with atomic_write(target) as partial:
            if tower is not None:
                tower.save(partial)
                model.image_encoder = tower.identity()
            save_model(model, tokenizer, partial, image_encoder=model.image_encoder)
            save_file({"step": torch.tensor(step), **state}, partial / STATE, {DATA: data})
        with atomic_write(run / LAST) as link:
            link.symlink_to(target.relative_to(run), target_is_directory=True)
    drop_old(run, step)
    return target


def drop_old(run: Path, step: int) -> None:
    """Remove the checkpoints up to this step, but for the newest `KEPT` of them, and what a killed run left."""
    numbered = _by_step(run)
    for old in sorted(number for number in numbered if number <= step)[:-KEPT]:
        shutil.rmtree(numbered[old], ignore_errors=True)
    for rest in (run / "checkpoints").glob(".*.partial"):  # of a run that was killed while it saved
        shutil.rmtree(rest, ignore_errors=True)


def _by_step(run: Path) -> dict[int, Path]:
    """The checkpoints of a run by the number of steps."""
    return {int(path.name): path for path in (run / "checkpoints").glob("[0-9]*") if path.name.isdecimal()}


def load_state(checkpoint: Path, optimizer: torch.optim.Optimizer) -> tuple[int, str]:
    """Give the optimiser what it knew at a checkpoint; the number of steps done by then, and the digest of the data.
    Raises `InputError`."""
    try:
        with safe_open(checkpoint / STATE, "pt") as file:
            data = (file.metadata() or {}).get(DATA, "")
        tensors = load_file(checkpoint / STATE)
        step = int(tensors.pop("step"))
        known: dict[int, dict[str, Tensor]] = {}
        for key, x in tensors.items():
            number, _, name = key.partition(".")
            known.setdefault(int(number), {})[name] = x
        if step < 0:
            raise ValueError(f"{step} steps")
        _check_known(known, [p for group in optimizer.param_groups for p in group["params"]])
        optimizer.load_state_dict({**optimizer.state_dict(), "state": known})
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{checkpoint / STATE} cannot be read ({reason}): start the run anew") from None
    return step, data


def _check_known(known: dict[int, dict[str, Tensor]], parameters: Sequence[Tensor]) -> None:
    """Raise `ValueError` unless this is what AdamW keeps of each parameter that has had a gradient."""
    for number, state in known.items():
        if not 0 <= number < len(parameters):
            raise ValueError(f"there is no parameter {number}")
        shape = parameters[number].shape
        shapes = {"step": torch.Size(), "exp_avg": shape, "exp_avg_sq": shape}
        if {name: x.shape for name, x in state.items()} != shapes:
            raise ValueError(f"parameter {number} is of another shape, or not as AdamW keeps it")


def newest_checkpoint(run: Path) -> Path | None:
    """The checkpoint that `run/last` points to; where there is no such link, as in a copy of a run, the one with the
    most steps; None if there is none."""
    link = run / LAST
    if (link / "config.json").exists():
        return Path(os.path.realpath(link))
    whole = {step: path for step, path in _by_step(run).items() if (path / STATE).exists()}
    return whole[max(whole)] if whole else None


def name_newest(run: Path) -> str:
    """Part of a sentence that names the newest checkpoint."""
    newest = newest_checkpoint(run)
    return "there is no checkpoint yet" if newest is None else f"the last good checkpoint is {newest}"
