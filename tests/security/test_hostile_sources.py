"""Tars and zips that lie, hang or explode: refused in one line, at once and in bounded memory."""

import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from tests.data.sources.test_samples import picture
from textgroup.data.sources.count import Count
from textgroup.data.sources.entities import read_entities
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError


def refused(source: Path | str) -> str:
    """The one line with which a source is refused."""
    with pytest.raises(InputError) as raised:
        list(read_samples(source, count=Count()))
    assert len(str(raised.value).splitlines()) == 1
    return str(raised.value)


def header(**fields: object) -> bytes:
    info = tarfile.TarInfo("0001.jpg")
    for name, value in fields.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("size", [1 << 40, 1 << 62, 1 << 70, 1 << 80, -512, -(1 << 40)])
@pytest.mark.parametrize("through", ["{}", "pipe:cat {}", "file://{}"])
def test_a_member_that_claims_another_size_than_it_has_does_not_hang(tmp_path: Path, size: int, through: str) -> None:
    path = tmp_path / "hang.tar"
    path.write_bytes(header(size=size) + bytes(1024))
    assert "not a whole tar file" in refused(through.format(path))


@pytest.mark.parametrize("through", ["{}", "pipe:cat {}"])
def test_headers_of_a_sparse_file_are_no_traceback(tmp_path: Path, through: str) -> None:
    path = tmp_path / "sparse.tar"
    names = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "a.jpg", "GNU.sparse.realsize": "700"}
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("0001.jpg")
        info.size, info.pax_headers = 700, names
        archive.addfile(info, io.BytesIO(b"j" * 700))
    assert "not a whole tar file" in refused(through.format(path))


@pytest.mark.parametrize("through", ["{}", "pipe:cat {}"])
def test_a_chain_of_long_names_and_a_size_from_pax_do_not_hang(tmp_path: Path, through: str) -> None:
    path = tmp_path / "deep.tar"
    path.write_bytes(header(type=tarfile.GNUTYPE_LONGNAME, size=0) * 5_000 + bytes(1024))
    assert "not a whole tar file" in refused(through.format(path))
    for value in ("-1024", "9" * 30, "x"):
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
            info = tarfile.TarInfo("1.jpg")
            info.pax_headers = {"size": value}
            archive.addfile(info)
        refused(through.format(path)) if value != "x" else list(read_samples(through.format(path), count=Count()))


def test_a_zip_that_explodes_is_read_in_bounded_memory(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("val.txt", " ".join(map(str, range(20))))
        for i in range(20):
            archive.writestr(f"Sentences/{i}.txt", "a b\n" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(InputError, match=r"no caption \(20 entries skipped, such as Sentences/0.txt: more than"):
        read_entities(tmp_path / "bomb.zip", "val")
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_an_image_in_a_zip_is_not_unpacked_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgroup.data.sources.members.MAX_IMAGE", 1000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.jpg", bytes(10 << 20))
    (sample,) = read_samples(tmp_path / "a.zip")
    assert isinstance(sample.image, bytes)
    assert len(sample.image) == 1001


def test_texts_that_explode_beside_the_images_of_a_zip_are_counted(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(5):
            archive.writestr(f"{i}.jpg", picture())
            archive.writestr(f"{i}.txt", "a b\n" * 5_000_000)
    tracemalloc.start()
    count = Count()
    assert len(list(read_samples(tmp_path / "a.zip", count=count))) == 5
    assert count.skipped.total() == 5
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_pipe_on_disk_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tar")
    assert "neither a file nor a folder" in refused(tmp_path / "a.tar")


def test_a_line_of_brackets_is_refused_at_once(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("val.txt", "1\n")
        archive.writestr("Sentences/1.txt", "[/EN#1/p a] " * 1_000_000)
    with pytest.raises(InputError, match="no caption"):
        read_entities(tmp_path / "a.zip", "val")
    (tmp_path / "a.jsonl").write_bytes(b"[" * (1 << 20))
    assert "a line that is not JSON" in refused(tmp_path / "a.jsonl")
    (tmp_path / "a.json").write_bytes(b"[" * (1 << 20))
    assert "not JSON" in refused(tmp_path / "a.json")


def test_names_in_a_zip_or_table_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in" / "a.zip", "w") as archive:
        archive.writestr("../evil.jpg", picture())
        archive.writestr("/etc/evil.jpg", picture())
    assert len(list(read_samples(tmp_path / "in" / "a.zip"))) == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]
