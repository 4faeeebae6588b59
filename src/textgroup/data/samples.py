"""Images with captions, read for what they are: webdataset tars, folders of images, tables, plain text."""

import glob
import json
import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textgroup.data.tables import KINDS as TABLES
from textgroup.data.tables import MAX_LINE, captions_of, kind_of, read_table
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
    source: str | Path, *, image_column: str = "image", caption_column: str = "caption", images: bool = True
) -> Iterator[Sample]:
    """The samples of `source`, in an order that is always the same, in constant memory.

    source:
      - a .tar, a folder of .tar files, or a pattern such as "cc3m/*.tar", in the order of the names. Members that
        share their name up to the first dot are a sample: .jpg, .jpeg, .png or .webp; .json with
        `caption_column` or "captions", or else .txt with one caption;
      - a folder of images, searched to the bottom, without captions;
      - .csv, .tsv (no quoting) or .jsonl, also .gz, with the columns `image_column` (a path, relative to the
        folder of the table) and `caption_column`. Consecutive rows of an image are one sample. Columns given as
        numbers, from 0, mean a file without a header. Without a column "image" there are captions only;
      - .txt, also .gz: a caption a line.
    images: False leaves the images of tars unread (`Sample.image` is None): for keys and captions alone.

    Blank captions are left out, and so is a row that has nothing else. Raises `InputError`, here or while
    reading, for everything that is missing, damaged, not UTF-8, too long or not as described.
    """
    if not str(source).strip():
        raise InputError("source: it is empty; give a .tar, a folder, a table (.csv, .tsv, .jsonl) or a .txt")
    path = Path(source).expanduser()
    if path.is_dir():
        tars = sorted(path.glob("*.tar"))
        return _at_least_one(_read_tars(tars, caption_column, images) if tars else _read_folder(path), path)
    if not path.exists() and glob.has_magic(str(path)):
        tars = sorted(map(Path, glob.glob(str(path))))  # noqa: PTH207: pathlib has no absolute patterns
        if not tars:
            raise InputError(f"source {source}: no file matches this pattern")
        if other := [tar for tar in tars if tar.suffix != ".tar"]:
            raise InputError(f"source {source}: a pattern is for .tar files, but it also matches {other[0]}")
        return _at_least_one(_read_tars(tars, caption_column, images), path)
    if not path.is_file():
        raise InputError(f"source {source}: no such file or folder")
    if path.suffix == ".tar":
        return _at_least_one(_read_tars([path], caption_column, images), path)
    if kind_of(path) is None:
        raise InputError(f"source {source}: not one of .tar, {', '.join(TABLES)} (the last four also .gz), or a folder")
    rows = (Sample(*row) for row in read_table(path, image_column, caption_column))
    return _at_least_one(rows, path)


def _at_least_one(samples: Iterator[Sample], source: Path) -> Iterator[Sample]:
    sample = None
    for sample in samples:
        yield sample
    if sample is None:
        raise InputError(f"source {source}: it holds neither images nor captions")


def _read_folder(folder: Path, top: Path | None = None) -> Iterator[Sample]:
    top = top or folder
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _read_folder(path, top)
        elif path.suffix.lower() in IMAGES:
            yield Sample(path.relative_to(top).as_posix(), (), path)


def _read_tars(tars: list[Path], caption_column: str, images: bool) -> Iterator[Sample]:
    for tar in tars:  # all of them before the first image is decoded: a bad shard shows at once
        _check_end(tar)

    def read() -> Iterator[Sample]:
        for tar in tars:
            try:
                with tarfile.open(tar, "r|", bufsize=1 << 20) as archive:
                    yield from _read_tar(tar, archive, caption_column, images)
            except (tarfile.TarError, EOFError, OSError) as error:
                raise InputError(f"{tar}: not a whole tar file ({error}); download or write it again") from None

    return read()


def _check_end(tar: Path) -> None:
    """A tar ends with zeros; `tarfile` takes one that was cut between two members for whole."""
    try:
        with tar.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 512))
            if size == 0 or any(file.read()):
                raise InputError(f"{tar}: not a whole tar file (its end is missing); download or write it again")
    except OSError as error:
        raise InputError(f"{tar}: it cannot be read ({error.strerror})") from None


def _read_tar(tar: Path, archive: tarfile.TarFile, caption_column: str, images: bool) -> Iterator[Sample]:
    key: str | None = None
    parts: dict[str, bytes] = {}
    for member, extension, name in _members(archive):
        if name != key:
            if key is not None:
                yield from _sample(tar, key, parts, caption_column)
            key, parts = name, {}
        kind = "image" if extension in IMAGES else extension
        if kind in parts:
            raise InputError(f"{tar}: {name} has two members {'with an image' if kind == 'image' else kind}")
        if kind == "image":
            parts[kind] = _read(archive, member, MAX_IMAGE + 1) if images else b""
        elif kind in (".json", ".txt"):
            if member.size > MAX_LINE:
                raise InputError(f"{tar}: {member.name} is longer than {MAX_LINE} bytes, too long for captions")
            parts[kind] = _read(archive, member, MAX_LINE)
    if key is not None:
        for sample in _sample(tar, key, parts, caption_column):
            yield sample if images else Sample(sample.key, sample.captions, None)


def _members(archive: tarfile.TarFile) -> Iterable[tuple[tarfile.TarInfo, str, str]]:
    for member in archive:
        folder, _, base = member.name.rpartition("/")
        stem, dot, extension = base.partition(".")
        if member.isfile() and stem and dot:
            yield member, f".{extension.lower()}", f"{folder}/{stem}" if folder else stem


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo, most: int) -> bytes:
    file = archive.extractfile(member)
    assert file is not None, "only regular files come here"
    return file.read(most)


def _sample(tar: Path, key: str, parts: dict[str, bytes], caption_column: str) -> Iterator[Sample]:
    where = f"{tar}: {key}"
    captions: tuple[str, ...] | None = None
    try:
        if ".json" in parts:
            record: Any = json.loads(parts[".json"])
            if isinstance(record, dict):
                captions = captions_of(record, caption_column, f"{where}.json")
        if captions is None and ".txt" in parts:
            captions = tuple(filter(None, [parts[".txt"].decode().strip()]))
    except UnicodeDecodeError:
        raise InputError(f"{where}: its caption is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}.json: not JSON ({error})") from None
    if "image" in parts or captions:
        yield Sample(key, captions or (), parts.get("image"))
