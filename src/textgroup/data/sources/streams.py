"""The bytes of a source, wherever it lies: a file, a URL or object store (through fsspec), a shell command.

What is compressed is unpacked on the way, told by its first bytes. Nothing is stored.
"""

import io
import lzma
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from textgroup.data.sources.names import PIPE, url_scheme
from textgroup.errors import InputError

TIMEOUT = 60
"""Seconds without a byte after which a URL is given up."""
BUFFER = 1 << 20
MAX_REST = 64
"""Reads after the end of what is wanted, so that the command that writes it can finish."""
CUT = (EOFError, OSError, zlib.error, lzma.LZMAError)
"""What reading raises where a stream or its compression is damaged."""
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
"""First bytes, and fsspec's name of the compression."""


@contextmanager
def open_stream(name: str) -> Iterator[IO[bytes]]:
    """The unpacked bytes of `name`, to be read once from start to end.

    Raises `InputError` if it cannot be opened, or if its command fails; while it is read, one of `CUT`.
    """
    scheme = url_scheme(name)
    opened: AbstractContextManager[Any]
    if scheme == "pipe":
        opened = _command_output(name)
    elif scheme is None:
        opened = _open_local(name)
    else:
        opened = _open_remote(name, {"block_size": 0} if scheme in ("http", "https") else {})
    with opened as raw:
        yield _unpack(name, io.BufferedReader(cast(io.RawIOBase, raw), BUFFER))


def open_seekable(name: str) -> AbstractContextManager[Any]:
    """The bytes of a file or URL as they are, to be read in any order, as Parquet and zip need it."""
    if url_scheme(name) == "pipe":
        raise InputError(f"{name[:80]}: the output of a command is read once, and this format is not: write it to disk")
    return _open_local(name) if url_scheme(name) is None else _open_remote(name, {})


def _open_local(name: str) -> Any:
    try:
        return Path(name).open("rb", buffering=0)
    except OSError as error:
        raise InputError(f"{name}: it cannot be read ({error.strerror})") from None


def _unpack(name: str, stream: io.BufferedReader) -> IO[bytes]:
    begin = stream.peek(8)[:8]
    packing = next((packing for first, packing in PACKED.items() if begin.startswith(first)), None)
    if packing is None:
        return stream
    from fsspec.compression import compr

    if packing not in compr:
        raise InputError(f"{name}: to unpack {packing}, install it: pip install zstandard")
    return cast(IO[bytes], compr[packing](stream, mode="rb"))


class _Remote(io.RawIOBase):
    """A file of fsspec, whose clients each raise errors of their own: here they are `OSError`s."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._file.seekable())

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(len(buffer))
        except Exception as error:
            raise OSError(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}") from None
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _open_remote(name: str, options: dict[str, Any]) -> Iterator[io.RawIOBase]:
    try:
        import fsspec

        if url_scheme(name) in ("http", "https"):
            from aiohttp import ClientTimeout

            options |= {"client_kwargs": {"timeout": ClientTimeout(None, sock_connect=TIMEOUT, sock_read=TIMEOUT)}}
        opened = fsspec.open(name, "rb", **options)
        file = opened.open()
    except ImportError as error:
        raise InputError(f"{name}: {error}; to read it, install it: pip install 'textgroup[remote]'") from None
    except Exception as error:  # 404, no such host, refused, no credentials, ...: each client has errors of its own
        said = " ".join(str(error.__cause__ or error).split())[:200]  # the cause, where all that is said is the name
        raise InputError(f"{name}: it cannot be had ({said or type(error).__name__})") from None
    with opened, file:
        yield _Remote(file)


@contextmanager
def _command_output(name: str) -> Iterator[IO[bytes]]:
    """The output of a shell command. Raises `InputError` if it fails."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            name.removeprefix(PIPE), shell=True, stdout=subprocess.PIPE, stderr=errors, bufsize=0
        )
        assert process.stdout is not None
        try:
            wrong = None
            try:
                yield process.stdout
            except Exception as error:  # perhaps only because the command failed
                wrong = error
            rest = (process.stdout.read(BUFFER) for _ in range(MAX_REST))
            if not all(rest) and (status := process.wait()):
                errors.seek(0)
                lines = errors.read(BUFFER).decode(errors="replace").split("\n")
                last = next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")
                raise InputError(f"{name}: the command failed with exit status {status}: {last[:200]}")
            if wrong:
                raise wrong
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
