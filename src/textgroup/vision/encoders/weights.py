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
from textgroup.files import read_json
from textgroup.model.packaged import PACKAGED_ENCODER
from textgroup.vision.encoders.described import check_described

Module = TypeVar("Module", bound=nn.Module)
LONGEST = 1 << 22
"""Bytes of a configuration; those with the names of 21,000 classes have 1.5 million."""
POOLER = "pooler."
"""Prefix of the pooler's tensors. It is not used here, and random where a checkpoint has none, so it is no part of the
weights."""


def freeze(module: Module) -> Module:
    """The module itself, in evaluation mode and without gradients."""
    return module.eval().requires_grad_(False)


def load_frozen(kind: Any, where: str, name: str) -> nn.Module:
    """A transformers model on the CPU, fp32, frozen.

    kind: the class, or `AutoModel`. where: as for `locate`. name: as the person gave it, for messages. Raises
    `InputError` if it cannot be had, or if the checkpoint leaves weights of the model out.
    """
    where = locate(where, name)
    _refuse_pickles(where, name)
    try:
        with silence_transformers():
            check_described(kind, where, read_config(where, "config.json", name), name)
            model, report = kind.from_pretrained(
                where,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are reported, and refused below
            )
    except MissingFile as error:
        raise not_loadable(where, name, error) from None
    except InputError:
        raise
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
    """Write a model and how it has images prepared, if it says so, to the directory `out`, in half precision."""
    model: Any = load_frozen(kind, where, name)
    with silence_transformers():
        model.half().save_pretrained(out)
    with suppress(InputError):
        preparation = read_preparation(where, name)
        (out / "preprocessor_config.json").write_text(json.dumps(preparation, indent=1) + "\n", encoding="utf-8")


def read_preparation(where: str, name: str) -> dict[str, Any]:
    """How a model has images prepared: preprocessor_config.json, or, where there is none, what transformers 5 writes
    for a model that reads images and text: `image_processor` in processor_config.json. Raises `InputError`."""
    try:
        return read_config(where, "preprocessor_config.json", name)
    except MissingFile as missing:
        try:
            found = read_config(where, "processor_config.json", name).get("image_processor")
        except MissingFile:
            raise missing from None
    if not isinstance(found, dict):
        raise InputError(f"model {name}: processor_config.json has no image_processor")
    return found


class MissingFile(InputError):
    """A file that a model directory lacks."""


def read_config(where: str, file: str, name: str) -> dict[str, Any]:
    """A JSON file of a model directory or Hub name. Raises `InputError`, of a missing one `MissingFile`."""
    where = locate(where, name)
    try:
        path = _fetch(where, file)
    except Exception as error:  # whatever the Hub's client raises offline
        raise not_loadable(where, name, error) from None
    if path is None:
        raise MissingFile(f"model {name}: {file} is missing beside the weights")
    try:
        return read_json(path, LONGEST)
    except InputError as error:
        raise InputError(f"model {name}: {error}") from None


def _fetch(where: str, file: str) -> Path | None:
    """A file of a model directory or Hub name; None if it has none. Raises what the Hub's client does offline."""
    if Path(where).is_dir():
        path = Path(where) / file
        return path if path.exists() else None
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(where, file))
    except LocalEntryNotFoundError:  # offline: of a model that was fetched, what is not there does not exist
        if isinstance(try_to_load_from_cache(where, "config.json"), str):
            return None
        raise
    except EntryNotFoundError:
        return None


def _refuse_pickles(where: str, name: str) -> None:
    """Raise `InputError` that says how to convert the weights of a directory that has pickled ones alone."""
    folder = Path(where)
    if folder.is_dir() and any(folder.glob("pytorch_model*.bin")) and not any(folder.glob("*.safetensors")):
        raise InputError(
            f"model {name}: its weights are pickled, and such a file can run a program when it is read; only "
            f'safetensors are read. To convert them: python -c "import glob, torch; from safetensors.torch import '
            "save_file; save_file({k: v.contiguous().clone() for f in glob.glob("
            f"{str(folder / 'pytorch_model*.bin')!r}) for k, v in torch.load(f, weights_only=True).items()}}, "
            f"{str(folder / 'model.safetensors')!r}, {{'format': 'pt'}})\""
        )


def locate(where: str, name: str) -> str:
    """A directory or a Hub name as it is; of `packaged`, the image encoder of the packaged model, its directory.

    Raises `InputError` for what cannot be a Hub name and is no directory, without asking the network.
    """
    path = Path(where).expanduser()
    if where == "packaged" and not path.exists():
        return str(PACKAGED_ENCODER)
    if path.is_file():
        raise InputError(f"model {name}: {where} is a file; give the directory with config.json and weights")
    if not path.is_dir() and (where.startswith((".", "/", "~")) or where.count("/") != 1):
        raise InputError(f"model {name}: there is no directory {where} (a Hub name has the form owner/model)")
    return where


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
