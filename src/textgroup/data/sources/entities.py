"""Flickr30k Entities (Plummer et al., 2017): captions whose phrases people have bracketed.

The official layout, as a directory or a zip: `train.txt`, `val.txt` and `test.txt` hold an image id a line,
`Sentences/<image id>.txt` the captions of an image, one a line:

    [/EN#1/people A man] rides [/EN#2/vehicles a red bike] along [/EN#0/notvisual the way] .
"""

import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from textgroup.errors import InputError

MAX_FILE = 16 << 20
"""Bytes of one file; the largest official one, the train list, has 0.3 MB."""
_PHRASE = re.compile(r"\[/EN#(\w+)/([^\s\[\]]+) ([^\[\]]+)\]")
DAMAGED_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError),
    UnicodeDecodeError,  # a member's name that says it is UTF-8, and is not
)
"""What `zipfile` raises, one for each thing that may be broken."""
_NAME = re.compile(r"[\w-]+")
NOT_VISUAL = "0"
"""The chain of phrases that name nothing in the image; their type is `notvisual`."""


class Phrase(NamedTuple):
    """`caption[start:end]` is the phrase; phrases of one chain name the same thing; types such as ("people",)."""

    start: int
    end: int
    chain: str
    types: tuple[str, ...]


class EntityCaption(NamedTuple):
    """A caption without its brackets, and its phrases from left to right."""

    image: str
    text: str
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True)
class Entities:
    """The captions of a split, in the order of its list, and a line for each thing that was skipped."""

    captions: list[EntityCaption]
    skipped: list[str]


def read_entities(where: str | Path, split: str, *, drop_notvisual: bool = False) -> Entities:
    """The captions of `split` under `where`, a directory or a zip.

    drop_notvisual: leave out the phrases of chain 0; their tokens then count as un-annotated. Skipped and named: a
    caption whose brackets are broken, an image without a sentence file, the repetition of an image. Raises
    `InputError` for a damaged archive, a missing list, and a split of which nothing can be read.
    """
    if not is_entities(where):
        raise InputError(f"annotations {where}: give the directory or the zip that holds Sentences/ and {split}.txt")
    if Path(where).is_dir():
        return _read_split(where, split, _directory_reader(Path(where)), drop_notvisual)
    try:
        with zipfile.ZipFile(where) as archive:
            return _read_split(where, split, _zip_reader(archive), drop_notvisual)
    except DAMAGED_ZIP as error:
        raise InputError(f"annotations {where}: not a whole zip ({error}); download it again") from None


def is_entities(where: str | Path) -> bool:
    """Whether `where` looks like this data set: a zip, or a directory with `Sentences`."""
    path = Path(where)
    return (path / "Sentences").is_dir() or (path.is_file() and path.suffix.lower() == ".zip")


def parse(line: str) -> tuple[str, tuple[Phrase, ...]] | None:
    """A line's text without brackets, and its phrases; None where the brackets are broken."""
    text, phrases, last = "", [], 0
    for match in _PHRASE.finditer(line):
        text += line[last : match.start()]
        chain, types, words = match.groups()
        phrases.append(Phrase(len(text), len(text) + len(words), chain, tuple(types.split("/"))))
        text, last = text + words, match.end()
    text += line[last:]
    return None if "[/EN#" in text or "]" in text else (text, tuple(phrases))


def _read_split(where: str | Path, split: str, read: Callable[[str], str | None], drop_notvisual: bool) -> Entities:
    listed = read(f"{split}.txt") if _NAME.fullmatch(split) else None
    if listed is None:
        raise InputError(f"annotations {where}: no {split}.txt in it, so there is no split {split!r}")
    captions, skipped = [], []
    for image, times in Counter(listed.split()).items():
        if times > 1:
            skipped.append(f"image {image[:40]}: listed {times} times, taken once")
        lines = read(f"Sentences/{image}.txt") if _NAME.fullmatch(image) else None
        if lines is None:
            skipped.append(f"image {image[:40]}: no Sentences/{image[:40]}.txt")
            continue
        for number, line in enumerate(lines.splitlines(), 1):
            parsed = parse(line.strip())
            if parsed is None:
                skipped.append(f"Sentences/{image}.txt, line {number}: its brackets are broken")
            elif parsed[0]:
                phrases = tuple(p for p in parsed[1] if p.chain != NOT_VISUAL or not drop_notvisual)
                captions.append(EntityCaption(image, parsed[0], phrases))
    if not captions:
        raise InputError(f"annotations {where}: split {split!r} holds no caption ({len(skipped)} entries skipped)")
    return Entities(captions, skipped)


def _directory_reader(path: Path) -> Callable[[str], str | None]:
    def read(name: str) -> str | None:
        file = path / name
        if not file.is_file():
            return None
        with file.open("rb") as opened:
            return _decode_text(f"{path}/{name}", opened.read(MAX_FILE + 1))

    return read


def _zip_reader(archive: zipfile.ZipFile) -> Callable[[str], str | None]:
    names = set(archive.namelist())

    def read(name: str) -> str | None:
        if name not in names:
            return None
        with archive.open(name) as opened:
            return _decode_text(f"{archive.filename}: {name}", opened.read(MAX_FILE + 1))

    return read


def _decode_text(name: str, content: bytes) -> str:
    if len(content) > MAX_FILE:
        raise InputError(f"{name}: longer than {MAX_FILE:,} bytes; this is not a file of Flickr30k Entities")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8; download it again") from None
