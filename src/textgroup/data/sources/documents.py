"""JSON: a record a line, a list of records, or one document in the layout of COCO or of Karpathy's splits.

Documents are streamed by `ijson`; of COCO's only the names of the images and the captions are held.
"""

import json
from collections.abc import Iterator
from typing import Any

import ijson

from textgroup.data.sources.columns import CAPTION, IMAGE
from textgroup.data.sources.count import Count
from textgroup.data.sources.lines import MAX_LINE, numbered_lines
from textgroup.data.sources.names import url_scheme
from textgroup.data.sources.records import Record
from textgroup.data.sources.streams import CUT, open_stream
from textgroup.errors import InputError

NO_OBJECT = "a record that is no JSON object"
ABOUT = ("info", "licenses", "categories", "dataset", "type", "version")
"""Keys of a document that hold no records."""
MAX_DEPTH = 64
"""Brackets within each other in a record."""
_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
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


def is_json_lines(name: str) -> bool:
    """Whether a .json holds an object a line, as many do, and not one document."""
    try:
        with open_stream(name) as file:
            first, _, rest = file.read(MAX_LINE).removeprefix(b"\xef\xbb\xbf").partition(b"\n")
        return rest.lstrip().startswith(b"{") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError, *CUT):  # `read_document` says what is wrong
        return False


def read_document(name: str, count: Count) -> Iterator[Record]:
    """The records of a .json file: a list of them, an object of them, COCO's captions, Karpathy's splits."""
    if url_scheme(name) == "pipe":
        raise InputError(f"{name[:80]}: a command writes a tar; save the JSON to a file")
    files: dict[Any, str] = {}
    captions: dict[Any, list[Any]] = {}
    try:
        for number, (key, value) in enumerate(_values(name), 1):
            where = f"{name}: record {number}" if key is None else f"{name}: {key[:40]}, record {number}"
            if key in ABOUT:
                continue
            if not isinstance(value, dict):
                count.skip(where, NO_OBJECT)
            elif key == "images" and "sentences" not in value:
                if isinstance(value.get("id"), int | str) and isinstance(value.get("file_name"), str):
                    files[value["id"]] = value["file_name"]
            elif key != "annotations":
                yield Record(where, number, _of_karpathy(value) if key == "images" else value)
            elif "caption" not in value or not isinstance(value.get("image_id"), int | str):
                count.skip(where, "an annotation without a caption or an image")
            else:
                captions.setdefault(value["image_id"], []).append(value["caption"])
    except (*_BROKEN, *CUT) as error:
        if isinstance(error, InputError):
            raise
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{name}: not JSON, or damaged ({said}); download it again") from None
    for number, (image, texts) in enumerate(captions.items(), 1):
        where = f"{name}: image {str(image)[:40]}"
        if image in files:
            yield Record(where, number, {IMAGE: files[image], CAPTION: texts})
        for _ in texts if image not in files else ():
            count.skip(where, "an annotation of an image that is not listed")


def _values(name: str) -> Iterator[tuple[str | None, Any]]:
    """The elements of a list, with None, or the values of an object, with their keys; of a list in it each element.

    `ijson.items` would do, but it takes quadratic time where brackets are nested deeply.
    """
    key: str | None = None
    builder, opened, nested = None, 0, 0
    with open_stream(name) as file:
        for event, value in ijson.basic_parse(_WithoutMark(file), use_float=True):
            step = _STEPS.get(event, 0)
            if builder is None:
                if event == "map_key":
                    key = value
                    continue
                outside = opened == 0 or (opened == 1 and key is not None and event == "start_array")
                if step < 0 or (step > 0 and outside):
                    opened += step
                    continue
                builder = ijson.ObjectBuilder()
            builder.event(event, value)
            nested += step
            if nested > MAX_DEPTH:
                raise ValueError(f"more than {MAX_DEPTH} brackets within each other")
            if nested == 0:
                yield key, builder.value
                builder = None


class _WithoutMark:
    """A stream without the byte order mark."""

    def __init__(self, file: Any) -> None:
        self._file, self._begun = file, False

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        if not self._begun and size:
            self._begun, data = True, data.removeprefix(b"\xef\xbb\xbf")
        return data


def _of_karpathy(image: dict[str, Any]) -> dict[str, Any]:
    """With its folder, if it has one, in the name of the file."""
    name, folder = image.get("filename"), image.get("filepath")
    return {**image, "filename": f"{folder}/{name}"} if isinstance(folder, str) and isinstance(name, str) else image
