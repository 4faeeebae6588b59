"""Tables of images and captions, and plain captions: .csv, .tsv, .jsonl, .json, .parquet and .txt, also compressed."""

from collections.abc import Iterator
from pathlib import Path

from textgroup.data.sources.count import Count
from textgroup.data.sources.delimited import find_layout, read_rows
from textgroup.data.sources.documents import is_json_lines, read_document, read_json_lines
from textgroup.data.sources.lines import numbered_lines
from textgroup.data.sources.members import Wanted
from textgroup.data.sources.names import kind_of
from textgroup.data.sources.parquet import read_parquet
from textgroup.data.sources.records import Record, samples_of_records
from textgroup.data.sources.sample import Sample
from textgroup.data.sources.texts import texts_of


def read_table(name: str, wanted: Wanted, count: Count, split: str | None = None) -> Iterator[Sample]:
    """The samples of a table; see `samples.read_samples`. split: only the records of this one."""
    records = _records(name, wanted, count)
    if records is None:
        return _read_plain(name, wanted, count)
    return samples_of_records(records, name, wanted, count, split)


def is_plain_text(file: Path) -> bool:
    """Whether a file holds a caption a line, as all do that are nothing else by name or by their first lines.

    Raises `InputError` for a .txt that looks like a table without saying which column is what.
    """
    if file.is_dir():
        return False
    kind = kind_of(file.name)
    return kind is None or (kind == ".txt" and find_layout(str(file), kind, Wanted()) is None)


def _records(name: str, wanted: Wanted, count: Count) -> Iterator[Record] | None:
    """None: it is plain text."""
    kind = kind_of(name) or ""
    if kind == ".jsonl" or (kind == ".json" and is_json_lines(name)):
        return read_json_lines(name, count)
    if kind == ".json":
        return read_document(name, count)
    if kind == ".parquet":
        return read_parquet(name, wanted)
    layout = find_layout(name, kind, wanted)
    return None if layout is None else read_rows(name, layout, count)


def _read_plain(name: str, wanted: Wanted, count: Count) -> Iterator[Sample]:
    """A caption a line."""
    if wanted.caption_column is None:
        return
    for number, text in numbered_lines(name, count):
        if captions := texts_of(text).counted(f"{name}:{number}", count):
            count.use(1, False)
            yield Sample(str(number), captions, None, name)
