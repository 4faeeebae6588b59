"""Writing files so that a reader never sees half of one and two processes never write the same directory, and reading
JSON that a stranger may have written."""

import errno
import json
import os
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from textgroup.errors import InputError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A full disk, a used-up quota, and a file that is larger than this user or file system may have."""
LOCK = ".lock"
"""The file in a directory that the process which writes there has locked."""


def read_json(path: Path, longest: int) -> dict[str, Any]:
    """The JSON object in a file of at most so many bytes. Raises `InputError` that names the file.

    A pipe or a device is not opened; nesting that is too deep for Python is refused like any damage.
    """
    values = read_json_value(path, longest)
    if not isinstance(values, dict):
        raise InputError(f"{path}: not a JSON object but a {type(values).__name__}")
    return values


def check_size(path: Path, longest: int) -> None:
    """Raise `InputError` unless `path` is a file of at most so many bytes."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if (size := path.stat().st_size) > longest:
        raise InputError(f"{path}: {size:,} bytes; such a file has {longest:,} at most: is it the right one?")


def read_json_value(path: Path, longest: int) -> Any:
    """`read_json` of a file that may hold something else than an object."""
    check_size(path, longest)
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror})") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deep: it is damaged, or made to do harm") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None


def read_json_strings(path: Path) -> Iterator[str]:
    """The lines of a file with a JSON string a line. Raises `InputError` that names the file and the line."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield _json_string(line, f"{path}: line {number}")
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror})") from None


def _json_string(line: bytes, where: str) -> str:
    try:
        text = json.loads(line)
    except (ValueError, RecursionError):
        text = None
    if not isinstance(text, str):
        raise InputError(f"{where} is damaged: not a JSON string")
    return text


def expand_user(path: str | Path) -> Path:
    """The path with `~` and `~name` in full. Raises `InputError` if there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: {error}; write the path in full") from None


def local_or_hub(where: str) -> str:
    """A directory with its `~` in full, or a name on the Hub as it is."""
    return str(expand_user(where)) if where.startswith("~") else where


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path` (file or directory); on success it replaces `path`.

    If the block raises, the sibling is removed and `path` is untouched. Whoever may read a new file may read this one,
    also where the library that wrote it kept it for its owner. A directory at `path` is renamed before the
    new one takes its name; a file never replaces a directory.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        _share(temporary)
        if path.is_dir() and not path.is_symlink():
            if not temporary.is_dir():
                raise InputError(f"{path} is a directory: give the name of a file")
            old = path.with_name(f".{path.name}.{os.getpid()}.old")
            path.rename(old)
            temporary.rename(path)
            shutil.rmtree(old)
        else:
            temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def _share(written: Path) -> None:
    """Give what only its owner may read (safetensors writes so) the mode of any new file."""
    if written.is_symlink():
        return
    files = written.rglob("*") if written.is_dir() else [written]
    private = [f for f in files if f.is_file() and not f.is_symlink() and not f.stat().st_mode & 0o077]
    if private:
        mask = os.umask(0o077)  # it can only be read by setting it
        os.umask(mask)
        for file in private:
            file.chmod(0o666 & ~mask)


@contextmanager
def lock_directory(where: Path, *, wait: bool = False) -> Iterator[None]:
    """Make the directory `where` and keep other processes from writing it while the block runs.

    The operating system frees the lock with the process. wait: for the other process, instead of raising `InputError`,
    which is also raised if there can be no such directory. One that was made for the lock, and in which nothing was
    written, is removed. One that may only be read is not locked: nobody writes there.
    """
    from filelock import FileLock, Timeout

    made = [path for path in (where, *where.absolute().parents) if not path.exists()]
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{where}: no directory can be made there ({error.strerror})") from None
    if not os.access(where, os.W_OK):
        yield
        return
    lock = FileLock(where.absolute() / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        if not wait:
            raise InputError(
                f"another process is writing {where}: wait until it has ended, or give another directory"
            ) from None
        warnings.warn(f"waiting for another process that is writing {where}", stacklevel=3)
        lock.acquire(timeout=-1)
    try:
        yield
    finally:
        with suppress(OSError):
            if made and [path.name for path in where.iterdir()] == [LOCK]:
                (where / LOCK).unlink()
                for path in made:
                    path.rmdir()
        lock.release()


@contextmanager
def full_disk_told(path: Path, remedy: str) -> Iterator[None]:
    """Raise it as an `InputError` that names `path` and the remedy if the block cannot write because there is no room.

    safetensors and `shutil.copytree` have errors of their own for what the system says, with its number in the text;
    those of safetensors that are not about room become an `OSError`.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        words = re.search(r"(?:os error|Errno) (\d+)", str(error))
        number = int(words[1]) if words else getattr(error, "errno", None)
        if number in NO_ROOM:
            raise InputError(f"{path}: {os.strerror(number)}: {remedy}") from None
        if number is None or isinstance(error, OSError):
            raise
        raise OSError(number, os.strerror(number), str(path)) from None


def remove_abandoned(path: Path) -> None:
    """Remove what killed processes left of writing `path`; not what another process is writing now."""
    for rest in path.parent.glob(f".{path.name}.*"):
        process, _, kind = rest.name.removeprefix(f".{path.name}.").partition(".")
        if kind not in ("partial", "old") or not process.isdecimal() or _runs(int(process)):
            continue
        if rest.is_dir() and not rest.is_symlink():
            shutil.rmtree(rest, ignore_errors=True)
        else:
            rest.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    """Whether there is a process of this number on this machine; where asking would end it, yes."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another person's
        return True
    return True
