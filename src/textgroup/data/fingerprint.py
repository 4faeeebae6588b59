"""Whether a source still holds what was read from it: names, sizes and times of its files, never their content."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from textgroup.data.sources.count import Count
from textgroup.data.sources.hub import HUB
from textgroup.data.sources.names import files_of, kind_of, url_scheme
from textgroup.data.sources.samples import read_samples, split_of
from textgroup.errors import InputError
from textgroup.files import LOCK, expand_user


def fingerprint(source: str, image_column: str | None = None) -> str:
    """A digest of name, size and time of change of every local file that `source` stands for: shards of a range or
    pattern, all files below a directory, a table. Of URLs and commands only the names are known.

    image_column: of a table, whose images count too; None: its captions alone are used.
    """
    digest = hashlib.sha256()
    for file in _files_of(source, image_column):
        try:
            stat = Path(file).stat()
            state = f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
        except OSError:  # it is not there, or not local
            state = f"{file}\n"
        digest.update(state.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files_of(source: str, image_column: str | None) -> Iterator[str]:
    """In an order that is always the same."""
    name, _ = split_of(source)
    if name.startswith(HUB):
        yield name
        return
    path = expand_user(name)
    try:
        files = files_of(name)
    except InputError:  # it is not there: whoever reads it says so
        yield name
        return
    if files is None:
        yield from _files_below(path)
        return
    yield from files
    tables = all(kind_of(file) not in (".tar", ".zip") and url_scheme(file) is None for file in files)
    if image_column is not None and tables:
        yield from _images_of(source, image_column)


def _images_of(table: str, image_column: str) -> Iterator[str]:
    samples = read_samples(table, image_column=image_column, captions=False, count=Count())
    try:
        yield from (str(sample.image) for sample in samples if isinstance(sample.image, Path))
    except InputError:  # it names no images: whoever wants them says so
        return


def _files_below(path: Path) -> Iterator[str]:
    for folder, inner, files in os.walk(path):
        if LOCK in files:  # a store or run that is written there: no part of the source
            inner.clear()
            continue
        inner.sort()
        yield from (f"{folder}/{name}" for name in sorted(files))
