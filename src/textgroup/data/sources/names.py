"""The names of a source's files, as people write them: files, patterns, brace ranges, URLs, commands.

Names come from the command line or a configuration, never from a file that was read.
"""

import glob
import itertools
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from textgroup.data.sources.members import IMAGES
from textgroup.errors import InputError
from textgroup.files import expand_user

PIPE = "pipe:"
"""What begins a shell command whose output is the shard."""
MAX_SHARDS = 1_000_000
"""Files of a source; a slip in a brace range must not fill the memory."""
WEB = ("http", "https", "ftp", "file", "s3", "gs", "gcs", "hf")
"""Schemes of URLs; all of them are read through fsspec."""
KINDS = {
    ".tar": ".tar",
    ".tgz": ".tar",
    ".zip": ".zip",
    ".csv": ".csv",
    ".tsv": ".tsv",
    ".jsonl": ".jsonl",
    ".jsonlines": ".jsonl",
    ".ndjson": ".jsonl",
    ".json": ".json",
    ".parquet": ".parquet",
    ".txt": ".txt",
    ".token": ".txt",
}
"""What a file is, by the end of its name; without that, what a URL or command gives is a tar."""
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,18})\.\.(\d{1,18})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def files_of(source: str) -> list[str] | None:
    """The names of the files, URLs and commands that `source` means, in order; None for a folder of single files.

    source: a file, a folder that holds tars, a pattern ("cc3m/*.tar"), a brace range ("gcc3m-{00000..00331}.tar",
    "{train,val}.tar"), a URL, or "pipe:COMMAND", a shell command that writes a tar. URLs and commands may have brace
    ranges too. Raises `InputError` for what is not there or has an unknown ending.
    """
    scheme = url_scheme(source)
    if scheme is not None:
        if scheme not in (*WEB, "pipe"):
            raise InputError(f"source {source[:80]}: no scheme {scheme}: take {', '.join(WEB)}, or {PIPE}COMMAND")
        return _expand_braces(source)
    path = expand_user(source)
    if path.is_dir():
        return _files_in(path)
    if path.exists():
        if not path.is_file():  # a pipe, a device: whoever opens it may wait for ever
            raise InputError(f"source {source}: neither a file nor a folder")
        names = [str(path)]
    elif _BRACES.search(source) or glob.has_magic(source):
        names = _expand_pattern(str(path))
    else:
        raise InputError(f"source {source}: no such file or folder")
    for name in names:
        if kind_of(name) is None:
            raise InputError(
                f"source {name}: not one of {', '.join(KINDS)} (also {', '.join(COMPRESSED)}), or a folder"
            )
    return names


def _files_in(folder: Path) -> list[str] | None:
    """The tars of a folder; the Parquet files of one that holds neither images nor folders."""
    files = sorted(folder.iterdir())
    tables = [str(file) for file in files if kind_of(file.name) == ".parquet"]
    if any(file.is_dir() or file.suffix.lower() in IMAGES for file in files):
        tables = []
    return [str(file) for file in files if kind_of(file.name) == ".tar"] or tables or None


def kind_of(name: str) -> str | None:
    """What a file is, by its name, whatever its compression: a value of `KINDS`, or None. Commands write tars."""
    if url_scheme(name) == "pipe":
        return ".tar"
    path = PurePosixPath((name.partition("?")[0] if url_scheme(name) else name).lower())
    kind = KINDS.get((path.with_suffix("") if path.suffix in COMPRESSED else path).suffix)
    return ".tar" if kind is None and url_scheme(name) else kind


def url_scheme(name: str) -> str | None:
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


def _expand_pattern(text: str) -> list[str]:
    """Local files by brace range and pattern; each one of a range must be there."""
    names = []
    for name in _expand_braces(text):
        files = [name]
        if glob.has_magic(name) and not Path(name).exists():
            files = sorted(glob.glob(name))  # noqa: PTH207 (a `Path` takes no absolute pattern)
            if not files:
                raise InputError(f"source {name}: no file matches this pattern")
        elif not Path(name).is_file():
            raise InputError(f"source {name}: it cannot be read (no such file)")
        names += files
    return names
