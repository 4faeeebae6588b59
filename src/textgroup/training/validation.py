"""Losses and retrieval on the validation data, without noise."""

from collections.abc import Sequence

import torch

from textgroup.config.run import RunConfig
from textgroup.data.captions import CaptionData
from textgroup.evaluation.retrieval import Retrieval
from textgroup.evaluation.retrieval import evaluate as evaluate_retrieval
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.objectives.contract import Objective
from textgroup.training.objectives.total import compute
from textgroup.training.placement import to_device


@torch.no_grad()
def validate(
    model: TextGroupModel, data: CaptionData, config: RunConfig, objectives: Sequence[Objective]
) -> dict[str, float]:
    """Each loss, a mean over the batches of a data set, and retrieval where there are images; names begin "val_"."""
    model.eval()
    device = next(model.parameters()).device
    size = min(config.optim.batch_size, len(data))
    batches = (data.batch(step, size, config.seed, config.optim.chunk) for step in range(data.steps_per_epoch(size)))
    losses = [compute(model, to_device(batch, device), objectives, None).as_dict() for batch in batches]
    means = {name: torch.stack([of_batch[name] for of_batch in losses]).mean().item() for name in losses[0]}
    if data.pooled is not None and model.image_head is not None:
        means |= recall_by_name(evaluate_retrieval(model, data))
    return {f"val_{name}": value for name, value in means.items()}


def recall_by_name(retrieval: Retrieval) -> dict[str, float]:
    """Recall at 1, 5, 10 in both directions."""
    return {
        f"{direction}_r{k}": getattr(recall, f"r{k}")
        for direction, recall in (("i2t", retrieval.image_to_text), ("t2i", retrieval.text_to_image))
        for k in (1, 5, 10)
    }
