"""GradCache (Gao et al., 2021): gradients of the whole batch's loss in the memory of one chunk.

InfoNCE depends on a chunk only through what the chunk gives the losses (`ChunkOutput`). First this output is computed
for all chunks without gradients; then the loss, and its gradient with respect to each output; then each chunk again,
backward from that gradient. The noise is a function of (step, caption, index), so it is the same both times, and the
result equals the whole batch's up to rounding.

The decoder runs only once: the gradient of a mean with respect to its sum is known without the sum.
"""

from collections.abc import Sequence

import torch

from textgroup.data.batches import Batch
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.objectives.contract import ChunkOutput, Losses, Objective
from textgroup.training.objectives.total import combine, encode_chunk, gather


def backward(model: TextGroupModel, batch: Batch, objectives: Sequence[Objective], key: int | None) -> Losses:
    """The same losses and gradients as `total.compute(...)` and `total.backward()`; arguments as there.

    In memory at once: the graph of one chunk, and of every caption its two vectors.
    """
    with torch.no_grad():
        first = [encode_chunk(model, chunk, objectives, key, decode=False) for chunk in batch.each_chunk()]
    leaves = [ChunkOutput(*({n: x.requires_grad_() for n, x in kind.items()} for kind in output)) for output in first]
    combine(gather(leaves, batch), objectives, batch.pairs).total.backward()

    outputs = []
    for chunk, leaf in zip(batch.each_chunk(), leaves):
        output = encode_chunk(model, chunk, objectives, key)
        given = [(x, kind_leaf[name].grad) for kind, kind_leaf in zip(output, leaf) for name, x in kind.items()]
        tensors, gradients = zip(*((x, gradient) for x, gradient in given if x.requires_grad))
        torch.autograd.backward(tensors, gradients)
        outputs.append(ChunkOutput(leaf.vectors, {name: x.detach() for name, x in output.sums.items()}))
    with torch.no_grad():
        return combine(gather(outputs, batch), objectives, batch.pairs)
