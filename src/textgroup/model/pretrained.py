"""Writing a checkpoint, and reading one, from a directory or the Hub, with errors that say what is missing."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_model as load_model_weights

from textgroup.errors import InputError
from textgroup.files import local_or_hub
from textgroup.model.described import new_model
from textgroup.model.packaged import MULTILINGUAL, PACKAGED, PACKAGED_MULTILINGUAL
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer

FILES = ("config.json", "model.safetensors", "tokenizer.json")
TOWER = "image_encoder"
"""Directory of a checkpoint with its own image encoder, trained with it or exported; transformers reads it."""


def load_model(where: str | Path | None = None) -> tuple[TextGroupModel, CaptionTokenizer]:
    """Model (evaluation mode, CPU) and tokenizer of a checkpoint.

    where: a checkpoint directory, a run directory (its newest checkpoint), a Hub name, or `MULTILINGUAL`; None is the
    checkpoint that comes with the package. Raises `InputError` for anything else, and for files that do not fit
    together.
    """
    directory = PACKAGED if where is None else checkpoint_directory(str(where))
    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        hides = f"a directory ./{MULTILINGUAL} hides the packaged model of that name: rename it, or work elsewhere"
        remedy = hides if str(where) == MULTILINGUAL else "make one with `textgroup train`"
        raise InputError(f"{where or directory} is not a TextGroup checkpoint: {', '.join(missing)} missing ({remedy})")
    tokenizer = CaptionTokenizer.from_pretrained(directory)
    try:
        model = new_model(directory)
        load_model_weights(model.eval(), directory / "model.safetensors")
    except InputError:
        raise
    except Exception as error:  # of PyTorch and of safetensors, for sizes that cannot be and weights of another shape
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"checkpoint {where or directory} cannot be read: {reason}") from None
    if model.vocabulary != len(tokenizer):
        raise InputError(
            f"checkpoint {where}: the model has {model.vocabulary} token ids, its tokenizer {len(tokenizer)}"
        )
    if tokenizer.max_tokens > (longest := model.encoder.config.max_tokens):
        raise InputError(f"checkpoint {where}: the model reads {longest} tokens, its tokenizer {tokenizer.max_tokens}")
    if model.image_encoder and (directory / TOWER).is_dir():
        kind = model.image_encoder["encoder"].partition(":")[0]
        model.image_encoder = {**model.image_encoder, "encoder": f"{kind}:{directory / TOWER}"}
    return model, tokenizer


def save_model(model: TextGroupModel, tokenizer: CaptionTokenizer, where: Path, **settings: Any) -> None:
    """Write a checkpoint into the directory `where`. settings: what config.json says otherwise than the model."""
    known: Any = model._hub_mixin_config
    model.save_pretrained(where, config={**known, **settings})
    (where / "README.md").unlink(missing_ok=True)  # the Hub's template of a model card, all blanks
    tokenizer.save(where / "tokenizer.json")


def checkpoint_directory(where: str) -> Path:
    """The checkpoint at a directory or under a Hub name, or the newest one of a run; `MULTILINGUAL` is the packaged
    one, unless a directory has that name. Raises `InputError`."""
    path = Path(local_or_hub(where))
    if path.is_dir():
        return path / "last" if (path / "last").is_dir() else path
    if path.exists():
        raise InputError(f"{where} is a file, not a checkpoint directory")
    if where == MULTILINGUAL:
        return PACKAGED_MULTILINGUAL
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(where, allow_patterns=[*FILES, f"{TOWER}/*"]))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError, json.JSONDecodeError):
        raise InputError(f"checkpoint {where!r} is neither a directory nor a Hub name that can be reached") from None
