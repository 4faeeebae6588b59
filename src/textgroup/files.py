"""Writing files so that a reader never sees half of one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textgroup.errors import InputError


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

    If the block raises, the sibling is removed and `path` is untouched. A directory at `path` is renamed before the
    new one takes its name; a file never replaces a directory.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
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


def remove_abandoned(path: Path) -> None:
    """Remove what killed processes left of writing `path`; not what another process is writing now."""
    for rest in path.parent.glob(f".{path.name}.*.partial"):
        process = rest.name.split(".")[-2]
        if process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(rest, ignore_errors=True)


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
