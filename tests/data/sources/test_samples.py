"""Data sets are read for what they are, and what is wrong with one is told in a line."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from textgroup.data.sources import members
from textgroup.data.sources.count import Count
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.errors import InputError


def picture(colour: str = "red") -> bytes:
    """An encoded image."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "png")
    return file.getvalue()


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    """A tar with these members, in this order."""
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write(path: Path, text: str | bytes) -> Path:
    """A file, packed if its name says so."""
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def captions(source: Path | str, **columns: str) -> list[tuple[str, ...]]:
    """The captions of every sample."""
    return [sample.captions for sample in read_samples(source, **columns)]


def error(source: Path | str, **columns: str) -> str:
    """The message when `source` is read and nothing may be left out: one line."""
    with pytest.raises(InputError) as raised:
        list(read_samples(source, count=Count(strict=True), **columns))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_members_of_a_tar_that_share_their_name_are_one_sample(tmp_path: Path) -> None:
    tar = write_tar(
        tmp_path / "a.tar",
        {
            "1.jpg": picture(),
            "1.json": b'{"captions": ["one", " ", "two"]}',
            "2.png": picture("blue"),
            "2.txt": b" a cat\n",
            "sub/3.webp": picture(),
            "sub/3.json": b'{"caption": "three", "url": "x"}',
            "sub/3.txt": b"not read: the json has it",
            "4.json": b'{"sha256": "no caption here"}',
            "4.txt": b"four",
            "4.seg.png": b"an extension of its own",
        },
    )
    assert list(read_samples(tar)) == [
        Sample("1", ("one", "two"), picture()),
        Sample("2", ("a cat",), picture("blue")),
        Sample("sub/3", ("three",), picture()),
        Sample("4", ("four",), None),
    ]


def test_a_folder_or_pattern_of_tars_is_read_in_the_order_of_the_names(tmp_path: Path) -> None:
    for name in ("b-1", "b-0", "a-0"):
        write_tar(tmp_path / f"{name}.tar", {f"{name}.jpg": picture(), f"{name}.txt": name.encode()})
    assert captions(tmp_path) == [("a-0",), ("b-0",), ("b-1",)]
    assert captions(f"{tmp_path}/b-*.tar") == [("b-0",), ("b-1",)]
    assert "no file matches" in error(f"{tmp_path}/c-*.tar")


