"""Loading frozen towers from a directory or the Hub through transformers: complete, from safetensors, with a digest."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from textgroup.errors import InputError

Module = TypeVar("Module", bound=nn.Module)
POOLER = "pooler."
"""Prefix of the pooler's tensors. It is not used here, and random where a checkpoint has none, so it is no part of the
weights."""


def freeze(module: Module) -> Module:
    """The module itself, in evaluation mode and without gradients."""
    return module.eval().requires_grad_(False)


def load_frozen(kind: Any, where: str, name: str) -> nn.Module:
    """A transformers model on the CPU, fp32, frozen.

    kind: the class, or `AutoModel`. where: a directory or a Hub name. name: as the person gave it, for messages.
    Raises `InputError` if it cannot be had, or if the checkpoint leaves weights of the model out.
    """
    check_location(where, name)
    try:
        with silence_transformers():
            model, report = kind.from_pretrained(
                where,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are reported, and refused below
            )
    except Exception as error:  # OSError offline, ValueError for an unknown architecture, safetensors' own, ...
        raise not_loadable(where, name, error) from None
    lacking = sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])})
    lacking = [key for key in lacking if POOLER not in key]
    if lacking:
        raise InputError(
            f"model {name}: these are not weights of a {type(model).__name__}: "
            f"{len(lacking)} tensors are missing or of another shape, such as {lacking[0]}"
        )
    return freeze(model)


def copy_half(kind: Any, where: str, name: str, out: Path) -> None:
    """Write a model and its preprocessor_config.json, if it has one, to the directory `out`, in half precision."""
    model: Any = load_frozen(kind, where, name)
    with silence_transformers():
        model.half().save_pretrained(out)
    with suppress(InputError):
        preparation = read_config(where, "preprocessor_config.json", name)
        (out / "preprocessor_config.json").write_text(json.dumps(preparation, indent=1) + "\n", encoding="utf-8")


def read_config(where: str, file: str, name: str) -> dict[str, Any]:
    """A JSON file of a model directory or Hub name. Raises `InputError`."""
    check_location(where, name)
    try:
        if Path(where).is_dir():
            path = Path(where) / file
        else:
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(where, file))
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"model {name}: {file} is missing beside the weights") from None
    except ValueError as error:
        raise InputError(f"model {name}: {file} is not JSON ({error})") from None
    except Exception as error:  # whatever the Hub's client raises offline
        raise not_loadable(where, name, error) from None
    if not isinstance(values, dict):
        raise InputError(f"model {name}: {file} is not a JSON object")
    return values


def check_location(where: str, name: str) -> None:
    """Raise `InputError` for what cannot be a Hub name and is no directory, without asking the network."""
    path = Path(where).expanduser()
    if path.is_file():
        raise InputError(f"model {name}: {where} is a file; give the directory with config.json and weights")
    if not path.is_dir() and (where.startswith((".", "/", "~")) or where.count("/") != 1):
        raise InputError(f"model {name}: there is no directory {where} (a Hub name has the form owner/model)")


def not_loadable(where: str, name: str, error: Exception) -> InputError:
    """The error for a directory or a Hub name that gives no model."""
    reason = " ".join(str(error).split()).partition(". ")[0][:160]
    if Path(where).is_dir():
        return InputError(f"model {name}: no model can be read there, in safetensors: {reason}")
    return InputError(
        f"model {name}: {where} is no directory and the Hub does not give it "
        f"(offline? fetch it once with `hf download {where}`, or give a directory): {reason}"
    )


def weights_digest(model: nn.Module) -> str:
    """sha256 of the parameters and buffers by shape and value.

    Names do not count: the versions of transformers differ in them. Nor does the pooler.
    """
    digests = []
    for name, tensor in model.state_dict().items():
        if POOLER not in name and tensor.is_floating_point():
            values = tensor.detach().float().cpu().contiguous()
            digests.append(hashlib.sha256(str(tuple(values.shape)).encode() + values.numpy().tobytes()).digest())
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


@contextmanager
def silence_transformers() -> Iterator[None]:
    """Silence transformers' progress bars and reports in the block; what matters in them is checked here."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
