"""Folders and zips of images, searched to the bottom; the captions of an image may lie beside it, as .txt or .json.

A folder with `metadata.csv`, `.jsonl` or `.parquet` is an imagefolder: the table has the captions.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from textgroup.data.sources.count import OTHER, Count
from textgroup.data.sources.members import IMAGES, TEXTS, Parts, Wanted, is_needed, most_bytes, part_of, sample_of
from textgroup.data.sources.names import kind_of
from textgroup.data.sources.sample import Sample
from textgroup.data.sources.streams import open_seekable
from textgroup.data.sources.tables import read_table
from textgroup.data.sources.zips import DAMAGED_ZIP, open_zip
from textgroup.errors import InputError


def read_folder(folder: Path, wanted: Wanted, count: Count) -> Iterator[Sample]:
    """The images of a folder in the order of their paths, which are their keys. Linked folders are not entered."""
    return _read_folder(folder, folder, wanted, count, set())


def read_zip(name: str, wanted: Wanted, count: Count) -> Iterator[Sample]:
    """The images of a zip as those of the folder that was packed, with their names in the zip as keys."""
    with open_seekable(name) as file, open_zip(name, file) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        files = {info.filename: info for info in infos}
        for _ in range(len(infos) - len(files)):
            count.skip(name, "a name that comes twice in the zip")
        folders: dict[str, list[str]] = {}
        for path in sorted(files):
            folders.setdefault(path.rpartition("/")[0], []).append(path)

        def read(path: str) -> bytes:
            with archive.open(files[path]) as member:  # what it says of its size may be a lie
                return member.read(most_bytes(path))

        for folder in sorted(folders):
            yield from _samples_of_files(name, folders[folder], read, wanted, count)


def _read_folder(folder: Path, top: Path, wanted: Wanted, count: Count, named: set[str]) -> Iterator[Sample]:
    """named: keys of the images that a table above has named."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"folder {folder}: it cannot be read ({error.strerror})") from None
    tables = [entry.name for entry in entries if entry.name.startswith("metadata.") and kind_of(entry.name)]
    if tables and wanted.caption_column is not None:
        for sample in read_table(str(folder / tables[0]), wanted, count):
            key = PurePosixPath(folder.relative_to(top), sample.key).as_posix()  # an absolute path stays as it is
            named.add(key)
            yield replace(sample, key=key)
    names = []
    for entry in entries:
        path = Path(entry.path)
        key = path.relative_to(top).as_posix()
        if entry.is_dir(follow_symlinks=False):
            yield from _read_folder(path, top, wanted, count, named)
        elif not _is_regular(entry):
            count.skip(entry.path, OTHER, "not a file, or a link to nothing")
        elif key not in named and entry.name not in tables:
            names.append(key)
    yield from _samples_of_files(str(top), names, lambda name: top / name, wanted, count)


def _is_regular(entry: os.DirEntry[str]) -> bool:
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False


def _samples_of_files(
    source: str, names: list[str], read: Callable[[str], bytes | Path], wanted: Wanted, count: Count
) -> Iterator[Sample]:
    """The images among the files of one folder, each with the captions beside it. Several may share a stem."""
    images = [name for name in names if is_needed(name) and part_of(name)[1] in IMAGES]
    stems = {part_of(name)[0] for name in images}
    beside: dict[str, list[str]] = {}
    for name in names:
        stem, extension = part_of(name)
        if extension not in IMAGES and not (is_needed(name) and stem in stems):
            count.skip(f"{source}: {name}", OTHER)
        elif extension in TEXTS and wanted.caption_column is not None:
            beside.setdefault(stem, []).append(name)
    for name in images:
        stem, extension = part_of(name)
        content = _read(source, name, read, count) if wanted.images else None
        if content is None and wanted.images:
            continue
        parts: Parts = {extension: (name, content)}
        for text in beside.get(stem, []):  # not before: those of a whole folder may be large
            if (written := _read(source, text, read, count)) is not None:
                parts[part_of(text)[1]] = (text, written)
        yield from sample_of(source, name, parts, wanted, count)


def _read(source: str, name: str, read: Callable[[str], Any], count: Count) -> bytes | Path | None:
    try:
        content: bytes | Path = read(name)
        return content
    except DAMAGED_ZIP:
        count.skip(f"{source}: {name}", "a file that is damaged in its zip, or locked")
        return None
