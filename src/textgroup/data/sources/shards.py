"""The names of shards, as webdataset and img2dataset write them: files, patterns, brace ranges, URLs, commands.

Names come from the command line or a configuration, never from a file that was read.
"""

import glob
import itertools
import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO

from textgroup.errors import InputError

PIPE = "pipe:"
"""What begins a shell command whose output is the shard."""
STORES = {"s3": ("aws", "s3", "cp", "{}", "-"), "gs": ("gsutil", "cat", "{}")}
"""The command that writes an object of a store to its output, by the scheme of the URL."""
WEB = ("http", "https", "ftp", "file")
TIMEOUT = 60
"""Seconds without a byte after which a URL is given up."""
MAX_SHARDS = 1_000_000
"""Shards of a source; a slip in a brace range must not fill the memory."""
BUFFER = 1 << 20
MAX_REST = 64
"""Reads after the end of a tar, so that the command that writes it can finish."""

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,18})\.\.(\d{1,18})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def shards_of(source: str | Path) -> list[str] | None:
    """The names of the shards that `source` means, in order; None if it means something else, such as a table.

    source: a .tar, a folder that holds .tar files, a pattern ("cc3m/*.tar"), a brace range
    ("gcc3m-{00000..00331}.tar", "{train,val}.tar"), a URL (http, https, ftp, file; s3 and gs through `aws` and
    `gsutil`), or "pipe:COMMAND", a shell command that writes a tar. URLs and commands may have brace ranges too.

    Local shards are looked at: they must be there, and end as a tar ends. Raises `InputError`.
    """
    text = str(source)
    scheme = _url_scheme(text)
    if scheme is not None:
        if scheme not in (*WEB, *STORES, "pipe"):
            raise InputError(
                f"source {text[:80]}: no scheme {scheme}: take {', '.join((*WEB, *STORES))}, or {PIPE}COMMAND"
            )
        return _expand_braces(text)
    path = Path(text).expanduser()
    if path.is_dir():
        names = sorted(map(str, path.glob("*.tar")))
    elif path.exists():
        names = [str(path)] if path.suffix == ".tar" else []
    elif _BRACES.search(text) or glob.has_magic(text):
        names = _local_shards(str(path))
    else:
        return None
    for name in names:  # all of them before the first image is decoded: a bad shard shows at once
        _check_tar_end(Path(name))
    return names or None


def _url_scheme(name: str) -> str | None:
    """http, pipe, ...; None for a path."""
    if name.startswith(PIPE):
        return "pipe"
    match = _SCHEME.match(name)
    return match[1].lower() if match else None


def _expand_braces(text: str) -> list[str]:
    """All names that the brace ranges and lists of `text` stand for; the last range varies fastest."""
    pieces: list[Sequence[str]] = []
    count, end = 1, 0
    for braces in _BRACES.finditer(text):
        choices = _brace_choices(text, braces[1])
        count *= len(choices)
        if count > MAX_SHARDS:
            raise InputError(f"source {text[:80]}: more than {MAX_SHARDS:,} shards; give a smaller range")
        pieces += [[text[end : braces.start()]], choices]
        end = braces.end()
    return ["".join(parts) for parts in itertools.product(*pieces, [text[end:]])]


def _brace_choices(text: str, inside: str) -> Sequence[str]:
    """What a pair of braces stands for: the numbers of a range, as wide as written, or the words of a list."""
    if limits := _RANGE.fullmatch(inside):
        first, last = map(int, limits.groups())
        if not 0 <= last - first < MAX_SHARDS:
            raise InputError(f"source {text[:80]}: the range {{{inside}}} must go upwards, over at most {MAX_SHARDS:,}")
        width = len(limits[1]) if limits[1].startswith("0") else 0
        return [f"{number:0{width}}" for number in range(first, last + 1)]
    return inside.split(",") if "," in inside else [f"{{{inside}}}"]


def _local_shards(text: str) -> list[str]:
    """Local shards by brace range and pattern. Each one must be there; a pattern is for .tar files."""
    names = []
    for name in _expand_braces(text):
        files = [name]
        if glob.has_magic(name) and not Path(name).exists():
            files = sorted(glob.glob(name))  # noqa: PTH207 (a `Path` takes no absolute pattern)
            if not files:
                raise InputError(f"source {name}: no file matches this pattern")
        if other := [other for other in files if not other.endswith(".tar")]:
            raise InputError(f"source {text}: a pattern is for .tar files, but it also matches {other[0]}")
        names += files
    return names


def _check_tar_end(tar: Path) -> None:
    """A tar ends with zeros."""
    try:
        with tar.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 512))
            block = file.read(512)
    except OSError as error:
        raise InputError(f"{tar}: it cannot be read ({error.strerror})") from None
    if not block or any(block):
        raise InputError(f"{tar}: not a whole tar file (its end is missing); download or write it again")


class _Member(tarfile.TarInfo):
    """A member of a tar. `tarfile` accepts a tar that was cut or damaged between two members; this one raises an
    error."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Member":
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the zeros that end a tar
            raise
        except tarfile.HeaderError:
            raise tarfile.ReadError(f"cut or damaged at byte {tarfile_.offset}") from None


@contextmanager
def open_shard(name: str) -> Iterator[tarfile.TarFile]:
    """A shard as a stream of members, read once from start to end; nothing is stored.

    Raises `InputError` that names the shard: it is not there, not a whole tar, or its command fails.
    """
    try:
        with _open(name) as file, tarfile.open(fileobj=file, mode="r|", bufsize=BUFFER, tarinfo=_Member) as archive:
            yield archive
    except (tarfile.TarError, EOFError, OSError, HTTPException) as error:
        raise InputError(f"{name}: not a whole tar file ({error}); download or write it again") from None


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    scheme = _url_scheme(name)
    if scheme is None:
        with Path(name).open("rb") as file:
            yield file
    elif scheme == "pipe" or scheme in STORES:
        with _command_output(name, name.removeprefix(PIPE) if scheme == "pipe" else None) as file:
            yield file
    else:
        from urllib.request import urlopen

        try:
            answer = urlopen(name, timeout=TIMEOUT)
        except (OSError, HTTPException, ValueError) as error:  # 404, no such host, refused, not a URL, ...
            raise InputError(f"{name}: it cannot be had ({getattr(error, 'reason', None) or error})") from None
        with answer:
            yield answer


@contextmanager
def _command_output(name: str, command: str | None) -> Iterator[IO[bytes]]:
    """The output of a shell command, or of the object store's command. Raises `InputError` if it fails."""
    words = command or [part.replace("{}", name) for part in STORES[_url_scheme(name) or ""]]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                words, shell=command is not None, stdout=subprocess.PIPE, stderr=errors, bufsize=0
            )
        except OSError as error:
            raise InputError(f"{name}: the program {words[0]} cannot be run ({error.strerror}); install it") from None
        assert process.stdout is not None
        try:
            wrong = None
            try:
                yield process.stdout
            except (tarfile.TarError, EOFError) as error:  # perhaps only because the command failed
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
