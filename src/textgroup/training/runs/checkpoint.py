"""Checkpoints: a `save_pretrained` directory with the tokenizer beside it, and what a resumed run needs.

A jointly trained image tower lies in `image_encoder/`, as transformers saves it; config.json has its digest.

A run directory holds `config.yaml`, `log.jsonl`, `checkpoints/000500/...` and `last`, a link to the newest
checkpoint. A checkpoint is written under another name and renamed when it is whole.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from textgroup.errors import InputError
from textgroup.files import atomic_write
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.vision.encoders.tower import ImageTower

STATE = "training.safetensors"
"""Steps done, and what the optimiser knows of each parameter, under "NUMBER.NAME"."""
KEPT = 2
"""Checkpoints that a run keeps: the newest, and the one before it."""


def save(
    run: Path,
    step: int,
    model: TextGroupModel,
    tokenizer: CaptionTokenizer,
    optimizer: torch.optim.Optimizer,
    tower: ImageTower | None = None,
) -> Path:
    """Write `run/checkpoints/STEP` atomically, point `run/last` at it, drop the oldest."""
    target = run / "checkpoints" / f"{step:06d}"
    with atomic_write(target) as partial:
        if tower is not None:
            tower.save(partial)
            model.image_encoder = tower.identity()
        config: Any = model._hub_mixin_config
        model.save_pretrained(partial, config={**config, "image_encoder": model.image_encoder})
        (partial / "README.md").unlink(missing_ok=True)  # the Hub's template of a model card, all blanks
        tokenizer.save(partial / "tokenizer.json")
        known = optimizer.state_dict()["state"]
        tensors = {f"{number}.{name}": x for number, state in known.items() for name, x in state.items()}
        save_file({"step": torch.tensor(step), **tensors}, partial / STATE)
    with atomic_write(run / "last") as link:
        link.symlink_to(target.relative_to(run), target_is_directory=True)
    for old in sorted((run / "checkpoints").glob("[0-9]*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    for rest in (run / "checkpoints").glob(".*.partial"):  # of a run that was killed while it saved
        shutil.rmtree(rest, ignore_errors=True)
    return target


def load_state(checkpoint: Path, optimizer: torch.optim.Optimizer) -> int:
    """Give the optimiser what it knew at a checkpoint; the number of steps done by then. Raises `InputError`."""
    try:
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
    return step


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
    """The checkpoint that `run/last` points to, if there is one."""
    link = run / "last"
    return Path(os.path.realpath(link)) if (link / "config.json").exists() else None
