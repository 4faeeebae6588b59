"""Parquet, through pyarrow: a batch of rows in memory at a time."""

from collections.abc import Iterator
from typing import Any

from textgroup.data.sources.columns import pick_columns
from textgroup.data.sources.members import Wanted
from textgroup.data.sources.records import Record
from textgroup.data.sources.streams import open_seekable
from textgroup.errors import InputError

BATCH = 64
"""Rows of a batch; one may hold an image of some MB."""


def read_parquet(name: str, wanted: Wanted) -> Iterator[Record]:
    """The rows of a file, with the columns that are asked for. Raises `InputError`."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError(f"{name}: to read Parquet, install pyarrow: pip install 'textgroup[parquet]'") from None
    number = 0
    try:
        with open_seekable(name) as raw, parquet.ParquetFile(raw, buffer_size=1 << 20, pre_buffer=False) as file:
            names = file.schema_arrow.names
            columns = pick_columns(name, names, wanted.image_column, wanted.caption_column)
            asked = (columns.image, *columns.captions, "key", "split")
            needed = {column for column in asked if column is not None and column in names}
            encoded = columns.image is not None and not wanted.images and not _is_text(file, columns.image)
            if encoded:
                needed = {f"{column}.path" if column == columns.image else column for column in needed}
            for batch in file.iter_batches(BATCH, columns=sorted(needed)):
                for values in batch.to_pylist():
                    number += 1
                    if encoded:  # its bytes, which may be most of the file, stay unread
                        values[columns.image] = {**(values.get(columns.image) or {}), "bytes": b""}
                    yield Record(f"{name}:{number}", number, values)
    except InputError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(f"{name}: not Parquet, or damaged after row {number} ({said}); download it again") from None


def _is_text(file: Any, column: str) -> bool:
    import pyarrow

    kind = file.schema_arrow.field(column).type
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))
