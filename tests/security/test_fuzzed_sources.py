"""Whatever a table, a tar, a zip or an annotation holds, it is read and counted, or refused in one line."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.data.sources.test_samples import picture, write_tar
from textgroup.data.probes.read import READERS, read_probes
from textgroup.data.sources.boxes import read_boxes
from textgroup.data.sources.count import Count
from textgroup.data.sources.entities import read_entities
from textgroup.data.sources.members import IMAGES, is_needed, part_of
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError

TABLES = [
    *(b"image,caption\n", b"a.jpg", b",", b'"', b"\t", b"|", b"\n", b"\r\n", b"{", b"}", b"[", b"]", b":", b" "),
    *(b'"caption"', b'"image"', b"null", b"NaN", b"1e999", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\\ud800"),
    *(b"#0\t", b"9" * 5000, b'{"images": [', b'"annotations"', b"\x1f\x8b\x08", b"PAR1", b"PK\x03\x04", b"BZh9"),
]
ANNOTATIONS = [
    *(b"[/EN#1/people a dog]", b"[/EN#0/notvisual it]", b"[/EN#", b"/", b"]", b"[", b" runs", b"\n", b"\r", b"\xff"),
    *(b"<annotation>", b"</annotation>", b"<size><width>5</width><height>4</height></size>", b"<object>", b"</object>"),
    *(b"<name>1</name>", b"<bndbox>", b"</bndbox>", b"<xmin>0</xmin>", b"<ymin>1</ymin>", b"<xmax>3</xmax>"),
    *(b"<ymax>2</ymax>", b"<ymax>nan</ymax>", b"<ymax>-1e999</ymax>", b"<!DOCTYPE a>", b"<width/>", b"&#0;", b"&lt;"),
]
ENDINGS = ["csv", "tsv", "txt", "jsonl", "json", "parquet", "zip", "tar", "tar.gz", "token", "csv.gz"]
MEMBERS = [
    *("1.jpg", "1.png", "1.json", "1.txt", "1.JPG", "1.seg.png", "a.b.jpg", "a.b.txt", "a.jpg", ".jpg", "._1.jpg"),
    *("x/1.jpg", "../1.txt", "/etc/1.txt", "2.jpg", "2.txt", "1", "", "é.txt", "\udcff.txt", "1.jpg/", "a" * 120),
]


def pieces(parts: list[bytes]) -> st.SearchStrategy[bytes]:
    """Parts of a kind of file end to end, or any bytes."""
    return st.lists(st.sampled_from(parts), max_size=25).map(b"".join) | st.binary(max_size=200)


def read_or_refused(read: Callable[[], object]) -> bool:
    """Whether it is read. What refuses it says so in a line."""
    try:
        read()
    except InputError as error:
        assert len(str(error).splitlines()) == 1
        return False
    return True


@given(
    data=pieces(TABLES),
    ending=st.sampled_from(ENDINGS),
    images=st.booleans(),
    column=st.sampled_from(["caption", "0", "x,1"]),
)
def test_a_table_is_read_or_refused(tmp_path: Path, data: bytes, ending: str, images: bool, column: str) -> None:
    source, count = tmp_path / f"a.{ending}", Count()
    source.write_bytes(data)
    captions = 0

    def read() -> None:
        nonlocal captions
        samples = read_samples(source, images=images, caption_column=column, count=count)
        captions = sum(len(sample.captions) for sample in samples)

    if read_or_refused(read):
        assert captions == count.captions


@given(data=pieces(TABLES), kind=st.sampled_from(sorted(READERS)))
def test_a_file_of_probes_is_read_or_refused(tmp_path: Path, data: bytes, kind: str) -> None:
    (tmp_path / "x.json").write_bytes(data)
    read_or_refused(lambda: read_probes(f"{kind}:{tmp_path / 'x.json'}"))


@given(data=pieces(ANNOTATIONS), listed=st.sampled_from([b"1", b"1 1", b"1\n2", b"../1", b"\xff", b""]))
def test_annotated_captions_and_boxes_are_read_or_refused(tmp_path: Path, data: bytes, listed: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("val.txt", listed)
        archive.writestr("Sentences/1.txt", data)
        archive.writestr("Annotations/1.xml", data)

    def read() -> None:
        for caption in read_entities(tmp_path / "a.zip", "val").captions:
            ends = [0, *(place for phrase in caption.phrases for place in phrase[:2]), len(caption.text)]
            assert ends == sorted(ends)

    read_or_refused(read)
    read_or_refused(lambda: read_boxes(tmp_path / "a.zip"))


@given(at=st.integers(0, 6_000), new=st.binary(min_size=1, max_size=30), through=st.sampled_from(["{}", "file://{}"]))
def test_a_tar_with_changed_bytes_is_read_or_refused(tmp_path: Path, at: int, new: bytes, through: str) -> None:
    members = {"1.jpg": picture(), "1.json": b'{"caption": "a"}', "2.jpg": picture(), "2.txt": b"b"}
    tar = write_tar(tmp_path / "a.tar", members)
    tar.write_bytes(changed(tar.read_bytes(), at, new))
    read_or_refused(lambda: list(read_samples(through.format(tar), count=Count())))


members = st.lists(
    st.tuples(
        st.sampled_from(MEMBERS),
        st.sampled_from([tarfile.REGTYPE] * 6 + [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE]),
        pieces(TABLES),
        st.sampled_from(MEMBERS),
    ),
    max_size=8,
)


@given(members=members, through=st.sampled_from(["{}", "file://{}"]))
def test_of_whatever_members_a_tar_has_each_is_used_or_counted(
    tmp_path: Path, members: list[tuple[str, bytes, bytes, str]], through: str
) -> None:
    tar, count = tmp_path / "a.tar", Count()
    with tarfile.open(tar, "w") as archive:
        for name, kind, content, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content))
    keys: list[str] = []
    if read_or_refused(lambda: keys.extend(s.key for s in read_samples(through.format(tar), count=count))):
        assert len(keys) == len(set(keys)) == count.samples
        given = [part_of(name) for name, kind, *_ in members if kind == tarfile.REGTYPE and is_needed(name)]
        with_text = {key for key, extension in given if extension not in IMAGES}  # a .json and a .txt say the same
        assert count.given >= sum(extension in IMAGES for _, extension in given) + len(with_text)


@given(at=st.integers(0, 400), new=st.binary(min_size=1, max_size=20))
def test_a_zip_with_changed_bytes_is_read_or_refused(tmp_path: Path, at: int, new: bytes) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Sentences/1.txt", "[/EN#1/people a dog] runs")
        archive.writestr("val.txt", "1")
        archive.writestr("1.jpg", picture())
    path.write_bytes(changed(path.read_bytes(), at, new))
    read_or_refused(lambda: read_entities(path, "val"))
    read_or_refused(lambda: read_boxes(path))
    read_or_refused(lambda: list(read_samples(path, count=Count())))


def changed(data: bytes, at: int, new: bytes) -> bytes:
    """The bytes with others from a place on, where they may make them longer."""
    return data[:at] + new + data[at + len(new) :]
