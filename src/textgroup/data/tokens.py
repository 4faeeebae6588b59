"""Captions as token ids on disk: tokenised once, then memory-mapped; no caption is held in memory.

A directory with `ids.bin` (all token ids, end to end), `starts.bin`, `first.bin` and, where there are images,
`rows.bin` (see `CaptionData`), `tokenizer.json`, `skipped.jsonl`, which names what was left out, and `manifest.json`,
which says what it was made of. It is written under another name and renamed when it is whole.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from textgroup.data.captions import CaptionData, ImageRows
from textgroup.errors import InputError
from textgroup.files import atomic_write, remove_abandoned
from textgroup.text.tokenizer import CaptionTokenizer

BLOCK = 4096
"""Items tokenised at once."""
ARRAYS = ("ids", "starts", "first", "rows")
MANIFEST, TOKENIZER, SKIPPED = "manifest.json", "tokenizer.json", "skipped.jsonl"


class Lost(NamedTuple):
    """Captions that were left out: of which image, or the place of the first in its source; how many, and why."""

    where: str
    captions: int
    why: str


def write_tokens(
    where: Path,
    made_of: dict[str, Any],
    items: Iterable[tuple[tuple[str, ...], int | None]],
    tokenizer: CaptionTokenizer,
    lost: Sequence[Lost] = (),
) -> None:
    """Tokenise items (captions, row of the image in its feature store) into the directory `where`.

    row: an int for all items, or None for all: then every caption is an item. made_of: what decides the content, for
    JSON. lost: what was left out, looked at after the last item was drawn. Raises `InputError` if there are no
    captions, or if `where` is something else than such a directory.
    """
    if where.exists() and not (where / MANIFEST).is_file():
        raise InputError(f"{where} is there and holds no tokenised captions: give data.tokens another directory")
    types = {"ids": "<u2" if len(tokenizer) <= 1 << 16 else "<i4", "starts": "<i8", "first": "<i8", "rows": "<i8"}
    stream = iter(items)
    with atomic_write(where) as partial, ExitStack() as stack:
        partial.mkdir()
        files = {name: stack.enter_context((partial / f"{name}.bin").open("wb")) for name in ARRAYS}

        def put(name: str, values: Any) -> None:
            files[name].write(np.asarray(values, dtype=types[name]).tobytes())

        tokens, captions = 0, 0
        put("starts", [0])
        put("first", [0])
        while block := list(islice(stream, BLOCK)):
            rows = [row for _, row in block if row is not None]
            encoded = tokenizer.ids([caption for texts, _ in block for caption in texts])
            for row in encoded:
                put("ids", row)
            put("starts", tokens + np.cumsum([len(row) for row in encoded]))
            put("first", captions + np.cumsum([len(texts) for texts, _ in block] if rows else [1] * len(encoded)))
            put("rows", rows)
            tokens, captions = tokens + sum(map(len, encoded)), captions + len(encoded)
        if not captions:
            raise InputError("the training data holds no captions")
        tokenizer.save(partial / TOKENIZER)
        skipped: Counter[str] = Counter()
        with (partial / SKIPPED).open("w", encoding="utf-8") as file:
            for one in lost:
                skipped[one.why] += one.captions
                file.write(json.dumps(one._asdict(), ensure_ascii=False) + "\n")
        manifest = {"captions": captions, "tokens": tokens, "skipped": skipped, "types": types, "made_of": made_of}
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    remove_abandoned(where)


def open_tokens(
    where: Path, made_of: dict[str, Any], pooled: ImageRows | None = None
) -> tuple[CaptionData, CaptionTokenizer] | None:
    """The captions in `where`, memory-mapped, and their tokenizer; None if they were made of anything else.

    pooled: the image vectors that the rows stand for. A damaged directory counts as none: it is made again.
    """
    try:
        manifest = json.loads((where / MANIFEST).read_text(encoding="utf-8"))
        if manifest["made_of"] != made_of:
            return None
        ids, starts, first, rows = (_memory_map(where / f"{name}.bin", manifest["types"][name]) for name in ARRAYS)
        if (len(ids), len(starts)) != (manifest["tokens"], manifest["captions"] + 1) or first[-1] != len(starts) - 1:
            return None
        if pooled is not None and len(rows) != len(first) - 1:
            return None
        tokenizer = CaptionTokenizer.from_pretrained(where)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
    return CaptionData(ids, starts, first, pooled, None if pooled is None else rows), tokenizer


def count_captions(where: Path) -> str:
    """What became of the captions that were given, as a sentence: given = used + skipped."""
    manifest = json.loads((where / MANIFEST).read_text(encoding="utf-8"))
    used, skipped = manifest["captions"], manifest.get("skipped", {})
    lost = sum(skipped.values())
    if not lost:
        return f"{used:,} captions, all used"
    reasons = "; ".join(f"{count:,}: {reason}" for reason, count in skipped.items())
    return f"{used + lost:,} captions = {used:,} used + {lost:,} skipped ({reasons}; see {where / SKIPPED})"


def what_changed(where: Path, made_of: dict[str, Any]) -> list[str]:
    """Names of what is otherwise now than when the captions in `where` were tokenised; none if nothing is there."""
    try:
        old = json.loads((where / MANIFEST).read_text(encoding="utf-8"))["made_of"]
        return [name for name in made_of if old.get(name) != made_of[name]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _memory_map(path: Path, dtype: str) -> np.ndarray:
    """The file as a memory-mapped array; an empty file cannot be mapped, and is an empty array."""
    return np.memmap(path, dtype, "r") if path.stat().st_size else np.empty(0, dtype)
