"""Images with captions from any source: webdataset tars, folders of images, tables, plain text."""

import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from textgroup.data.sources.entities import is_entities, read_entities
from textgroup.data.sources.shards import open_shard, shards_of
from textgroup.data.sources.tables import KINDS as TABLES
from textgroup.data.sources.tables import MAX_LINE, captions_of, drop_blank, kind_of, read_table
from textgroup.errors import InputError

IMAGES = (".jpg", ".jpeg", ".png", ".webp")
MAX_IMAGE = 64 << 20
"""Bytes of an encoded image. Of a longer tar member one byte more is read, so that a decoder can refuse it."""


@dataclass(frozen=True)
class Sample:
    """An image with its captions; either may be absent.

    key: the name of the image: stem of the tar member, path under the folder, path as the table writes it;
    number of the line (from 1) where there are captions only. captions: none of them blank.
    image: encoded bytes (tar), a path, or None.
    """

    key: str
    captions: tuple[str, ...]
    image: bytes | Path | None


def read_samples(
    source: str | Path,
    *,
    image_column: str = "image",
    caption_column: str = "caption",
    images: bool = True,
    captions: bool = True,
) -> Iterator[Sample]:
    """The samples of `source`, in an order that is always the same, in constant memory.

    source:
      - shards: a .tar, a folder of .tar files, a pattern, a brace range, a URL or "pipe:COMMAND" (see
        `shards.shards_of`). Members that share their name up to the first dot are a sample: .jpg, .jpeg, .png or
        .webp; .json with `caption_column` or "captions", or else .txt with one caption;
      - a folder of images, searched to the bottom, without captions;
      - .csv, .tsv (no quoting) or .jsonl, also .gz, with the columns `image_column` (a path, relative to the
        folder of the table) and `caption_column`. Consecutive rows of an image are one sample. Columns given as
        numbers, from 0, mean a file without a header. Without a column "image" there are captions only;
      - .txt, also .gz: a caption a line;
      - Flickr30k Entities (see `entities`): the captions of its train split, without their brackets.
    images: False leaves the images of tars unread (`Sample.image` is None): for keys and captions alone.
    captions: False leaves captions unread, and a table needs no column of them: for images alone.

    Blank captions are left out, and so is a row that has nothing else. Raises `InputError`, here or while
    reading, for everything that is missing, damaged, not UTF-8, too long or not as described.
    """
    if not str(source).strip():
        raise InputError("source: it is empty; give a .tar, a folder, a table (.csv, .tsv, .jsonl) or a .txt")
    column = caption_column if captions else None
    try:
        shards = shards_of(source)
        path = Path(source).expanduser()
        is_folder = path.is_dir()
    except (OSError, RuntimeError) as error:
        raise InputError(f"source {str(source)[:80]}: it cannot be read ({error})") from None
    if shards is not None:
        return _at_least_one(read_shards(shards, column, images), source)
    if is_entities(path):
        return _at_least_one(_read_entities(path), source)
    if is_folder:
        return _at_least_one(_read_folder(path, path), source)
    if not path.is_file():
        raise InputError(f"source {source}: no such file or folder")
    if kind_of(path) is None:
        raise InputError(f"source {source}: not one of .tar, {', '.join(TABLES)} (the last four also .gz), or a folder")
    rows = (Sample(*row) for row in read_table(path, image_column, column))
    return _at_least_one(rows, source)


def _at_least_one(samples: Iterator[Sample], source: str | Path) -> Iterator[Sample]:
    sample = None
    for sample in samples:
        yield sample
    if sample is None:
        raise InputError(f"source {source}: it holds neither images nor captions")


def _read_entities(path: Path) -> Iterator[Sample]:
    for image, captions in groupby(read_entities(path, "train").captions, key=lambda caption: caption.image):
        yield Sample(image, tuple(caption.text for caption in captions), None)


def _read_folder(folder: Path, top: Path) -> Iterator[Sample]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"folder {folder}: it cannot be read ({error.strerror})") from None
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _read_folder(path, top)
        elif path.suffix.lower() in IMAGES:
            yield Sample(path.relative_to(top).as_posix(), (), path)


def read_shards(shards: Sequence[str], caption_column: str | None = None, images: bool = True) -> Iterator[Sample]:
    """The samples of these shards, in order; see `read_samples`. caption_column: None leaves captions unread."""
    for shard in shards:
        with open_shard(shard) as archive:
            yield from _read_tar(shard, archive, caption_column, images)


def _read_tar(tar: str, archive: tarfile.TarFile, column: str | None, images: bool) -> Iterator[Sample]:
    key: str | None = None
    members: dict[str, bytes | None] = {}
    for member, extension, name in _named_members(archive):
        if name != key:
            if key is not None:
                yield from _sample_of(tar, key, members, column)
            key, members = name, {}
        kind = "image" if extension in IMAGES else extension
        if kind in members:
            raise InputError(f"{tar}: {name} has two members {'with an image' if kind == 'image' else kind}")
        if kind == "image":
            members[kind] = _read_member(archive, member, MAX_IMAGE + 1) if images else None
        elif kind in (".json", ".txt") and column is not None:
            if member.size > MAX_LINE:
                raise InputError(f"{tar}: {member.name} is longer than {MAX_LINE} bytes, too long for captions")
            members[kind] = _read_member(archive, member, MAX_LINE)
    if key is not None:
        yield from _sample_of(tar, key, members, column)


def _named_members(archive: tarfile.TarFile) -> Iterable[tuple[tarfile.TarInfo, str, str]]:
    for member in archive:
        folder, _, base = member.name.rpartition("/")
        stem, dot, extension = base.partition(".")
        if member.isfile() and stem and dot:
            yield member, f".{extension.lower()}", f"{folder}/{stem}" if folder else stem


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo, limit: int) -> bytes:
    file = archive.extractfile(member)
    assert file is not None, "only regular files come here"
    return file.read(limit)


def _sample_of(tar: str, key: str, members: dict[str, bytes | None], column: str | None) -> Iterator[Sample]:
    captions = _captions(f"{tar}: {key}", members, column)
    if "image" in members or captions:
        yield Sample(key, captions, members.get("image"))


def _captions(where: str, members: dict[str, bytes | None], column: str | None) -> tuple[str, ...]:
    text = members.get(".txt")
    try:
        record = json.loads(members.get(".json") or b"null")
        caption = "" if text is None else text.decode()
    except UnicodeDecodeError:
        raise InputError(f"{where}: its caption is not UTF-8; write the shard again") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}.json: not JSON ({error}); write the shard again") from None
    captions = None
    if isinstance(record, dict) and column is not None:
        captions = captions_of(record, column, f"{where}.json")
    return drop_blank([caption]) if captions is None else captions
