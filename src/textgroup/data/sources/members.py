"""Files that share their name: an image and, beside it, its captions, in a tar, a folder or a zip."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textgroup.data.sources.columns import CAPTION, caption_name
from textgroup.data.sources.count import Count
from textgroup.data.sources.sample import Sample
from textgroup.data.sources.texts import Texts, texts_of

IMAGES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
TEXTS = (".json", ".txt")
"""In this order: img2dataset writes the caption into both."""
MAX_IMAGE = 64 << 20
"""Bytes of an encoded image. Of a longer tar member one byte more is read, so that a decoder can refuse it."""
MAX_TEXT = 1 << 20
"""Bytes of a .json or .txt beside an image."""

Parts = dict[str, tuple[str, Any]]
"""Extension -> (name of the file, its content: bytes, a path, or None where it is not read)."""


@dataclass(frozen=True)
class Wanted:
    """What of a source is asked for. images: their content. captions: the columns of them, as a person named them;
    None leaves them unread."""

    images: bool = True
    image_column: str = "image"
    caption_column: str | None = "caption"

    def asks_for(self, extension: str) -> bool:
        """Whether a file of this kind is read, or at least counted."""
        return extension in IMAGES or self.caption_column is not None


def part_of(name: str) -> tuple[str, str]:
    """Key and extension of a file: what is before its last dot, and what is behind, in lower case."""
    folder, slash, base = name.rpartition("/")
    stem, dot, extension = base.rpartition(".")
    return (folder + slash + stem, f".{extension.lower()}") if dot else (name, "")


def is_needed(name: str) -> bool:
    """Whether a file is an image or may hold captions. Those of macOS, `._1.jpg`, are neither, nor is `.jpg`."""
    key, extension = part_of(name)
    base = key.rpartition("/")[2]
    return extension in (*IMAGES, *TEXTS) and bool(base) and not base.startswith("._")


def most_bytes(name: str) -> int:
    """How much of a file is read: a byte more than it may have, so that it shows whether it has more."""
    return 1 + (MAX_IMAGE if part_of(name)[1] in IMAGES else MAX_TEXT)


def sample_of(source: str, key: str, parts: Parts, wanted: Wanted, count: Count) -> Iterator[Sample]:
    """The sample of these files, if there is anything in it. Of two images the first is taken."""
    images = [(path, content) for extension, (path, content) in parts.items() if extension in IMAGES]
    for path, _ in images[1:]:
        count.skip(f"{source}: {path}", "a second image of its name")
    captions = () if wanted.caption_column is None else _captions(source, parts, wanted.caption_column, count)
    if images or captions:
        count.use(len(captions), bool(images))
        yield Sample(key, captions, images[0][1] if images else None, source)


def _captions(source: str, parts: Parts, column: str, count: Count) -> tuple[str, ...]:
    """The captions of the .json if it has any, else those of the .txt; what is wrong is counted once."""
    wrong: list[tuple[str, str]] = []
    for extension in TEXTS:
        if extension not in parts:
            continue
        path, content = parts[extension]
        where = f"{source}: {path}"
        try:
            values = _values_of(extension, _read(content), column)
            texts = Texts((), []) if values is None else texts_of(values)
        except ValueError as error:  # not UTF-8, not JSON, too long, no such column
            texts = Texts((), [str(error)])
        except OSError as error:
            texts = Texts((), [f"a file that cannot be read ({error.strerror})"])
        if texts.captions:
            return texts.counted(where, count)
        wrong = wrong or [(where, why) for why in texts.left_out]
    for where, why in wrong:
        count.skip(where, why)
    return ()


def _read(content: bytes | Path) -> str:
    if isinstance(content, Path):
        with content.open("rb") as file:
            content = file.read(MAX_TEXT + 1)
    if len(content) > MAX_TEXT:
        raise ValueError(f"a text longer than {MAX_TEXT:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("a text that is not UTF-8") from None


def _values_of(extension: str, text: str, column: str) -> Any:
    """What stands for captions in a file beside an image: the lines of a .txt, the column of a .json."""
    if extension == ".txt":
        return [line for line in text.split("\n") if line.strip()]
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("a .json that is not JSON") from None
    if not isinstance(record, dict):
        raise ValueError("a .json that is no object")
    name = caption_name(record, column)
    if name is None and column != CAPTION:
        raise ValueError("a .json without the column of the captions")
    if name is None:
        return None
    return [None] if record[name] is None else record[name]
