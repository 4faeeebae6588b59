"""Tables of captions: a column of captions in, a column of units out. For pandas, `datasets`, Ray Data and Parquet."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgroup.errors import InputError
from textgroup.files import atomic_write
from textgroup.inference.opening import load_segmenter
from textgroup.inference.result import Units
from textgroup.inference.segmenter import TextSegmenter
from textgroup.inference.streaming import WINDOW
from textgroup.inference.workers import segment_in_workers

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

Records = list[dict[str, Any]]
"""The units of a caption as plain values: text, start, end, group, groundable."""
UNITS = "units"
"""The column that is added."""


def units_column(model: TextSegmenter, captions: Iterable[Any]) -> list[Records | None]:
    """The units of each caption of a column, as dicts that Arrow, pandas and JSON store; None for a missing caption.

    Missing are None, NaN and pandas' NA. Raises `InputError` that names what else is no text.
    """
    missing: list[bool] = []
    units = model.segment_stream(_fill(captions, missing))
    return [None if gone else records(of_one) for of_one, gone in zip(units, missing)]


def segment_parquet(
    source: str | Path,
    out: str | Path,
    *,
    column: str = "caption",
    checkpoint: str | Path | None = None,
    workers: int = 1,
) -> int:
    """Write a Parquet file with one more column, `units`; the number of its rows. In constant memory, rows in order.

    checkpoint: as `textgroup.load_segmenter` takes it. workers: processes that cut; with several, the calling script
    keeps what it does under `if __name__ == "__main__":`. A missing caption has missing units. Raises `InputError` for
    a file that is no Parquet, for a column that is not there or no text, and for one that is called `units` already.
    """
    file = _open(Path(source), column)
    waiting: deque[tuple[pa.RecordBatch, list[bool]]] = deque()
    captions = _read_captions(file, column, waiting)
    if workers == 1:
        found: Iterator[Records] = map(records, load_segmenter(checkpoint).segment_stream(captions))
    else:
        found = segment_in_workers(checkpoint, captions, workers, records)
    with atomic_write(Path(out)) as partial:
        return _write(file, partial, found, waiting)


def records(units: Units) -> Records:
    """The units as dicts."""
    return [unit._asdict() for unit in units]


def _fill(captions: Iterable[Any], missing: list[bool]) -> Iterator[Any]:
    """The captions, an empty one for a missing one; `missing` says which these are."""
    for caption in captions:
        missing.append(_is_missing(caption))
        yield "" if missing[-1] else caption


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType"


def _open(source: Path, column: str) -> "ParquetFile":
    try:
        import pyarrow as pa
        from pyarrow import types
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError(f"{source}: reading Parquet needs pyarrow: pip install 'textgroup[parquet]'") from None
    try:
        file = ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source} cannot be read as Parquet: {' '.join(str(error).split())[:200]}") from None
    schema = file.schema_arrow
    if column not in schema.names:
        raise InputError(f"{source} has no column {column!r}: its columns are {', '.join(map(repr, schema.names))}")
    kind = schema.field(column).type
    if not (types.is_string(kind) or types.is_large_string(kind)):
        raise InputError(f"{source}: column {column!r} holds {kind}, not text")
    if UNITS in schema.names:
        raise InputError(f"{source} has a column {UNITS!r} already: rename it, or leave it out")
    return file


def _read_captions(
    file: "ParquetFile", column: str, waiting: "deque[tuple[pa.RecordBatch, list[bool]]]"
) -> Iterator[str]:
    """The captions; the rows that they stand in are put into `waiting` with the list of those that are missing."""
    for batch in file.iter_batches(WINDOW):
        missing: list[bool] = []
        waiting.append((batch, missing))
        yield from _fill(batch.column(column).to_pylist(), missing)


def _write(
    file: "ParquetFile",
    out: Path,
    found: Iterator[Records],
    waiting: "deque[tuple[pa.RecordBatch, list[bool]]]",
) -> int:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    unit = [("text", pa.string()), ("start", pa.int32()), ("end", pa.int32()), ("group", pa.int32())]
    kind = pa.list_(pa.struct([*unit, ("groundable", pa.bool_())]))
    rows = 0
    with ParquetWriter(out, file.schema_arrow.append(pa.field(UNITS, kind))) as writer:
        for first in found:  # asking for it reads the batch that it is in
            batch, missing = waiting.popleft()
            of_batch = [first, *islice(found, batch.num_rows - 1)]
            column = pa.array([None if gone else units for units, gone in zip(of_batch, missing)], kind)
            writer.write_batch(batch.append_column(pa.field(UNITS, kind), column))
            rows += batch.num_rows
    return rows
