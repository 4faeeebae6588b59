"""Where tensors live."""

import torch

from textgroup.errors import InputError


def pick_device(device: str | torch.device | None) -> torch.device:
    """The device asked for, or a GPU if there is one. Raises `InputError` for one that is not there."""
    try:
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=chosen).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(
            f"device {str(device)!r}: this machine or this torch has none such; give cpu, or cuda"
        ) from None
    return chosen
