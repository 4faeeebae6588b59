"""The rows of all ranking benchmarks: one pair of image and caption that should score above another."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from textgroup.data.sources.lines import numbered_lines
from textgroup.data.sources.members import IMAGES, part_of
from textgroup.errors import InputError
from textgroup.files import read_json_value

MAX_FILE = 1 << 30
"""Bytes of a JSON file that is read; the largest official one, FOIL-COCO's test split, has about 60 MB."""
_COCO_SPLIT = re.compile(r"^COCO_(train|val|test)20\d\d_(?=\d{12}$)")


class Pair(NamedTuple):
    """An image, by its name (`image_name`), and a caption."""

    image: str
    caption: str


class Probe(NamedTuple):
    """One question: does `better`, which fits, score above `worse`, which does not?

    The two share their image (two captions for it) or their caption (two images for it).
    id: names the row within its category, the same in every copy of the file.
    """

    id: str
    category: str
    better: Pair
    worse: Pair


@dataclass
class Probes:
    """A benchmark as it was read.

    name: the kind of file, such as "svo". skipped: how many rows were left out, by (category, why).
    """

    name: str
    rows: list[Probe] = field(default_factory=list)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def skip(self, category: str, why: str) -> None:
        """Count a row that is left out."""
        self.skipped[category, why] += 1


def image_name(name: str) -> str:
    """The name of an image, whatever its format: its path without the ending.

    COCO's photographs have one id each, in the names of 2014 (`COCO_val2014_000000000042.jpg`) as in those of 2017
    (`000000000042.jpg`), so the prefix is left out.
    """
    stem, extension = part_of(name)
    folder, slash, base = (stem if extension in IMAGES else name).removeprefix("./").rpartition("/")
    return folder + slash + _COCO_SPLIT.sub("", base)


def records(path: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(key, place for messages, record) of a JSON object of objects, or of a list of them, numbered from 0."""
    content = read_json_value(path, MAX_FILE)
    if isinstance(content, list):
        content = {str(number): record for number, record in enumerate(content)}
    if not isinstance(content, dict):
        raise InputError(f"{path}: neither a JSON object nor a list: not a file of this benchmark")
    for key, record in content.items():
        yield key, f"{path}: entry {key!r}", json_object(record, f"{path}: entry {key!r}")


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place for messages, record) of a file with a JSON object a line."""
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}: not a line of JSON ({error})") from None
        yield f"{path}:{number}", json_object(record, f"{path}:{number}")


def json_object(record: Any, where: str) -> dict[str, Any]:
    """The record, if it is a JSON object."""
    if not isinstance(record, dict):
        raise InputError(f"{where}: not a JSON object but {str(record)[:40]!r}")
    return record


def json_field(record: dict[str, Any], name: str, kind: type | tuple[type, ...], where: str) -> Any:
    """`record[name]`, which must be there and of this type."""
    if name not in record:
        raise InputError(f"{where}: no field {name!r}; there are {', '.join(map(repr, list(record)[:20]))}")
    if not isinstance(record[name], kind):
        raise InputError(f"{where}: {name!r} is {str(record[name])[:40]!r}, which is not what this benchmark has there")
    return record[name]


def json_text(record: dict[str, Any], name: str, where: str) -> str:
    """A field that must be there and hold text, without white space around it; it may be empty."""
    content: str = json_field(record, name, str, where)
    return content.strip()


def json_files(path: Path) -> list[Path]:
    """The file itself, or the .json files of a directory in the order of their names."""
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.json"))
    if not files:
        raise InputError(f"{path}: no .json file in this directory")
    return files
