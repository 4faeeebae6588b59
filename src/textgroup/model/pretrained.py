"""Reading a checkpoint, from a directory or the Hub, with errors that say what is missing."""

import io
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path

from textgroup.errors import InputError
from textgroup.files import replacing
from textgroup.model.textgroup import TextGroupModel
from textgroup.tokenizer import CaptionTokenizer

FILES = ("config.json", "model.safetensors", "tokenizer.json")
TOWER = "image_encoder"
"""Directory of a checkpoint with its own image tower, where that was trained too; transformers reads it."""
PACKAGED = Path(__file__).parents[1] / "packaged"
"""The checkpoint that comes with the package; its README.md is the model card."""


def load_model(where: str | Path | None = None) -> tuple[TextGroupModel, CaptionTokenizer]:
    """Model (evaluation mode, CPU) and tokenizer of a checkpoint.

    where: a checkpoint directory, a run directory (its newest checkpoint), or a Hub name; None is the checkpoint that
    comes with the package. Raises `InputError` for anything else, and for files that do not fit together.
    """
    directory = PACKAGED if where is None else _directory(str(where))
    missing = [name for name in FILES if not (directory / name).is_file()]
    if missing:
        raise InputError(
            f"{where or directory} is not a TextGroup checkpoint: {', '.join(missing)} missing "
            "(make one with `textgroup train`)"
        )
    tokenizer = CaptionTokenizer.from_pretrained(directory)
    try:
        with redirect_stdout(io.StringIO()):  # the mixin prints that it loads
            model = TextGroupModel.from_pretrained(directory, strict=True).eval()
    except InputError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"checkpoint {where} cannot be read: {reason}") from None
    if model.encoder.config.vocabulary != len(tokenizer):
        raise InputError(
            f"checkpoint {where}: the model has {model.encoder.config.vocabulary} token ids, "
            f"its tokenizer {len(tokenizer)}"
        )
    if model.image_encoder and (directory / TOWER).is_dir():
        model.image_encoder = {**model.image_encoder, "encoder": f"groupvit:{directory / TOWER}"}
    return model, tokenizer


def export(where: str | Path, out: Path) -> None:
    """Write a checkpoint to the directory `out`, in half precision and without what only training needs.

    Raises `InputError` if there is no checkpoint at `where`, or if `out` exists.
    """
    if out.exists():
        raise InputError(f"{out} exists: give a directory that does not")
    model, tokenizer = load_model(where)
    with replacing(out) as partial:
        model.half().save_pretrained(partial)
        (partial / "README.md").unlink(missing_ok=True)  # the Hub's template of a model card, all blanks
        tokenizer.save(partial / "tokenizer.json")
        if (tower := _directory(str(where)) / TOWER).is_dir():
            shutil.copytree(tower, partial / TOWER)  # as it is: the model knows it by the digest of its weights


def _directory(where: str) -> Path:
    path = Path(where)
    if path.is_dir():
        return path / "last" if (path / "last").is_dir() else path
    if path.exists():
        raise InputError(f"{where} is a file, not a checkpoint directory")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(where, allow_patterns=[*FILES, f"{TOWER}/*"]))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError, json.JSONDecodeError):
        raise InputError(f"checkpoint {where!r} is neither a directory nor a Hub name that can be reached") from None
