"""Mixed precision."""

from contextlib import nullcontext

import torch

from textgroup.devices import multiplies_bf16


def autocast(device: torch.device) -> torch.autocast | nullcontext[None]:
    """bf16 where the GPU has it; on a CPU it pays for large products alone (`devices.quick`)."""
    if device.type == "cuda" and multiplies_bf16(device):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()
