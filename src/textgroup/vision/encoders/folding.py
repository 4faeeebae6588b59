"""Folding the batch norms of a frozen network into the convolutions before them: the same features in less time."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from textgroup.vision.encoders.weights import freeze

SAME = 1e-3
"""Largest change of a feature that is accepted, in standard deviations; about that of storing it in 16 bits."""


@torch.no_grad()
def fold_batch_norms(model: nn.Module, trial: Tensor) -> nn.Module:
    """The model with every batch norm folded into the convolution whose output it reads.

    trial: pixels (B, 3, H, W). A forward pass on it shows which batch norm reads which convolution. It cannot show what
    else reads a convolution's output; so if the trial's features change, the model is returned unfolded.
    """
    pairs = _conv_norm_pairs(model, trial)
    if not pairs:
        return model
    before = model(pixel_values=trial).last_hidden_state
    kept: dict[str, Any] = {name: model.get_submodule(name) for pair in pairs for name in pair}
    for conv, norm in pairs:
        model.set_submodule(conv, freeze(fuse_conv_bn_eval(kept[conv], kept[norm])))
        model.set_submodule(norm, nn.Identity())
    after = model(pixel_values=trial).last_hidden_state
    if not (after - before).abs().max() <= SAME * before.std():
        for name, module in kept.items():
            model.set_submodule(name, module)
    return model


def _conv_norm_pairs(model: nn.Module, trial: Tensor) -> list[tuple[str, str]]:
    """The names of each convolution and the batch norm that reads its output, where both are used once in a pass."""
    given: list[tuple[Tensor, str]] = []  # tensors are kept, so that no two share a place
    pairs: list[tuple[str, str]] = []
    calls: list[str] = []

    def watch_module(name: str, module: nn.Module) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            calls.append(name)
            if isinstance(module, nn.Conv2d):
                given.append((output, name))
            else:
                pairs.extend((conv, name) for tensor, conv in given if tensor is inputs[0])

        return module.register_forward_hook(hook)

    kinds = (nn.Conv2d, nn.BatchNorm2d)
    hooks = [watch_module(name, module) for name, module in model.named_modules() if isinstance(module, kinds)]
    try:
        model(pixel_values=trial)
    finally:
        for hook in hooks:
            hook.remove()
    return [pair for pair in pairs if all(calls.count(name) == 1 for name in pair)]
