"""The device that tensors are on."""

import os

import torch
from torch import Tensor

from textgroup.errors import InputError


def pick_device(device: str | torch.device | None) -> torch.device:
    """The requested device; by default a GPU if there is one. Raises `InputError` for one that is not available."""
    try:
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=chosen).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(
            f"device {str(device)!r}: not available on this machine or in this torch; give cpu, or cuda"
        ) from None
    return chosen


def machine_memory() -> int | None:
    """Bytes of memory that this machine has; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


LARGE = 1 << 20
"""Numbers of a factor from which on a product is large."""


def quick(*factors: Tensor) -> tuple[Tensor, ...]:
    """The factors of a large product in fp32 as bf16, where the device multiplies that several times faster; otherwise
    as they are."""
    x = max(factors, key=Tensor.numel)
    if x.numel() < LARGE or x.dtype != torch.float32 or not multiplies_bf16(x.device):
        return factors
    return tuple(factor.bfloat16() for factor in factors)


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for it; without, it is slower than fp32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())  # torch has no public name for it
