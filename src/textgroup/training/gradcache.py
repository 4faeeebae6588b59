"""Any batch size in fixed memory: gradients of the whole batch's loss, one chunk at a time.

GradCache (Gao et al., 2021). InfoNCE ties all captions together, but only through what each chunk gives the losses
(`losses.Part`). First these are computed without gradients; then the loss of all of them, and its gradient with
respect to each; then each chunk again, with the gradient that is waiting for it. The noise is a function of
(step, caption, place), so both times it is the same, and the result is the whole batch's up to rounding.

The decoder runs once only: the gradient of a mean with respect to its sum is known without the sum.
"""

import torch
from torch import Tensor

from textgroup.config import LossConfig
from textgroup.data.captions import Batch
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.losses import Losses, Part, join, look, weigh


def backward(
    model: TextGroupModel, batch: Batch, config: LossConfig, key: int | None, cohesion: Tensor | None = None
) -> Losses:
    """The same losses and gradients as `losses.compute(...)` and `total.backward()`; arguments as there.

    In memory at once: the graph of one chunk, and of every caption its two vectors.
    """
    with torch.no_grad():
        first = [look(model, part, config, key, cohesion, decode=False) for part in batch.parts()]
    leaves = [Part(*({name: x.requires_grad_() for name, x in kind.items()} for kind in part)) for part in first]
    weigh(join(leaves, batch), config, batch.pairs).total.backward()

    found = []
    for part, leaf in zip(batch.parts(), leaves):
        again = look(model, part, config, key, cohesion)
        given = [(x, leaf_of[name].grad) for of, leaf_of in zip(again, leaf) for name, x in of.items()]
        outputs, gradients = zip(*((x, gradient) for x, gradient in given if x.requires_grad))
        torch.autograd.backward(outputs, gradients)
        found.append(Part(leaf.vectors, {name: x.detach() for name, x in again.sums.items()}))
    with torch.no_grad():
        return weigh(join(found, batch), config, batch.pairs)
