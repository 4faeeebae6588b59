"""Taking up a run where its newest checkpoint left it."""

from pathlib import Path

import torch

from textgroup.errors import InputError
from textgroup.model.pretrained import TOWER, load_model
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.build import Inputs
from textgroup.training.runs import checkpoint
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.tower import ImageTower


def load_checkpoint(
    saved: Path,
    model: TextGroupModel,
    optimizer: torch.optim.Optimizer,
    inputs: Inputs,
    tower: ImageTower | None,
    data: str,
) -> int:
    """Load a checkpoint of this run into model, tower and optimiser; the number of steps it has done.

    data: digest of the training data. Raises `InputError` if data, tokenizer, architecture or image encoder differ from
    this run's.
    """
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
    step, trained_on = checkpoint.load_state(saved, optimizer)
    if trained_on not in ("", data):
        raise InputError(
            f"{saved} was trained on other captions or features than data.captions, data.features and "
            "units.translations hold now: start anew in another --out"
        )
    return step
