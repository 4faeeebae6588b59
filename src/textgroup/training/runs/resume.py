"""Resuming a run from its newest checkpoint."""

from pathlib import Path

import torch

from textgroup.errors import InputError
from textgroup.model.pretrained import TOWER, load_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.build import Inputs
from textgroup.training.runs import checkpoint
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.tower import ImageTower


def resume(
    run: Path, model: TextGroupModel, optimizer: torch.optim.Optimizer, inputs: Inputs, tower: ImageTower | None
) -> int:
    """Load the newest checkpoint of a run into model, tower and optimiser; the number of steps it has done.

    Raises `InputError` if there is none, or if tokenizer, architecture or image encoder differ from this run's.
    """
    saved = checkpoint.newest_checkpoint(run)
    if saved is None:
        raise InputError(f"{run} has no checkpoint to resume from: start it without --resume")
    if (saved / TOWER).is_dir() != (tower is not None):
        was, now = ("frozen", "trainable") if tower else ("trainable", "frozen")
        raise InputError(f"{saved} was trained with a {was} image_encoder, not a {now} one: start anew elsewhere")
    old, tokenizer = load_model(saved)
    if not tokenizer.same(inputs.tokenizer):
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
