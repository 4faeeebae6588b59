"""Tar shards, as webdataset, img2dataset and CLIP_benchmark write them: members of one name are a sample.

A tar on disk is looked through once, so that the members of a sample may lie anywhere in it and links are followed;
a stream (a URL, a command, a compressed tar) is read as it comes.
"""

import posixpath
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO, NamedTuple

from textgroup.data.sources.count import OTHER, Count
from textgroup.data.sources.members import IMAGES, Parts, Wanted, is_needed, most_bytes, part_of, sample_of
from textgroup.data.sources.names import COMPRESSED, url_scheme
from textgroup.data.sources.sample import Sample
from textgroup.data.sources.streams import BUFFER, CUT, open_stream
from textgroup.errors import InputError

APART = "a member apart from the others of its name, in a stream (unpack it, or write it to disk)"
LINK = "a link to a member that is not there"
LINKED = "a link, in a stream (write it to disk)"
SECOND = "a second member of its name and kind"
OWN = "an extension of its own, beside an image of the name before the first dot"


class _Place(NamedTuple):
    offset: int
    size: int


class _Header(tarfile.TarInfo):
    """A member of a tar. `tarfile` accepts a tar that was cut or damaged between two members, and sizes below zero;
    this one raises an error."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Header":
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the zeros that end a tar
            raise
        except tarfile.HeaderError:
            raise tarfile.ReadError(f"cut or damaged at byte {tarfile_.offset}") from None


def read_tar(name: str, wanted: Wanted, count: Count) -> Iterator[Sample]:
    """The samples of a tar. Raises `InputError` that names it: not there, not a whole tar, or its command fails."""
    if is_seekable(name):
        return _read_indexed(name, wanted, count)
    return _read_stream(name, wanted, count)


def is_seekable(name: str) -> bool:
    """Whether a tar can be read in any order: it lies on disk, and is not compressed."""
    return url_scheme(name) is None and not name.lower().endswith((*COMPRESSED, ".tgz"))


def check_tars(names: list[str], unique: bool) -> None:
    """Look at the ends of all tars that are seekable before the first is read: a bad one shows at once.

    unique: whether their keys must differ; then so do their first ones. Raises `InputError`.
    """
    first: dict[str, str] = {}
    for name in names:
        try:
            with Path(name).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - 512))
                block = file.read(512)
        except OSError as error:
            raise InputError(f"{name}: it cannot be read ({error.strerror})") from None
        if not block or any(block):
            raise InputError(f"{name}: not a whole tar file (its end is missing); download or write it again")
        if unique and len(names) > 1 and (key := _first_key(name)) is not None:
            if key in first:
                raise InputError(
                    f"{name} begins with the key {key!r}, as {first[key]} does: keys must be unique over all shards; "
                    "read one shard at a time, or write them with keys of their own"
                )
            first[key] = name


def _first_key(name: str) -> str | None:
    with _told(name), Path(name).open("rb") as file, tarfile.open(fileobj=file, mode="r:", tarinfo=_Header) as archive:
        for member in _headers(archive):
            if is_needed(member.name):
                return part_of(member.name)[0]
    return None


def _read_indexed(name: str, wanted: Wanted, count: Count) -> Iterator[Sample]:
    with _told(name), Path(name).open("rb") as file:
        for key, parts in _index(name, file, wanted, count).items():
            content: Parts = {
                extension: (path, _read_at(file, path, place, wanted)) for extension, (path, place) in parts.items()
            }
            yield from sample_of(name, key, content, wanted, count)


def _read_at(file: IO[bytes], path: str, place: _Place, wanted: Wanted) -> bytes | None:
    if part_of(path)[1] in IMAGES and not wanted.images:
        return None
    file.seek(place.offset)
    return file.read(min(place.size, most_bytes(path)))


def _index(name: str, file: IO[bytes], wanted: Wanted, count: Count) -> dict[str, dict[str, tuple[str, _Place]]]:
    """Key -> extension -> (member, where its content lies), in the order in which the keys come."""
    places: dict[str, _Place] = {}
    links: dict[str, str] = {}
    with tarfile.open(fileobj=file, mode="r:", tarinfo=_Header) as archive:
        for member in _headers(archive):
            if member.name in places or member.name in links:
                if wanted.asks_for(part_of(member.name)[1]):
                    count.skip(f"{name}: {member.name}", SECOND if is_needed(member.name) else OTHER)
            elif member.isfile():
                places[member.name] = _Place(member.offset_data, member.size)
            elif member.islnk():
                links[member.name] = member.linkname
            elif member.issym():
                links[member.name] = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
            elif not member.isdir():
                count.skip(f"{name}: {member.name}", OTHER, "a device")
    for link, target in links.items():
        if (place := places.get(target)) is not None:
            places[link] = place
        elif is_needed(link):
            count.skip(f"{name}: {link}", LINK)
    found: dict[str, dict[str, tuple[str, _Place]]] = {}
    for path, place in places.items():
        key, extension = part_of(path)
        if not is_needed(path):
            count.skip(f"{name}: {path}", OTHER)
        elif wanted.asks_for(extension):
            parts = found.setdefault(key, {})
            if extension in parts:
                count.skip(f"{name}: {path}", SECOND)
            else:
                parts[extension] = (path, place)
    _drop_extensions_of_their_own(name, found, count)
    return found


def _drop_extensions_of_their_own(name: str, found: dict[str, dict[str, tuple[str, _Place]]], count: Count) -> None:
    for key in [key for key in found if (short := short_key(key)) != key and short in found]:
        for path, _ in found.pop(key).values():
            count.skip(f"{name}: {path}", OWN)


def short_key(key: str) -> str:
    """A key up to its first dot, which is where webdataset ends it."""
    folder, slash, base = key.rpartition("/")
    return folder + slash + base.partition(".")[0]


def _read_stream(name: str, wanted: Wanted, count: Count) -> Iterator[Sample]:
    stream = _Stream(name, wanted, count)
    with (
        _told(name),
        open_stream(name) as raw,
        tarfile.open(fileobj=_Whole(raw), mode="r|", bufsize=BUFFER, tarinfo=_Header) as archive,  # type: ignore[call-overload]
    ):
        for member in _headers(archive):
            if stream.takes(member):
                yield from stream.add(member, archive)
        yield from stream.whole()


class _Stream:
    """The sample that is being read from a stream."""

    def __init__(self, name: str, wanted: Wanted, count: Count) -> None:
        self._name, self._wanted, self._count = name, wanted, count
        self._key: str | None = None
        self._parts: Parts = {}
        self._seen: set[str] = set()

    def takes(self, member: tarfile.TarInfo) -> bool:
        """Whether the member belongs to a sample; if it does not, and should, it is counted."""
        key, extension = part_of(member.name)
        if member.isdir() or (is_needed(member.name) and not self._wanted.asks_for(extension)):
            return False
        if not is_needed(member.name):
            why = OTHER
        elif not member.isfile():
            why = LINKED
        elif key != self._key and short_key(key) == self._key:
            why = OWN
        elif key != self._key and key in self._seen:
            why = APART
        elif key == self._key and extension in self._parts:
            why = SECOND
        else:
            return True
        self._count.skip(f"{self._name}: {member.name}", why)
        return False

    def add(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> Iterator[Sample]:
        """Yield the sample before, if this begins another."""
        key, extension = part_of(member.name)
        if key != self._key:
            yield from self.whole()
            self._key, self._parts = key, {}
            self._seen.add(key)
        content = archive.extractfile(member) if self._wanted.images or extension not in IMAGES else None
        self._parts[extension] = (
            member.name,
            None if content is None else content.read(min(member.size, most_bytes(member.name))),
        )

    def whole(self) -> Iterator[Sample]:
        """The sample, as it has come."""
        if self._key is not None:
            yield from sample_of(self._name, self._key, self._parts, self._wanted, self._count)


def _headers(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, none of which is kept in memory. A header may lead neither backwards nor in circles."""
    at = -1
    while (member := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]
        if archive.offset <= at or member.size < 0:
            raise tarfile.ReadError(f"a header that leads backwards, at byte {at}")
        at = archive.offset
        yield member


class _Whole:
    """A stream that is not read on and on behind its end, as `tarfile` does to pass over a member that is not there."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)  # a command may write slowly
        self._at_end = 0

    def read(self, size: int) -> bytes:
        data = self._read(size)
        self._at_end = 0 if data else self._at_end + 1
        if self._at_end > 2:
            raise EOFError("its end is missing")
        return data


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever a damaged or hostile tar leads `tarfile` to, as a line that names it."""
    try:
        yield
    except InputError:
        raise
    except (
        *(tarfile.TarError, *CUT, HTTPException),
        *(ValueError, OverflowError, LookupError, RecursionError, MemoryError, AttributeError, TypeError),
    ) as error:
        said = str(error) or type(error).__name__
        raise InputError(f"{name}: not a whole tar file ({said[:200]}); download or write it again") from None
