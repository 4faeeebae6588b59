"""Images with captions from any source: tars, zips and folders of images, tables, plain text, data sets of the Hub."""

import warnings
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path

from textgroup.data.sources.count import OTHER, Count
from textgroup.data.sources.entities import is_entities, read_entities
from textgroup.data.sources.folders import read_folder, read_zip
from textgroup.data.sources.hub import HUB, read_hub
from textgroup.data.sources.members import IMAGES, MAX_IMAGE, Wanted
from textgroup.data.sources.names import files_of, kind_of, url_scheme
from textgroup.data.sources.sample import Sample
from textgroup.data.sources.tables import read_table
from textgroup.data.sources.tars import check_tars, is_seekable, read_tar
from textgroup.errors import InputError
from textgroup.files import expand_user

__all__ = ["IMAGES", "MAX_IMAGE", "Sample", "read_files", "read_samples"]


def read_samples(
    source: str | Path,
    *,
    image_column: str = "image",
    caption_column: str = "caption",
    images: bool = True,
    captions: bool = True,
    count: Count | None = None,
) -> Iterator[Sample]:
    """The samples of `source`, in an order that is always the same.

    source: one of
      - tars: a file, a folder or pattern of them, a brace range, a URL or "pipe:COMMAND" (see `names.files_of`).
        Members that share their name up to the last dot are a sample: an image, a .json with captions, or else a .txt;
      - a folder or zip of images, searched to the bottom, each with the .txt or .json beside it; or an imagefolder;
      - .csv, .tsv, .jsonl, .json, .parquet, also compressed, with the columns `image_column` (a path, relative to the
        folder of the table, or encoded images) and `caption_column` (several with commas between), or those of a format
        that docs/data.md names. Columns given as numbers, from 0, mean a file without a header;
      - .txt: a caption a line, or a table that says what it is;
      - Flickr30k Entities, a folder or zip (see `entities`): its captions without their brackets;
      - "datasets:NAME", a data set of the Hub or in a directory (extra `hub`).
    "SOURCE#SPLIT" reads a split of what has several in one place; without it, the one to train on.

    images: False leaves encoded images unread (`Sample.image` is None): for keys and captions alone. captions: False
    leaves captions unread, and a table needs no column of them: for images alone. count: filled with what was used and
    what was left out. Without one, what was left out is told in a warning at the end.

    Memory grows with the names in a tar or zip and with the captions of a COCO file, not else. Raises `InputError`,
    here or while reading, for a source that is missing, damaged or not as described, or holds nothing that can be used.
    """
    text = str(source).strip()
    if not text:
        raise InputError("source: it is empty; give a .tar, a folder, a table (.csv, .tsv, .jsonl, ...) or a .txt")
    wanted = Wanted(images, image_column, caption_column if captions else None)
    counted = Count() if count is None else count
    try:
        samples = _open(text, wanted, counted)
    except OSError as error:
        raise InputError(f"source {text[:80]}: it cannot be read ({error.strerror})") from None
    return _to_the_end(samples, text, counted, warn=count is None)


def read_files(names: Sequence[str], wanted: Wanted, count: Count, split: str | None = None) -> Iterator[Sample]:
    """The samples of these files, URLs or commands, in order. Tars on disk are looked at before the first is read."""
    check_tars([name for name in names if kind_of(name) == ".tar" and is_seekable(name)], unique=wanted.images)
    return chain.from_iterable(_read_file(name, wanted, count, split) for name in names)


def _read_file(name: str, wanted: Wanted, count: Count, split: str | None) -> Iterator[Sample]:
    kind = kind_of(name)
    if kind == ".tar":
        return read_tar(name, wanted, count)
    if kind == ".zip":
        if url_scheme(name) is None and is_entities(name):
            return _read_entities(name, split, wanted, count)
        return read_zip(name, wanted, count)
    return read_table(name, wanted, count, split)


def _open(text: str, wanted: Wanted, count: Count) -> Iterator[Sample]:
    text, split = split_of(text)
    if text.startswith(HUB):
        return read_hub(text, split, wanted, count)
    names = files_of(text)
    if names is not None:
        return read_files(names, wanted, count, split)
    folder = expand_user(text)
    if is_entities(folder):
        return _read_entities(str(folder), split, wanted, count)
    return read_folder(folder, wanted, count)


def split_of(text: str) -> tuple[str, str | None]:
    """SOURCE#SPLIT in two; a "#" in the name of a file, a URL or a command is no split."""
    source, mark, split = text.rpartition("#")
    if not mark or url_scheme(text) is not None or expand_user(text).exists():
        return text, None
    return source, split


def _to_the_end(samples: Iterator[Sample], source: str, count: Count, warn: bool) -> Iterator[Sample]:
    before = count.used
    yield from samples
    if count.used == before:
        why = f" ({'; '.join(count.reasons())})" if count.skipped else ""
        raise InputError(f"source {source}: it holds neither images nor captions that can be used{why}")
    if warn and count.skipped.keys() - {OTHER}:
        warnings.warn(f"{source}: {count}", stacklevel=2)


def _read_entities(path: str, split: str | None, wanted: Wanted, count: Count) -> Iterator[Sample]:
    entities = read_entities(path, split or "train")
    for line in entities.skipped:
        where, _, why = line.rpartition(": ")
        count.skip(where, why)
    if wanted.caption_column is None:
        raise InputError(f"source {path}: Flickr30k Entities has no images: give the folder of photographs")
    for image, captions in groupby(entities.captions, key=lambda caption: caption.image):
        texts = tuple(caption.text for caption in captions)
        count.use(len(texts), False)
        yield Sample(image, texts, None, path)
