"""Mixed precision."""

from contextlib import nullcontext

import torch


def autocast(device: torch.device) -> torch.autocast | nullcontext[None]:
    """bf16 where the GPU has it; a CPU is far slower in it."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()
