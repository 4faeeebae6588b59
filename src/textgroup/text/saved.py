"""A tokenizer as a file has it: tokenizer.json, or CLIP's list of merges. Nothing in it is trusted."""

import gzip
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from textgroup.errors import InputError
from textgroup.files import read_json
from textgroup.text.cleaning import LONGEST_CAPTION
from textgroup.text.words import PATTERNS

CLIP_VOCABULARY = 49_408
"""Ids in CLIP's vocabulary; its merges file holds more, of which CLIP reads this many (less 514)."""
LONGEST_FILE = 1 << 26
"""Bytes of a tokenizer.json; CLIP's has 4 million."""
LONGEST_LINE = 1_000
"""Characters of a line of merges."""


class Saved(NamedTuple):
    """merges: pairs of entries. max_tokens, words: None where the file does not say. vocabulary: the id of each entry.
    pre_tokenizer: what it takes for a word, as the `tokenizers` library writes it."""

    file: Path
    merges: list[tuple[str, str]]
    max_tokens: int | None
    words: str
    vocabulary: dict[str, Any]
    pre_tokenizer: Any


def read_saved(where: str | Path) -> Saved:
    """The tokenizer.json of a directory or a Hub name, or the file itself. Raises `InputError`."""
    path = Path(where)
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.exists():
        file = _download(str(where))
    values = read_json(file, LONGEST_FILE)
    model = values.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("merges"), list):
        raise InputError(f"{file} is not a tokenizer.json with a BPE model")
    if not isinstance(vocabulary := model.get("vocab"), dict):
        raise InputError(f"{file} is not a tokenizer.json with a BPE model: its vocabulary is no JSON object")
    words, limit = values.get("words", "clip"), values.get("max_tokens")
    if words not in [*PATTERNS]:
        raise InputError(f"{file}: words {str(words)[:40]!r}: this version knows {', '.join(PATTERNS)}")
    if limit is not None and (type(limit) is not int or not 3 <= limit <= LONGEST_CAPTION):
        raise InputError(f"{file}: max_tokens {str(limit)[:40]}: take a whole number from 3 to {LONGEST_CAPTION:,}")
    merges = [_pair(merge, file) for merge in model["merges"]]
    return Saved(file, merges, limit, words, vocabulary, values.get("pre_tokenizer"))


def _pair(merge: Any, file: Path) -> tuple[str, str]:
    parts = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) and part for part in parts):
        raise InputError(f"{file}: the merge {str(merge)[:40]!r} is no pair of entries: it is not a BPE, or damaged")
    return parts[0], parts[1]


def read_clip_merges(path: str | Path) -> list[tuple[str, str]]:
    """The merges that CLIP reads of `bpe_simple_vocab_16e6.txt.gz`. Raises `InputError`."""
    if not Path(path).is_file():
        raise InputError(f"tokenizer file {path}: there is no such file")
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = [file.readline(LONGEST_LINE) for _ in range(CLIP_VOCABULARY - 514 + 1)]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"tokenizer file {path} cannot be read as CLIP's gzipped merges: {error}") from None
    pairs = [line.split() for line in lines[1:]]
    if any(len(pair) != 2 for pair in pairs):
        raise InputError(f"tokenizer file {path} is not CLIP's merges: two entries a line after the first line")
    return [(a, b) for a, b in pairs]


def _download(name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(name, "tokenizer.json"))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError):
        raise InputError(
            f"tokenizer {name!r} is neither a file, nor a directory with tokenizer.json, "
            "nor a Hub name that can be reached"
        ) from None
