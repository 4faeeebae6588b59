"""Shards by name: what a name means, where it is read from, and what is told when it cannot be."""

import functools
import gzip
import http.server
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from tests.data.sources.test_samples import captions, error, write_tar
from textgroup.data.sources import names
from textgroup.data.sources.names import files_of
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError


@pytest.fixture
def tars(tmp_path: Path) -> Path:
    """A folder with gcc-00008.tar to gcc-00011.tar, of two captions each."""
    for i in range(8, 12):
        write_tar(tmp_path / f"gcc-{i:05}.tar", {f"{i}-{n}.txt": f"caption {i} {n}".encode() for n in range(2)})
    return tmp_path


@pytest.fixture
def web(tars: Path) -> Iterator[str]:
    """The address of a server on this machine that serves the folder; /cut-*.tar stop half-way."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith("/cut-"):
                return super().do_GET()
            data = (tars / self.path.removeprefix("/cut-")).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: 512 if "00008" in self.path else 1024])  # in a member, and between two
            return None

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(tars)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


ALL = [(f"caption {i} {n}",) for i in range(8, 12) for n in range(2)]


def test_a_brace_range_keeps_its_zeros_and_its_order(tars: Path) -> None:
    assert captions(f"{tars}/gcc-{{00008..00011}}.tar") == ALL
    assert captions(f"{tars}/gcc-{{00010,00008}}.tar") == ALL[4:6] + ALL[:2]
    assert files_of("http://x/{a,b}-{8..10}.tar") == [f"http://x/{a}-{n}.tar" for a in "ab" for n in (8, 9, 10)]
    assert files_of("pipe:awk '{print}' x.tar") == ["pipe:awk '{print}' x.tar"]


def test_a_shard_of_a_range_that_is_not_there_is_named_before_anything_is_read(tars: Path) -> None:
    with pytest.raises(InputError, match=r"gcc-00012\.tar: it cannot be read"):
        read_samples(f"{tars}/gcc-{{00008..00012}}.tar")
    assert "no file matches" in error(f"{tars}/{{gcc,yfcc}}-*.tar")


@pytest.mark.parametrize("inside", ["0..99999999999", "9..3"])
def test_a_slip_in_a_range_is_told_and_fills_no_memory(inside: str) -> None:
    assert f"the range {{{inside}}} must go upwards" in error(f"gcc-{{{inside}}}.tar")
    assert "more than 1,000,000 shards" in error("a{0..9999}b{0..9999}.tar")


def test_a_file_url_is_read_like_the_file(tars: Path) -> None:
    assert captions(f"file://{tars}/gcc-{{00008..00011}}.tar") == ALL
    assert "gcc-00099.tar: it cannot be had" in error(f"file://{tars}/gcc-00099.tar")


def test_shards_come_over_the_web_as_a_stream(web: str) -> None:
    assert captions(web + "/gcc-{00008..00011}.tar") == ALL


@pytest.mark.parametrize("shard", ["cut-gcc-00008.tar", "cut-gcc-00009.tar"])
def test_a_stream_that_is_cut_names_the_shard(web: str, shard: str) -> None:
    assert f"{web}/{shard}: not a whole tar file" in error(f"{web}/{shard}")


def test_what_the_web_does_not_give_is_told_in_a_line(web: str) -> None:
    assert f"{web}/none.tar: it cannot be had (404" in error(f"{web}/none.tar")
    port = int(web.rpartition(":")[2])
    assert "x.tar: it cannot be had (Cannot connect to host 127.0.0.1:1 " in error("http://127.0.0.1:1/x.tar")
    assert "it cannot be had" in error(f"https://127.0.0.1:{port}/gcc-00008.tar")  # no such protocol there
    assert "no scheme gopher" in error("gopher://x/a.tar")


def test_a_command_that_writes_a_tar_is_a_shard(tars: Path) -> None:
    assert captions(f"pipe:cat {tars}/gcc-{{00008..00011}}.tar") == ALL
    assert captions(f"pipe:cat {tars}/gcc-00008.tar | cat") == ALL[:2]


def test_a_command_that_fails_is_told_in_a_line_with_its_last_words(tars: Path) -> None:
    assert "exit status 3: no such bucket" in error("pipe:echo trying >&2; echo no such bucket >&2; exit 3")
    whole = error(f"pipe:cat {tars}/gcc-00008.tar; exit 4")  # it failed after a whole tar: perhaps not the right one
    assert "the command failed with exit status 4: it says nothing" in whole
    half = error(f"pipe:head -c 700 {tars}/gcc-00008.tar; echo connection lost >&2; exit 5")
    assert "exit status 5: connection lost" in half


def test_a_command_that_ends_well_with_half_a_tar_is_a_cut_shard(tars: Path) -> None:
    assert "not a whole tar file" in error(f"pipe:head -c 700 {tars}/gcc-00008.tar")
    assert "not a whole tar file" in error(f"pipe:head -c 1024 {tars}/gcc-00008.tar")
    assert "not a whole tar file" in error("pipe:yes no tar")  # and one that never ends is ended


def test_reading_can_stop_before_a_command_ends(tars: Path) -> None:
    samples = read_samples(f"pipe:cat {tars}/gcc-00008.tar; exec sleep 600")
    assert next(samples).captions == ALL[0]
    samples.close()


def test_object_stores_are_read_through_fsspec(tars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system of fsspec in memory stands for the store."""
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/gcc-00008.tar", (tars / "gcc-00008.tar").read_bytes())
    memory.pipe("/bucket/t.csv.gz", gzip.compress(b"caption\na dog\n"))
    monkeypatch.setattr(names, "WEB", (*names.WEB, "memory"))
    assert captions("memory://bucket/gcc-00008.tar") == ALL[:2]
    assert captions("memory://bucket/t.csv.gz") == [("a dog",)]
    assert "memory://bucket/other.tar: it cannot be had (" in error("memory://bucket/other.tar")


def test_a_store_whose_client_is_not_installed_is_answered_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    assert "pip install 'textgroup[remote]'" in error("s3://bucket/gcc-00008.tar")


def test_a_command_is_never_taken_from_a_file(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (tmp_path / "t.csv").write_text(f'image,caption\n"pipe:touch {made}",a dog\n')
    (tmp_path / "t.txt").write_text(f"pipe:touch {made}\n")
    tar = write_tar(tmp_path / "a.tar", {f"pipe:touch {made}.txt": b"a dog"})
    for source in (tmp_path / "t.csv", tmp_path / "t.txt", tar):
        assert len(list(read_samples(source))) == 1
    assert not made.exists()
