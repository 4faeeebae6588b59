"""onnxruntime on one file: what it cannot open or run is said in one line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from textgroup.errors import InputError

LARGEST = 1 << 30
"""Bytes of an ONNX file that is opened."""


def open_session(file: Path) -> Any:
    """An onnxruntime session on one core. Raises `InputError` for what is no ONNX file."""
    import onnxruntime

    if (size := file.stat().st_size) > LARGEST:
        raise InputError(f"{file}: {size:,} bytes; an ONNX file that is opened has {LARGEST:,} at most")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no base class for what it raises
        raise InputError(f"{file}: onnxruntime cannot open it: {_reason(error)}") from None


def run(session: Any, file: Path, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """All outputs. file: where the session is from. Raises `InputError` where it cannot be run on these inputs."""
    try:
        outputs: list[np.ndarray] = session.run(None, dict(inputs))
    except Exception as error:  # as above
        raise InputError(f"{file}: onnxruntime cannot run it: {_reason(error)}") from None
    return outputs


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
