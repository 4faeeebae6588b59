"""Nothing is left out silently: given = used + skipped, whatever the source and its oddities."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.data.sources.test_samples import error, picture, write, write_tar
from textgroup.data.sources import count as counts
from textgroup.data.sources.count import Count
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError


def counted(source: Path | str, **options: bool) -> tuple[Count, list[str]]:
    """What the source ends with, and the keys that it gives."""
    count = Count()
    keys = [sample.key for sample in read_samples(source, count=count, **options)]
    assert count.given == count.used + count.skipped.total()
    assert count.samples == len(keys)
    return count, keys


def test_members_with_dots_in_their_names_are_samples(tmp_path: Path) -> None:
    tar = write_tar(
        tmp_path / "a.tar",
        {"c v1.5.jpg": picture(), "c v1.5.txt": b"one", "v2.0_final.jpg": picture(), "v2.1_final.jpg": picture()},
    )
    count, keys = counted(tar)
    assert keys == ["c v1.5", "v2.0_final", "v2.1_final"]
    assert (count.images, count.captions, count.skipped.total()) == (3, 1, 0)


def test_an_extension_beside_an_image_of_its_name_is_counted_and_no_image(tmp_path: Path) -> None:
    count, keys = counted(write_tar(tmp_path / "a.tar", {"1.seg.png": picture(), "1.jpg": picture(), "1.txt": b"one"}))
    assert keys == ["1"]
    assert (count.used, count.skipped.total()) == (2, 1)


def test_every_image_format_is_read_in_tar_folder_and_zip(tmp_path: Path) -> None:
    endings = ["bmp", "gif", "tiff", "tif", "jfif", "jpe", "JPG", "jpeg", "png", "webp"]
    files = {f"{i}.{ending}": picture() for i, ending in enumerate(endings)}
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in files.items():
            write(tmp_path / "folder" / name, data)
            archive.writestr(name, data)
    for source in (write_tar(tmp_path / "a.tar", files), tmp_path / "folder", tmp_path / "a.zip"):
        assert counted(source)[0].images == len(endings)


def test_links_in_a_tar_are_followed_and_dead_ones_counted(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind, target in (
            ("x/2.jpg", tarfile.LNKTYPE, "x/1.jpg"),  # before what it names
            ("x/1.jpg", tarfile.REGTYPE, ""),
            ("x/3.jpg", tarfile.SYMTYPE, "1.jpg"),
            ("x/4.jpg", tarfile.SYMTYPE, "../../outside.jpg"),
            ("x/5.jpg", tarfile.LNKTYPE, "x/5.jpg"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = len(picture()) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(picture()))
    count, keys = counted(tmp_path / "a.tar")
    assert sorted(keys) == ["x/1", "x/2", "x/3"]
    assert count.skipped == {"a link to a member that is not there": 2}


@pytest.mark.parametrize("through", ["{}", "file://{}"], ids=["on disk", "as a stream"])
def test_of_two_members_of_one_name_the_first_is_used_and_the_second_counted(tmp_path: Path, through: str) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for name, content in (("1.jpg", picture()), ("1.txt", b"one"), ("1.jpg", picture("blue")), ("1.txt", b"two")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    count, keys = counted(through.format(path))
    assert keys == ["1"]
    assert (count.used, count.skipped.total()) == (2, 2)
    (sample,) = read_samples(through.format(path), count=Count())
    assert (sample.image, sample.captions) == (picture(), ("one",))


def test_members_of_a_sample_may_lie_apart_in_a_tar(tmp_path: Path) -> None:
    members = {**{f"{i}.jpg": picture() for i in range(3)}, **{f"{i}.txt": f"caption {i}".encode() for i in range(3)}}
    tar = write_tar(tmp_path / "a.tar", members)
    assert [sample.captions for sample in read_samples(tar)] == [(f"caption {i}",) for i in range(3)]
    count, keys = counted(f"pipe:cat {tar}")
    assert keys == ["0", "1", "2"]
    assert (count.images, count.captions) == (3, 0) or count.skipped.total() == 2
    assert count.given == 6


def test_the_same_first_key_in_two_shards_is_told_at_once_with_both(tmp_path: Path) -> None:
    for name in ("a-000", "a-001"):
        write_tar(tmp_path / f"{name}.tar", {"0000.jpg": picture(), "0000.txt": name.encode()})
    with pytest.raises(InputError, match=r"a-001\.tar begins with the key '0000', as .*a-000\.tar does"):
        read_samples(tmp_path)
    assert counted(tmp_path, images=False)[0].captions == 2  # captions alone need no keys


def test_captions_that_are_no_text_are_counted_and_the_others_used(tmp_path: Path) -> None:
    values = [None, float("nan"), 7, "", " ", [], ["a", None], {"a": 1}, "\ud800", True, "fine", ["b", "c"]]
    lines = [json.dumps({"image": f"{i}.jpg", "caption": value}) for i, value in enumerate(values)]
    tar = {f"{i}.json": json.dumps({"caption": value}).encode() for i, value in enumerate(values)}
    tar |= {f"{i}.jpg": picture() for i in range(len(values))}
    for source in (write(tmp_path / "t.jsonl", "\n".join(lines)), write_tar(tmp_path / "a.tar", tar)):
        count, _ = counted(source)
        assert (count.images, count.captions) == (12, 4)
        assert count.skipped == {counts.NO_TEXT: 7, counts.BLANK: 3}


def test_blank_and_spoiled_lines_of_a_text_are_counted_with_their_places(tmp_path: Path) -> None:
    text = write(tmp_path / "t.txt", b"one\n\n \nbad \xff\ntwo\n" + b"x" * (3 << 20) + b"\nthree")
    count, keys = counted(text)
    assert keys == ["1", "5", "7"]
    assert (count.given, count.skipped.total()) == (7, 4)
    assert count.examples[counts.BLANK] == [f"{text}:2", f"{text}:3"]


def test_a_quote_that_is_not_closed_costs_its_own_row_alone(tmp_path: Path) -> None:
    rows = [f'{i}.jpg,"a dog, number {i}"' for i in range(50)]
    rows[7] = '7.jpg,"a dog, number 7'
    rows[9] = '9.jpg,"a dog, "number 9"'
    rows[20] = "20.jpg"
    count, keys = counted(write(tmp_path / "t.csv", "image,caption\n" + "\n".join(rows)))
    assert keys == [f"{i}.jpg" for i in range(50) if i not in (7, 9, 20)]
    assert count.skipped.total() == 3


def test_a_quote_that_is_only_a_letter_stays_in_a_tsv(tmp_path: Path) -> None:
    table = write(tmp_path / "t.tsv", 'filepath\ttitle\n1.jpg\t"so, he said\n2.jpg\ta 5" nail "\n3.jpg\t"whole"\n')
    assert [s.captions for s in read_samples(table)] == [('"so, he said',), ('a 5" nail "',), ("whole",)]


def test_files_of_a_folder_that_are_neither_image_nor_caption_are_counted(tmp_path: Path) -> None:
    for name in ("1.jpg", "1.txt", "2.heic", "notes.md", "lonely.txt"):
        write(tmp_path / name, picture() if name.endswith("g") else b"a dog")
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "none.jpg")
    count, keys = counted(tmp_path)
    assert keys == ["1.jpg"]
    assert (count.used, count.skipped) == (2, {counts.OTHER: 4})


def test_a_damaged_member_of_a_zip_is_counted(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.jpg", picture("red"))
        archive.writestr("2.jpg", picture("blue"))
    data = (tmp_path / "a.zip").read_bytes()
    at = data.index(picture("blue"))
    (tmp_path / "a.zip").write_bytes(data[: at + 40] + bytes(8) + data[at + 48 :])
    count, keys = counted(tmp_path / "a.zip")
    assert keys == ["1.jpg"]
    assert count.skipped.total() == 1


def test_strict_stops_at_the_first_and_names_it(tmp_path: Path) -> None:
    table = write(tmp_path / "t.jsonl", '{"caption": "a"}\n{"caption": null}\n{"caption": ""}\n')
    assert error(table) == f"{table}:2: a caption that is no text"
    lines = [
        {"image_file": f"{i}.jpg", "description": "a", "split": split} for i, split in enumerate(["test", "train"])
    ]
    splits = write(tmp_path / "docci.jsonlines", "\n".join(map(json.dumps, lines)))
    assert [s.key for s in read_samples(splits, count=Count(strict=True))] == ["1.jpg"]  # a split is chosen, not lost


def test_what_is_left_out_is_written_down_in_full(tmp_path: Path) -> None:
    log = io.StringIO()
    list(read_samples(write(tmp_path / "t.txt", "one\n" + "\n" * 10), count=Count(log=log)))
    assert [json.loads(line)["why"] for line in log.getvalue().splitlines()] == [counts.BLANK] * 10


def test_without_a_count_it_is_told_in_a_warning(tmp_path: Path) -> None:
    with pytest.warns(
        UserWarning, match=r"2 samples with 0 images and 2 captions; 1 of 3 skipped: 1 x a blank caption"
    ):
        list(read_samples(write(tmp_path / "t.txt", "one\n\ntwo")))


def test_a_source_of_which_nothing_can_be_used_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"that can be used \(2 x a line that is not JSON, such as .*:1, .*:2\)"):
        list(read_samples(write(tmp_path / "t.jsonl", "a\nb\n")))
