"""Flickr30k Entities (Plummer et al., 2017): captions whose phrases people have bracketed.

The official layout, as a directory or a zip: `train.txt`, `val.txt` and `test.txt` hold an image id a line,
`Sentences/<image id>.txt` the captions of an image, one a line:

    [/EN#1/people A man] rides [/EN#2/vehicles a red bike] along [/EN#0/notvisual the way] .
"""

import re
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from textgroup.data.sources.count import BLANK
from textgroup.data.sources.zips import DAMAGED_ZIP, open_zip
from textgroup.errors import InputError
from textgroup.files import expand_user

MAX_LIST = 4 << 20
"""Bytes of a list of images; the largest official one, of the train split, has 0.3 MB."""
MAX_SENTENCES = 64 << 10
"""Bytes of the captions of an image; official ones have less than 2 kB."""
MAX_CAPTIONS = 100
"""Captions of an image; official ones have 5. So what a zip unpacks to is bounded by the number of its members."""
_PHRASE = re.compile(r"\[/EN#(\w+)/([^\s\[\]]+) ([^\[\]]+)\]")
_NAME = re.compile(r"[\w-]+")
FOLDER = "Sentences"
_SENTENCES = re.compile(rf"^((?:[^/]+/)?){FOLDER}/[^/]+\.txt$")
"""A file of captions in a zip, perhaps in the one folder that was packed."""
NOT_VISUAL = "0"
"""The chain of phrases that name nothing in the image; their type is `notvisual`."""


Reader = Callable[[str, int], bytes | None]
"""The content of a file, but no more than shows that it is longer than so many bytes; None: there is none."""


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
    where = expand_user(where)
    if where.is_dir() and is_entities(where):
        return _read_split(where, split, _directory_reader(where), drop_notvisual)
    if not where.is_file() or (not zipfile.is_zipfile(where) and where.suffix.lower() != ".zip"):
        raise InputError(f"annotations {where}: give the directory or the zip that holds Sentences/ and {split}.txt")
    with open_zip(f"annotations {where}", str(where)) as archive:
        return _read_split(where, split, _zip_reader(archive), drop_notvisual)


def is_entities(where: str | Path) -> bool:
    """Whether `where` looks like this data set: a directory with `Sentences`, or a zip with that in it."""
    path = Path(where)
    if path.is_dir():
        return (path / FOLDER).is_dir()
    try:
        with zipfile.ZipFile(path) as archive:
            return any(_SENTENCES.search(name) for name in archive.namelist())
    except DAMAGED_ZIP:
        return False


def parse(line: str) -> tuple[str, tuple[Phrase, ...]] | None:
    """A line's text without brackets, and its phrases; None where the brackets are broken."""
    pieces: list[str] = []
    phrases: list[Phrase] = []
    length = last = 0
    for match in _PHRASE.finditer(line):
        before = line[last : match.start()]
        chain, types, words = match.groups()
        start = length + len(before)
        length, last = start + len(words), match.end()
        pieces += [before, words]
        phrases.append(Phrase(start, length, chain, tuple(types.split("/"))))
    text = "".join([*pieces, line[last:]])
    return None if "[/EN#" in text or "]" in text else (text, tuple(phrases))


def _read_split(where: Path, split: str, read: Reader, drop_notvisual: bool) -> Entities:
    listed = read(f"{split}.txt", MAX_LIST) if _NAME.fullmatch(split) else None
    if listed is None:
        raise InputError(f"annotations {where}: no {split}.txt in it, so there is no split {split!r}")
    if len(listed) > MAX_LIST:
        raise InputError(f"annotations {where}: {split}.txt is longer than {MAX_LIST:,} bytes: not Flickr30k Entities")
    captions, skipped = [], []
    images = _decode_text(listed)
    if images is None:
        raise InputError(f"annotations {where}: {split}.txt is not UTF-8; download it again")
    for image, times in Counter(images.split()).items():
        if times > 1:
            skipped.append(f"image {image[:40]}: listed {times} times, taken once")
        content = read(f"{FOLDER}/{image}.txt", MAX_SENTENCES) if _NAME.fullmatch(image) else None
        if content is None:
            skipped.append(f"image {image[:40]}: no {FOLDER}/{image[:40]}.txt")
            continue
        text = _decode_text(content)
        if text is None:
            skipped.append(f"{FOLDER}/{image[:40]}.txt: not UTF-8")
            continue
        lines = text.splitlines()
        if len(content) > MAX_SENTENCES or len(lines) > MAX_CAPTIONS:
            most = f"{MAX_SENTENCES:,} bytes or {MAX_CAPTIONS} lines"
            skipped.append(f"{FOLDER}/{image[:40]}.txt: more than {most}, not captions of an image")
            continue
        for number, line in enumerate(lines, 1):
            parsed = parse(line.strip())
            if parsed is None:
                skipped.append(f"{FOLDER}/{image}.txt, line {number}: its brackets are broken")
            elif not parsed[0]:
                skipped.append(f"{FOLDER}/{image}.txt, line {number}: {BLANK}")
            else:
                phrases = tuple(p for p in parsed[1] if p.chain != NOT_VISUAL or not drop_notvisual)
                captions.append(EntityCaption(image, parsed[0], phrases))
    if not captions:
        why = f" ({len(skipped)} entries skipped, such as {skipped[0]})" if skipped else ""
        raise InputError(f"annotations {where}: split {split!r} holds no caption{why}")
    return Entities(captions, skipped)


def _directory_reader(path: Path) -> Reader:
    def read(name: str, limit: int) -> bytes | None:
        file = path / name
        if not file.is_file():
            return None
        with file.open("rb") as opened:
            return opened.read(limit + 1)

    return read


def _zip_reader(archive: zipfile.ZipFile) -> Reader:
    names = set(archive.namelist())
    folder = next((match[1] for name in sorted(names) if (match := _SENTENCES.match(name))), "")

    def read(name: str, limit: int) -> bytes | None:
        if folder + name not in names:
            return None
        with archive.open(folder + name) as opened:
            return opened.read(limit + 1)

    return read


def _decode_text(content: bytes) -> str | None:
    """None: it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
