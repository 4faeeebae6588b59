"""AdamW and its schedule, in GroupViT's conventions."""

import math

import torch
from torch import nn

from textgroup.config.run import OptimConfig

FEW = 50
"""Steps below which nothing is learned, whatever the data."""
BETAS = (0.9, 0.999)
"""AdamW's betas, as GroupViT has them."""


def adamw(model: nn.Module, config: OptimConfig, tower: nn.Module | None = None) -> torch.optim.AdamW:
    """AdamW; weight decay on matrices only (none on biases, norms and other 1-D tensors).

    tower: the image tower, if it is trained too. Each group of parameters has its "share" of the learning rate.
    """
    parts = [(model, 1.0)] + ([] if tower is None else [(tower, config.tower_lr)])
    groups = []
    for part, share in parts:
        trained = [p for p in part.parameters() if p.requires_grad]
        matrices, others = [p for p in trained if p.ndim > 1], [p for p in trained if p.ndim <= 1]
        groups.append({"params": matrices, "weight_decay": config.weight_decay, "share": share})
        groups.append({"params": others, "weight_decay": 0.0, "share": share})
    return torch.optim.AdamW(groups, lr=config.lr, betas=BETAS)


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give each group of parameters its share."""
    for group in optimizer.param_groups:
        group["lr"] = group["share"] * lr


def learning_rate(step: int, steps_per_epoch: int, config: OptimConfig) -> float:
    """Linear warm-up from `lr_start` to `lr`, then a cosine down to `lr_floor` at the last step."""
    warmup = warmup_steps(steps_per_epoch, config)
    last = total_steps(steps_per_epoch, config) - 1
    if step < warmup:
        return config.lr_start + (config.lr - config.lr_start) * step / warmup
    progress = (step - warmup) / max(1, last - warmup)
    return config.lr_floor + (config.lr - config.lr_floor) * (1 + math.cos(math.pi * progress)) / 2


def warmup_steps(steps_per_epoch: int, config: OptimConfig) -> int:
    """Steps of the warm-up: as configured, and at most half of the run."""
    return round(min(config.warmup_epochs, config.epochs / 2) * steps_per_epoch)


def total_steps(steps_per_epoch: int, config: OptimConfig) -> int:
    """Optimiser steps of the whole run."""
    return max(1, round(config.epochs * steps_per_epoch))


def advise_steps(steps_per_epoch: int, config: OptimConfig) -> str | None:
    """What to change where a run has hardly a step to learn from; None for other runs."""
    steps = total_steps(steps_per_epoch, config)
    if steps >= FEW:
        return None
    return (
        f"this run has {steps} steps only, {steps_per_epoch} an epoch: lower optim.batch_size ({config.batch_size:,}) "
        f"or raise optim.epochs ({config.epochs:g})"
    )
