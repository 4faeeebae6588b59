"""The device that tensors are on."""

import torch

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
