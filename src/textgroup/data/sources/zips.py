"""Opening zips that may be damaged or hostile."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from textgroup.errors import InputError

DAMAGED_ZIP = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError),
    *(ValueError, LookupError, OverflowError, MemoryError),
)
"""What `zipfile` raises, one for each thing that may be broken, or for a member that is locked or packed in a way that
it does not know. `InputError` is a `ValueError`."""


@contextmanager
def open_zip(name: str, file: str | IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """The zip, for reading. Raises `InputError`, which begins with `name`, for whatever is damaged, now or later."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except InputError:
        raise
    except DAMAGED_ZIP as error:
        raise InputError(f"{name}: not a whole zip ({error!s:.200}); download it again") from None
