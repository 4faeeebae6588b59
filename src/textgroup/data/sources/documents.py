"""JSON: a record a line, a list of records, or one document in the layout of COCO or of Karpathy's splits.

Documents are streamed by `ijson`; of COCO's only the names of the images and the captions are held.
"""

import json
from collections.abc import Iterator
from typing import Any

import ijson

from textgroup.data.sources.count import Count
from textgroup.data.sources.lines import numbered_lines
from textgroup.data.sources.names import url_scheme
from textgroup.data.sources.records import Record
from textgroup.data.sources.streams import CUT, open_stream
from textgroup.errors import InputError

NO_OBJECT = "a record that is no JSON object"
_BROKEN = (ijson.JSONError, ValueError, RecursionError)


def read_json_lines(name: str, count: Count) -> Iterator[Record]:
    """A JSON object a line. Lines that are none are left out and counted."""
    for number, text in numbered_lines(name, count):
        if not text.strip():
            continue
        where = f"{name}:{number}"
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            count.skip(where, "a line that is not JSON")
            continue
        if isinstance(record, dict):
            yield Record(where, number, record)
        else:
            count.skip(where, NO_OBJECT)


def read_document(name: str, count: Count) -> Iterator[Record]:
    """The records of a .json file: a list of them, an object of them, COCO's captions, Karpathy's splits."""
    if url_scheme(name) == "pipe":
        raise InputError(f"{name[:80]}: a command writes a tar; save the JSON to a file")
    try:
        with open_stream(name) as file:
            begin = file.read(1 << 16).lstrip(b"\xef\xbb\xbf \t\r\n")
        if begin.startswith(b"["):
            yield from _list(name, "item", count)
        elif begin.startswith(b"{"):
            yield from _object(name, count)
        else:  # perhaps a JSON object a line, with another ending
            raise InputError(f"{name}: not JSON: it begins neither with a list nor with an object")
    except (*_BROKEN, *CUT) as error:
        if isinstance(error, InputError):
            raise
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{name}: not JSON, or damaged ({said}); download it again") from None


def _items(name: str, prefix: str) -> Iterator[Any]:
    with open_stream(name) as file:
        yield from ijson.items(_WithoutMark(file), prefix, use_float=True)


class _WithoutMark:
    """A stream without the byte order mark."""

    def __init__(self, file: Any) -> None:
        self._file, self._begun = file, False

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        if not self._begun and size:
            self._begun, data = True, data.removeprefix(b"\xef\xbb\xbf")
        return data


def _list(name: str, prefix: str, count: Count) -> Iterator[Record]:
    for number, record in enumerate(_items(name, prefix), 1):
        if isinstance(record, dict):
            yield Record(f"{name}: record {number}", number, record)
        else:
            count.skip(f"{name}: record {number}", NO_OBJECT)


def _object(name: str, count: Count) -> Iterator[Record]:
    files: dict[Any, str] = {}
    for number, image in enumerate(_items(name, "images.item"), 1):
        if not isinstance(image, dict):
            count.skip(f"{name}: image {number}", NO_OBJECT)
        elif "sentences" in image:
            yield Record(f"{name}: image {number}", number, _of_karpathy(image))
        elif isinstance(image.get("file_name"), str) and isinstance(image.get("id"), int | str):
            files[image["id"]] = image["file_name"]
    if files:
        yield from _of_coco(name, files, count)
        return
    with open_stream(name) as file:
        for number, (key, record) in enumerate(ijson.kvitems(_WithoutMark(file), "", use_float=True), 1):
            if key in ("images", "annotations"):
                return
            if isinstance(record, dict):
                yield Record(f"{name}: record {key[:40]!r}", number, record)
            elif key not in ("info", "licenses", "dataset", "version"):
                count.skip(f"{name}: record {key[:40]!r}", NO_OBJECT)


def _of_karpathy(image: dict[str, Any]) -> dict[str, Any]:
    """With its folder, if it has one, in the name of the file."""
    name, folder = image.get("filename"), image.get("filepath")
    return {**image, "filename": f"{folder}/{name}"} if isinstance(folder, str) and isinstance(name, str) else image


def _of_coco(name: str, files: dict[Any, str], count: Count) -> Iterator[Record]:
    captions: dict[Any, list[Any]] = {}
    for number, annotation in enumerate(_items(name, "annotations.item"), 1):
        where = f"{name}: annotation {number}"
        if not isinstance(annotation, dict):
            count.skip(where, NO_OBJECT)
        elif "caption" not in annotation:
            count.skip(where, "an annotation without a caption")
        elif not isinstance(annotation.get("image_id"), int | str) or annotation["image_id"] not in files:
            count.skip(where, "an annotation of an image that is not listed")
        else:
            captions.setdefault(annotation["image_id"], []).append(annotation["caption"])
    for number, (image, texts) in enumerate(captions.items(), 1):
        yield Record(f"{name}: image {image}", number, {"image": files[image], "caption": texts})
