"""Tables of images and captions, and plain captions, line by line: .csv, .tsv, .jsonl, .txt, also .gz."""

import csv
import gzip
import json
import os.path
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from textgroup.errors import InputError

KINDS = (".csv", ".tsv", ".jsonl", ".txt")
MAX_LINE = 1 << 20
"""Bytes of a line."""
DEFAULT_IMAGE = "image"
"""The one column whose absence means captions only; the absence of a column that a person named is an error."""


class Row(NamedTuple):
    """Key, captions (none of them blank) and image of a row: the fields of a `Sample`."""

    key: str
    captions: tuple[str, ...]
    image: Path | None


class _Line(NamedTuple):
    where: str  # file:line, for messages
    number: int
    image: Any
    captions: tuple[str, ...]


def kind_of(path: Path) -> str | None:
    """The extension without .gz, if it is one of `KINDS`."""
    suffix = (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()
    return suffix if suffix in KINDS else None


def read_table(path: Path, image_column: str, caption_column: str | None) -> Iterator[Row]:
    """The rows of a table, consecutive ones of the same image merged; see `samples.read_samples`.

    caption_column: None leaves captions unread.
    """
    kind = kind_of(path)
    if kind == ".txt":
        lines: Iterator[_Line] = (_Line("", n, None, drop_blank([text])) for n, text in numbered_lines(path))
    elif kind == ".jsonl":
        lines = _read_jsonl(path, image_column, caption_column)
    else:
        lines = _read_delimited(path, kind == ".tsv", image_column, caption_column)
    key: str | None = None
    image: Path | None = None
    captions: tuple[str, ...] = ()
    for line in lines:
        if line.image is None:
            if line.captions:
                yield Row(str(line.number), line.captions, None)
            continue
        if line.image != key:
            if key is not None:
                yield Row(key, captions, image)
            key, image, captions = line.image, _image_path(path, line), ()
        captions += line.captions
    if key is not None:
        yield Row(key, captions, image)


def captions_of(record: dict[str, Any], column: str, where: str) -> tuple[str, ...] | None:
    """The captions of a JSON object: a string or a list of strings, blank ones left out; None without a column.

    Where the column is the usual "caption", "captions" will do too.
    """
    value = record.get(column)
    if value is None and column == "caption":
        value = record.get("captions")
    if value is None:
        return None
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
        raise InputError(f"{where}: {column!r} must be a string or a list of strings")
    return drop_blank(values)


def drop_blank(captions: list[str]) -> tuple[str, ...]:
    """The captions that have characters, without white space around them."""
    return tuple(text.strip() for text in captions if text.strip())


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1, without their ends."""
    number = 0
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            file = gzip.GzipFile(fileobj=raw) if packed else raw
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise InputError(f"{path}:{number}: the line is longer than {MAX_LINE} bytes")
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise InputError(f"{path}:{number}: not UTF-8; convert the file, for example with iconv") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: damaged after line {number} ({error}); download or write it again") from None
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror})") from None


def _read_jsonl(path: Path, image_column: str, caption_column: str | None) -> Iterator[_Line]:
    has_image: bool | None = None
    for number, text in numbered_lines(path):
        if not text.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: not a line of JSON ({error})") from None
        if not isinstance(record, dict):
            raise InputError(f"{where}: not a JSON object but {text.strip()[:40]!r}")
        captions = () if caption_column is None else captions_of(record, caption_column, where)
        if captions is None:
            raise _missing_column(where, "caption", caption_column, list(record))
        if has_image is None:
            has_image = image_column in record
        if image_column not in record and (has_image or image_column != DEFAULT_IMAGE):
            raise _missing_column(where, "image", image_column, list(record))
        if has_image and record[image_column] is None:
            raise InputError(f"{where}: {image_column!r} is null; leave the row out")
        yield _Line(where, number, record[image_column] if has_image else None, captions)


def _read_delimited(path: Path, tabs: bool, image_column: str, caption_column: str | None) -> Iterator[_Line]:
    numbers: list[int] = []  # of the line that the reader took last

    def texts() -> Iterator[str]:
        for number, text in numbered_lines(path):
            numbers[:] = [number]
            yield text + "\n"

    reader = (text[:-1].split("\t") for text in texts()) if tabs else csv.reader(texts(), strict=True)
    picked: _Picked | None = None
    width = 0
    try:
        for row in reader:
            if not any(field.strip() for field in row):
                continue
            where = f"{path}:{numbers[0]}"
            if picked is None:
                width, picked = len(row), _pick_columns(where, row, image_column, caption_column)
                if picked.header:
                    continue
            if len(row) != width:
                quote = "" if tabs else "; put a field that has a comma in quotes"
                raise InputError(f"{where}: {len(row)} fields, where the first row has {width}{quote}")
            image = None if picked.image is None else row[picked.image]
            captions = () if picked.caption is None else drop_blank([row[picked.caption]])
            yield _Line(where, numbers[0], image, captions)
    except csv.Error as error:
        raise InputError(f"{path}:{numbers[0] if numbers else 1}: not CSV ({error})") from None


class _Picked(NamedTuple):
    image: int | None
    caption: int | None
    header: bool  # whether the first row is one


def _pick_columns(where: str, row: list[str], image_column: str, caption_column: str | None) -> _Picked:
    """Where image and caption stand, from the first row."""
    named = [column for column in (caption_column, image_column) if column not in (None, DEFAULT_IMAGE)]
    numbers = [column for column in named if column.isdecimal()]
    if numbers and len(numbers) < len(named):
        raise InputError(f"{where}: columns {' and '.join(named)}: give two names, or two numbers")
    names = [str(n) for n in range(len(row))] if numbers else [name.strip() for name in row]
    for kind, column, may_lack in (("caption", caption_column, None), ("image", image_column, DEFAULT_IMAGE)):
        if column not in names and column != may_lack:
            if numbers:
                raise InputError(f"{where}: {kind}_column {column}: the row has {len(row)} columns, from 0")
            raise InputError(
                f"{_missing_column(where, kind, column, row)}; if the file has no header, give numbers, from 0"
            )
    return _Picked(
        image=names.index(image_column) if image_column in names else None,
        caption=None if caption_column is None else names.index(caption_column),
        header=not numbers,
    )


def _missing_column(where: str, kind: str, column: str | None, columns: list[str]) -> InputError:
    listed = ", ".join(repr(name if len(name) <= 40 else f"{name[:40]}…") for name in columns[:20])
    return InputError(f"{where}: no {kind} column {column!r}; there are {listed}")


def _image_path(table: Path, line: _Line) -> Path:
    if not isinstance(line.image, str) or not line.image.strip() or "\0" in line.image:
        raise InputError(f"{line.where}: the image must be a path, not {line.image!r}")
    if "://" in line.image:
        raise InputError(f"{line.where}: the image is a URL; download the images first, for example with img2dataset")
    if Path(line.image).is_absolute():
        return Path(line.image)
    if Path(os.path.normpath(line.image)).parts[:1] == ("..",):
        raise InputError(
            f"{line.where}: the image {line.image!r} lies outside the folder of the table; give an absolute path"
        )
    return table.parent / line.image
