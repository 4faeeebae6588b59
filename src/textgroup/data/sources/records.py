"""From the records of a table, whatever its format, to samples."""

import os.path
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from textgroup.data.sources.columns import Columns, pick_columns
from textgroup.data.sources.count import OTHER_SPLIT, Count
from textgroup.data.sources.members import Wanted
from textgroup.data.sources.names import url_scheme
from textgroup.data.sources.sample import Sample
from textgroup.data.sources.texts import texts_of
from textgroup.errors import InputError

TRAINING = ("train", "restval")
"""The splits that are read of a format that has all of them in one file, where none is named."""
SPLIT_FORMATS = ("sentences", "description")
"""Caption columns of those: Karpathy's and DOCCI's."""
NO_IMAGE = "a row without an image"


class Record(NamedTuple):
    """where: file and row, for messages. number: of the row or line, from 1."""

    where: str
    number: int
    values: dict[str, Any]


class _Image(NamedTuple):
    key: str
    content: bytes | Path | None


def samples_of_records(
    records: Iterable[Record], name: str, wanted: Wanted, count: Count, split: str | None = None
) -> Iterator[Sample]:
    """The samples of a table; consecutive records of an image are one. split: only the records of this one.

    Where images alone are asked for, an image comes once, however many records it has. Raises `InputError` for a
    column that is not there.
    """
    columns: Columns | None = None
    image: _Image | None = None
    captions: list[str] = []
    seen: set[str] | None = set() if wanted.caption_column is None else None

    def whole() -> Iterator[Sample]:
        if image is None or (seen is not None and image.key in seen):
            return
        if seen is not None and not isinstance(image.content, bytes):  # a path is the same image, wherever it comes
            seen.add(image.key)
        count.use(len(captions), True)
        yield Sample(image.key, tuple(captions), image.content, name)

    for record in records:
        if columns is None:
            columns = pick_columns(record.where, list(record.values), wanted.image_column, wanted.caption_column)
        if not _is_of_split(record, columns, split):
            count.skip(record.where, OTHER_SPLIT)
            continue
        found = None
        if columns.image is not None:
            found = _image_of(record, columns.image, name, wanted, count)
            if found is None:
                continue
        texts = [text for column in columns.captions for text in _texts(record, column, count)]
        if found is None:
            if texts:
                count.use(len(texts), False)
                yield Sample(str(record.number), tuple(texts), None, name)
        elif found == image:
            captions += texts
        else:
            yield from whole()
            image, captions = found, texts
    yield from whole()


def _is_of_split(record: Record, columns: Columns, split: str | None) -> bool:
    own = record.values.get("split")
    if split is not None:
        return bool(own == split)
    return not (isinstance(own, str) and {*columns.captions} & {*SPLIT_FORMATS}) or own in TRAINING


def _texts(record: Record, column: str, count: Count) -> tuple[str, ...]:
    if column not in record.values:
        count.skip(record.where, "a row without the column of the captions")
        return ()
    return texts_of(record.values[column]).counted(record.where, count)


def _image_of(record: Record, column: str, name: str, wanted: Wanted, count: Count) -> _Image | None:
    """The image of a record; None if it has none that can be meant, which is counted."""
    value = record.values.get(column)
    key = record.values.get("key")
    if isinstance(value, dict):  # of `datasets` and of Parquet written by it: {"bytes": ..., "path": ...}
        key, value = value.get("path") or key, value["bytes"] if value.get("bytes") is not None else value.get("path")
    if isinstance(value, bytes):
        named = key if isinstance(key, str) and key else f"{PurePath(name).stem}-{record.number}"
        return _Image(named, value if wanted.images else None)
    if value is None or (isinstance(value, str) and not value.strip()):
        count.skip(record.where, NO_IMAGE)
    elif not isinstance(value, str) or "\0" in value:
        count.skip(record.where, "an image that is neither a path nor encoded", f"it is {value!r:.40}")
    elif "://" in value:
        if not wanted.images:
            return _Image(value.strip(), None)
        raise InputError(
            f"{record.where}: the image is a URL; download the images first, for example with img2dataset, or name "
            "the column of their files with image_column"
        )
    elif _climbs(value.strip()):
        count.skip(record.where, "an image outside the folder of its table (give an absolute path)", value[:80])
    else:
        path = value.strip()
        if url_scheme(name) is None:
            return _Image(path, Path(name).parent / path)
        if not wanted.images:
            return _Image(path, None)
        raise InputError(
            f"{record.where}: the images of a table on the web are not fetched: download it with its images"
        )
    return None


def _climbs(path: str) -> bool:
    return not Path(path).is_absolute() and Path(os.path.normpath(path)).parts[:1] == ("..",)
