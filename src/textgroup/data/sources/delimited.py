"""Tables of text with a separator, read by the standard library's `csv`.

pyarrow's reader is not used: it refuses a whole block for one row that is not UTF-8, and cannot say the line of a row
once a field may hold line ends. Of our own is only what follows an open quote: `csv` would take all up to the next
quote for one field, so a row that does not come out right is taken alone, and the rest is read again.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from typing import NamedTuple

from textgroup.data.sources.columns import CAPTION, IMAGE, WrongColumn, has_file_name, headless_names, pick_columns
from textgroup.data.sources.count import Count
from textgroup.data.sources.lines import MAX_LINE, numbered_lines
from textgroup.data.sources.members import Wanted
from textgroup.data.sources.records import Record
from textgroup.errors import InputError

SEPARATORS = {".csv": ",\t;|", ".tsv": "\t", ".txt": "\t,|;"}
"""What may separate fields, the most likely first."""
LOOKED_AT = 20
"""Lines of which it is told whether a text is a table."""
OPEN_QUOTE = "a quote that is not closed"
OTHER_WIDTH = "not as many fields as the first row has"

Line = tuple[int, str]
csv.field_size_limit(MAX_LINE)


class Layout(NamedTuple):
    """How a table is written, and what its columns are called."""

    separator: str
    names: list[str]
    header: bool  # whether the first row holds the names
    numbered: bool = False  # whether "#0" stands behind the names of images


def find_layout(name: str, kind: str, wanted: Wanted) -> Layout | None:
    """What the first lines of a table show; None for plain text, in a .txt. Raises `InputError`."""
    with closing(numbered_lines(name, Count())) as lines:
        first = [line for line in islice(lines, LOOKED_AT) if line[1].strip()]
    if not first:
        return None if kind == ".txt" else Layout(SEPARATORS[kind][0], [], header=False)
    return _layout_of(name, kind, first, wanted)


def _layout_of(name: str, kind: str, first: list[Line], wanted: Wanted) -> Layout | None:
    """What the first lines that are not blank show."""
    where = f"{name}:{first[0][0]}"
    named = [c for c in (wanted.caption_column, wanted.image_column) if c not in (None, CAPTION, IMAGE)]
    rows = {separator: _split(first[0][1], separator) for separator in SEPARATORS[kind]}
    rows = {separator: row for separator, row in rows.items() if len(row) > 1} or {SEPARATORS[kind][0]: [first[0][1]]}
    likely = max(
        rows, key=lambda separator: sum(len(_split(text, separator)) == len(rows[separator]) for _, text in first)
    )
    if numbers := [column for column in named if column.isdecimal()]:
        if len(numbers) < len(named):
            raise InputError(f"{where}: columns {' and '.join(named)}: give two names, or two numbers")
        names = [str(n) for n in range(len(rows[likely]))]
        pick_columns(where, names, wanted.image_column, wanted.caption_column)
        return Layout(likely, names, header=False)
    for separator, row in rows.items():
        names = [field.strip() for field in row]
        with suppress(WrongColumn):
            picked = pick_columns(where, names, wanted.image_column, wanted.caption_column)
            if kind != ".txt" or named or (picked.image is not None and len(row) > 1):
                return Layout(separator, names, header=True)
    for separator, row in rows.items():
        if not named and (guessed := headless_names(row)) is not None:
            return Layout(separator, guessed, header=False, numbered=IMAGE in guessed)
    if kind != ".txt" or named:
        try:
            pick_columns(where, [field.strip() for field in rows[likely]], wanted.image_column, wanted.caption_column)
        except WrongColumn as error:
            raise WrongColumn(f"{error.message} (numbers, from 0, where it has no header)", error.kind) from None
    if 2 * sum(has_file_name(text) for _, text in first) > len(first):
        raise InputError(
            f"{where}: {first[0][1][:60]!r} looks like a row of a table, not like a caption: name its columns, "
            "by numbers from 0 if it has no header, or end its name with .csv or .tsv"
        )
    return None


def _split(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=separator))
    except (csv.Error, StopIteration):
        return text.split(separator)


def read_rows(name: str, layout: Layout, count: Count) -> Iterator[Record]:
    """The rows as records. Those that do not come out right are left out and counted."""
    lines = numbered_lines(name, count)
    again: deque[Line] = deque()

    def more() -> Line | None:
        return again.popleft() if again else next(lines, None)

    header = layout.header
    while (line := more()) is not None:
        number, text = line
        if not text.strip():
            continue
        row, taken = _parse(line, more, layout.separator)
        plain = text.split(layout.separator)
        if row is None or len(row) != len(layout.names) or _are_whole_rows(taken, layout):
            again.extendleft(reversed(taken[1:]))
            if layout.separator not in "\t|" or len(plain) != len(layout.names):  # these are often written unquoted
                detail = f"{len(plain if row is None else row)} fields, not {len(layout.names)}"
                count.skip(f"{name}:{number}", OPEN_QUOTE if row is None else OTHER_WIDTH, detail)
                continue
            row = plain
        if header:
            header = False
            continue
        record = dict(zip(layout.names, row))
        if layout.numbered:
            record[IMAGE] = re.sub(r"#\d+$", "", record[IMAGE].strip())
        yield Record(f"{name}:{number}", number, record)


def _parse(first: Line, more: Callable[[], Line | None], separator: str) -> tuple[list[str] | None, list[Line]]:
    """The row that begins with this line, and the lines that were taken for it; None if its quotes do not fit."""
    taken, size = [first], len(first[1])

    def feed() -> Iterator[str]:
        nonlocal size
        yield first[1] + "\n"
        while size <= MAX_LINE and (line := more()) is not None:
            taken.append(line)
            size += len(line[1])
            yield line[1] + "\n"

    try:
        return next(csv.reader(feed(), delimiter=separator, strict=True)), taken
    except (csv.Error, StopIteration):
        return None, taken


def _are_whole_rows(lines: list[Line], layout: Layout) -> bool:
    """Whether lines that were taken for one row of a .tsv are rows by themselves: their quotes are only letters."""
    separators = len(layout.names) - 1
    whole = separators and all(text.count(layout.separator) == separators for _, text in lines)
    return bool(layout.separator == "\t" and len(lines) > 1 and whole)