def test_images_and_captions_of_a_tar_can_be_left_unread(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", {"1.jpg": picture(), "1.txt": b"one", "2.jpg": picture(), "2.json": b"{bad"})
    assert [(s.captions, s.image) for s in read_samples(tar, captions=False)] == [((), picture())] * 2
    first = next(read_samples(tar, images=False))
    assert (first.captions, first.image) == (("one",), None)


def test_a_tar_member_that_climbs_out_of_the_folder_is_only_a_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    tar = write_tar(tmp_path / "in" / "a.tar", {"../evil.jpg": picture(), "../evil.txt": b"climbs"})
    assert [sample.key for sample in read_samples(tar)] == ["../evil"]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tar", "in"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_tar_is_refused_before_anything_is_read(tmp_path: Path, share: float) -> None:
    members = {f"{i}.jpg": bytes([i + 1]) * 5000 for i in range(20)}
    whole = write_tar(tmp_path / "b.tar", members).read_bytes()
    write_tar(tmp_path / "a.tar", members)
    (tmp_path / "b.tar").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match=r"b\.tar: not a whole tar"):
        read_samples(tmp_path)


def test_a_tar_that_is_damaged_in_the_middle_is_refused_even_between_members(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", {f"{i}.txt": b"caption" for i in range(5)})
    data = bytearray(tar.read_bytes())
    data[2048:2560] = b"x" * 512  # the header of the third member
    tar.write_bytes(data)
    assert "damaged at byte 2048" in error(tar)
    assert "not a whole tar" in error(write(tmp_path / "b.tar", b"this is no tar" + bytes(600)))
    assert "not a whole tar" in error(write(tmp_path / "c.tar", b""))


def test_bad_captions_in_a_tar_name_the_member(tmp_path: Path) -> None:
    assert "a.tar: 1.json: a .json that is not JSON" in error(write_tar(tmp_path / "a.tar", {"1.json": b"{bad"}))
    assert "b.tar: 1.txt: a text that is not UTF-8" in error(write_tar(tmp_path / "b.tar", {"1.txt": b"\xff\xfe"}))
    assert "1.json: a caption that is no text" in error(write_tar(tmp_path / "c.tar", {"1.json": b'{"caption": 3}'}))
    deep = b"[" * 100_000
    assert "1.json: a .json that is not JSON" in error(write_tar(tmp_path / "d.tar", {"1.json": deep}))
    assert "1.txt: a text longer than" in error(write_tar(tmp_path / "e.tar", {"1.txt": b"x" * (1 << 21)}))
    two = write_tar(tmp_path / "f.tar", {"1.jpg": picture(), "1.png": picture()})
    assert "1.png: a second image of its name" in error(two)


def test_of_an_image_that_is_too_large_no_more_is_read_than_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MAX_IMAGE", 1000)
    tar = write_tar(tmp_path / "a.tar", {"1.jpg": bytes(5000), "2.jpg": picture()})
    first, second = read_samples(tar)
    assert isinstance(first.image, bytes)
    assert len(first.image) == 1001
    assert second.image == picture()


def test_a_folder_of_images_is_searched_to_the_bottom(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/z.PNG", "a/y.webp", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(picture())
    found = list(read_samples(tmp_path))
    assert [sample.key for sample in found] == ["a/y.webp", "a/z.PNG", "b.jpg"]
    assert found[0].image == tmp_path / "a" / "y.webp"
    assert found[0].captions == ()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_tables_of_every_kind_give_the_same_samples(tmp_path: Path, suffix: str) -> None:
    rows = [("a.jpg", "one, two"), ("a.jpg", 'the "third"'), ("sub/b.jpg", "four")]
    csv = "caption,image\n" + "".join('"{}",{}\n'.format(c.replace('"', '""'), i) for i, c in rows)
    tsv = "image\tid\tcaption\r\n" + "".join(f"{i}\t7\t{c}\r\n" for i, c in rows)
    jsonl = "".join(json.dumps({"image": i, "caption": c}) + "\n" for i, c in rows)
    expected = [
        Sample("a.jpg", ("one, two", 'the "third"'), tmp_path / "a.jpg"),
        Sample("sub/b.jpg", ("four",), tmp_path / "sub/b.jpg"),
    ]
    for name, text in (("t.csv", csv), ("t.tsv", tsv), ("t.jsonl", jsonl)):
        assert list(read_samples(write(tmp_path / (name + suffix), text))) == expected, name


def test_a_table_without_an_image_column_has_captions_only(tmp_path: Path) -> None:
    table = write(tmp_path / "t.jsonl", '{"image_id": 1, "caption": "one"}\n\n{"image_id": 1, "caption": "two"}\n')
    assert list(read_samples(table)) == [Sample("1", ("one",), None), Sample("3", ("two",), None)]


def test_a_json_line_may_have_several_captions_or_another_name_for_them(tmp_path: Path) -> None:
    assert captions(write(tmp_path / "a.jsonl", '{"image": "x", "captions": ["one", "two"]}')) == [("one", "two")]
    assert captions(write(tmp_path / "b.jsonl", '{"said": "one"}'), caption_column="said") == [("one",)]


def test_columns_given_by_number_mean_a_file_without_a_header(tmp_path: Path) -> None:
    table = write(tmp_path / "t.tsv", 'a "dog\thttp://x\na cat\thttp://y\n')
    assert captions(table, caption_column="0") == [('a "dog',), ("a cat",)]
    table = write(tmp_path / "u.csv", "a dog,x.jpg\n")
    assert list(read_samples(table, image_column="1", caption_column="0")) == [
        Sample("x.jpg", ("a dog",), tmp_path / "x.jpg")
    ]


def test_plain_text_is_a_caption_a_line_with_the_number_of_the_line_as_key(tmp_path: Path) -> None:
    text = write(tmp_path / "t.txt.gz", "\ufeffein Hund\n\n  Kätzchen \r\n")
    assert list(read_samples(text)) == [Sample("1", ("ein Hund",), None), Sample("3", ("Kätzchen",), None)]


def test_a_wrong_column_gets_a_list_of_those_there_are(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "filename,text\nx.jpg,a dog\n")
    assert "no caption column 'caption'; there are 'filename', 'text'" in error(table)
    assert "no image column 'img'; there are 'filename', 'text'" in error(
        table, caption_column="text", image_column="img"
    )
    assert "no caption column '2'; there are '0', '1'" in error(table, caption_column="2")
    assert "two names, or two numbers" in error(table, caption_column="1", image_column="filename")
    assert "numbers, from 0" in error(write(tmp_path / "t.tsv", "a dog\ta cat\n"))
    lines = write(tmp_path / "t.jsonl", '{"image": "x", "said": "a dog"}\n')
    assert ":1: no caption column 'caption'; there are 'image', 'said'" in error(lines)
    assert "no image column 'file'" in error(lines, caption_column="said", image_column="file")


def test_images_alone_need_no_caption_column(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "image,text\nx.jpg,a dog\nx.jpg,a cat\ny.jpg,\n")
    assert [sample.key for sample in read_samples(table, captions=False)] == ["x.jpg", "y.jpg"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "image,caption\nx.jpg,a\ny.jpg\n", ":3 (1 fields, not 2): not as many fields as the first row has"),
        (
            "t.csv",
            "image,caption\nx.jpg,a dog, a cat\n",
            ":2 (3 fields, not 2): not as many",
        ),
        ("t.csv", 'image,caption\nx.jpg,"a dog\ny.jpg,a\n', ":2 (2 fields, not 2): a quote that is not closed"),
        ("t.csv", "image,caption\n,a dog\n", ":2: a row without an image"),
        ("t.tsv", "image\tcaption\nx.jpg\n", ":2 (1 fields, not 2): not as many"),
        ("t.tsv", "image\tcaption\nhttp://x/y.jpg\ta\n", ":2: the image is a URL"),
        ("t.jsonl", '{"caption": "a"}\n{bad\n', ":2: a line that is not JSON"),
        ("t.jsonl", '{"caption": "a"}\n["caption"]\n', ":2: a record that is no JSON object"),
        ("t.jsonl", '{"caption": "a"}\n{"x": 1}\n', ":2: a row without the column of the captions"),
        ("t.jsonl", '{"image": "x", "caption": "a"}\n{"caption": "a"}\n', ":2: a row without an image"),
        ("t.jsonl", '{"image": null, "caption": "a"}\n', ":1: a row without an image"),
        ("t.jsonl", '{"image": 7, "caption": "a"}\n', ":1 (it is 7): an image that is neither a path nor encoded"),
        ("t.jsonl", '{"caption": ["a", 3]}\n', ":1: a caption that is no text"),
        ("t.jsonl", "[" * 100_000 + "\n", ":1: a line that is not JSON"),
        ("t.txt", b"fine\nbad \xff\n", ":2: not UTF-8"),
        ("t.txt", "\n \n", ":1: a blank caption"),
        ("t.txt", "x" * (1 << 21), ":1: a line longer than"),
        ("t.parquet", "x", "not Parquet, or damaged"),
        ("t.xls", "x", "not one of .tar, "),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_file_and_line(
    tmp_path: Path, name: str, text: str | bytes, message: str
) -> None:
    told = error(write(tmp_path / name, text))
    assert message in told
    assert name in told


@pytest.mark.parametrize("path", ["../x.jpg", "a/../../x.jpg", "./../x.jpg"])
def test_an_image_path_may_not_climb_out_of_the_folder_of_the_table(tmp_path: Path, path: str) -> None:
    assert "an image outside the folder of its table" in error(
        write(tmp_path / "t.jsonl", json.dumps({"image": path, "caption": "a"}))
    )
    inside = json.dumps({"image": "a/../x.jpg", "caption": "a"}) + "\n"
    outside = json.dumps({"image": "/other/x.jpg", "caption": "a"})
    found = list(read_samples(write(tmp_path / "u.jsonl", inside + outside)))
    assert found[1].image == Path("/other/x.jpg")


def test_a_damaged_gzip_is_told(tmp_path: Path) -> None:
    text = "".join(f"caption number {i}\n" for i in range(5000))
    whole = gzip.compress(text.encode())
    (tmp_path / "a.txt.gz").write_bytes(whole[: len(whole) // 2])
    assert "a.txt.gz: damaged after line" in error(tmp_path / "a.txt.gz")
    (tmp_path / "b.txt.gz").write_bytes(whole[:500] + bytes(200) + whole[700:])
    assert "b.txt.gz: " in error(tmp_path / "b.txt.gz")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a.jsonl", "a.json", "a.tar.gz", "a.parquet"])
@pytest.mark.parametrize("start", [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"])
def test_a_file_that_only_begins_like_a_compressed_one_is_told(tmp_path: Path, name: str, start: bytes) -> None:
    (tmp_path / name).write_bytes(start)
    assert name in error(tmp_path / name)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    assert "no such file or folder" in error(tmp_path / "none.csv")
    assert "neither images nor captions" in error(tmp_path)
    assert "it is empty" in error("")
    assert "cannot be read" in error("x" * 5000)


def test_the_real_data_sets_are_read(shared: Path) -> None:
    photos = list(read_samples(shared / "flickr8k" / "flickr8k-val-000000.tar", images=False))
    assert (len(photos), sum(len(photo.captions) for photo in photos)) == (247, 1235)
    assert sum(1 for _ in read_samples(shared / "captions" / "gcc_val.tsv.gz", caption_column="0")) == 15_833
    assert sum(1 for _ in read_samples(shared / "captions" / "gcc_val.tsv.gz")) == 15_833
    assert sum(1 for _ in read_samples(shared / "captions" / "coco.jsonl.gz")) == 98_735
    assert sum(1 for _ in read_samples(shared / "captions" / "multi30k" / "en.train.txt.gz")) == 27_181
