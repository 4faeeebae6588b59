"""The reader of Flickr30k Entities, on files written here, whole and broken."""

import os
import zipfile
from pathlib import Path

import pytest

from textgroup.data.sources.entities import Phrase, parse, read_entities
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.errors import InputError

RIDER = "[/EN#1/people A man] rides [/EN#2/vehicles/other a red bike] along [/EN#0/notvisual the way] ."
FILES = {
    "val.txt": "11\n12\n",
    "train.txt": "13\n",
    "Sentences/11.txt": f"{RIDER}\nNobody is here .\n\n",
    "Sentences/12.txt": "[/EN#7/animals Two dogs] run\n",
    "Sentences/13.txt": "[/EN#7/animals A cat] sleeps\n",
}


def directory(where: Path, files: dict[str, str] = FILES) -> Path:
    for name, text in files.items():
        path = where / "entities" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return where / "entities"


def archive(where: Path, files: dict[str, str] = FILES) -> Path:
    path = where / "entities.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for name, text in files.items():
            written.writestr(name, text)
    return path


@pytest.fixture(params=[directory, archive])
def make(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    return request.param


def test_a_line_becomes_text_and_phrases() -> None:
    parsed = parse(RIDER)
    assert parsed is not None
    text, phrases = parsed
    assert text == "A man rides a red bike along the way ."
    assert [text[p.start : p.end] for p in phrases] == ["A man", "a red bike", "the way"]
    assert phrases[1] == Phrase(12, 22, "2", ("vehicles", "other"))


@pytest.mark.parametrize(
    "line",
    [
        "[/EN#1/people A man rides a bike .",
        "A man] rides a bike .",
        "[/EN#1/people A man [/EN#2/vehicles a bike] .",
        "[/EN#1/people ] rides a bike .",
        "[/EN#1/people] rides a bike .",
    ],
)
def test_broken_brackets_are_no_caption(line: str) -> None:
    assert parse(line) is None


def test_a_split_is_read_in_the_order_of_its_list(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    read = read_entities(make(tmp_path), "val")
    assert [(c.image, c.text) for c in read.captions] == [
        ("11", "A man rides a red bike along the way ."),
        ("11", "Nobody is here ."),
        ("12", "Two dogs run"),
    ]
    assert [len(c.phrases) for c in read.captions] == [3, 0, 1]
    assert read.skipped == ["Sentences/11.txt, line 3: a blank caption"]


def test_phrases_that_name_nothing_can_be_dropped(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    read = read_entities(make(tmp_path), "val", drop_notvisual=True)
    assert [p.types[0] for p in read.captions[0].phrases] == ["people", "vehicles"]


def test_what_is_broken_or_missing_is_skipped_and_named(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    files = FILES | {
        "val.txt": "11\n404\n../13\n12\n",
        "Sentences/12.txt": "[/EN#7/animals Two dogs run\nA [/EN#7/animals dog] runs\n",
    }
    read = read_entities(make(tmp_path, files), "val")
    assert [c.text for c in read.captions][2:] == ["A dog runs"]
    assert len(read.skipped) == 4
    assert "404" in read.skipped[1]
    assert "../13" in read.skipped[2], "a list cannot point outside"
    assert "12.txt, line 1" in read.skipped[3]


def test_an_image_that_is_listed_twice_counts_once(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    once, twice = (read_entities(make(tmp_path, FILES | {"val.txt": text}), "val") for text in ("11\n", "11\n11\n"))
    assert twice.captions == once.captions
    assert twice.skipped == ["image 11: listed 2 times, taken once", *once.skipped]


def test_a_hostile_line_is_read_in_linear_time() -> None:
    """A million brackets, that never close and that do; in quadratic time this takes hours."""
    assert parse("[/EN#1/" * 1_000_000) is None
    parsed = parse("[/EN#1/p a] " * 50_000)
    assert parsed is not None
    assert len(parsed[1]) == 50_000


def test_a_split_without_a_list_is_refused(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"no test\.txt in it"):
        read_entities(make(tmp_path), "test")


def test_a_split_of_which_nothing_is_there_is_refused(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=r"holds no caption \(2 entries skipped, such as image 21: no Sentences/21"):
        read_entities(make(tmp_path, FILES | {"val.txt": "21\n22\n"}), "val")


@pytest.mark.parametrize("split", ["../val", "val/../val", ""])
def test_a_split_is_a_name_and_no_path(make, tmp_path: Path, split: str) -> None:  # type: ignore[no-untyped-def]
    files = FILES | {"../val.txt": "11\n", "val/none.txt": "", ".txt": "11\n"}
    with pytest.raises(InputError, match=f"no split '{split}'"):
        read_entities(make(tmp_path, files), split)


def test_text_that_is_not_utf8_is_skipped_and_a_list_refused(tmp_path: Path) -> None:
    where = directory(tmp_path)
    (where / "Sentences" / "11.txt").write_bytes(b"[/EN#1/people A man] \xff\xfe")
    assert read_entities(where, "val").skipped == ["Sentences/11.txt: not UTF-8"]
    (where / "val.txt").write_bytes(b"11\xff")
    with pytest.raises(InputError, match=r"val\.txt is not UTF-8"):
        read_entities(where, "val")


def test_a_zip_of_the_folder_is_read_like_a_zip_of_its_files(tmp_path: Path) -> None:
    inside = archive(tmp_path, {f"flickr30k_entities/{name}": text for name, text in FILES.items()})
    assert read_entities(inside, "val") == read_entities(directory(tmp_path), "val")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_zip_is_refused_in_one_line(tmp_path: Path, share: float) -> None:
    path = archive(tmp_path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match="not a whole zip") as refused:
        read_entities(path, "val")
    assert "\n" not in str(refused.value)


def test_a_zip_with_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "entities.zip"
    noise = os.urandom(3000).hex()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("val.txt", "11\n")
        written.writestr("Sentences/11.txt", noise)
    damaged = bytearray(path.read_bytes())
    damaged[1000:1100] = bytes(100)
    path.write_bytes(bytes(damaged))
    with pytest.raises(InputError, match="not a whole zip"):
        read_entities(path, "val")


def test_a_zip_with_a_damaged_lzma_member_or_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "entities.zip"
    for old, new in ((b"\x5d\x00\x00\x80\x00", b"\xff\xff\xff\xff\xff"), ("é".encode(), b"\xff\xfe")):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as written:
            written.writestr("val.txt", "11\n")
            written.writestr("é.txt", "")
        whole = path.read_bytes()
        assert old in whole
        path.write_bytes(whole.replace(old, new))
        with pytest.raises(InputError, match="not a whole zip"):
            read_entities(path, "val")


def test_what_swells_in_a_zip_is_skipped_and_a_list_that_does_is_refused(tmp_path: Path) -> None:
    many = {"Sentences/11.txt": "a b\n" * 1_000_000, "Sentences/12.txt": "a b\n" * 101}
    read = read_entities(archive(tmp_path, FILES | many | {"val.txt": "11\n12\n13\n"}), "val")
    assert [caption.image for caption in read.captions] == ["13"]
    assert [line.partition(":")[0] for line in read.skipped] == ["Sentences/11.txt", "Sentences/12.txt"]
    with pytest.raises(InputError, match=r"val\.txt is longer than"):
        read_entities(archive(tmp_path, FILES | {"val.txt": "1 " * 3_000_000}), "val")


@pytest.mark.parametrize("name", ["nowhere", "captions.txt"])
def test_what_is_neither_directory_nor_zip_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "captions.txt").write_text("a dog\n")
    with pytest.raises(InputError, match="give the directory or the zip"):
        read_entities(tmp_path / name, "val")


def test_the_real_val_split_is_whole(shared: Path) -> None:
    read = read_entities(shared / "flickr30k_entities.zip", "val")
    assert len(read.captions) == 5000
    assert read.skipped == []
    assert len({c.image for c in read.captions}) == 1000


def test_as_a_source_of_captions_only_the_train_split_is_read(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert list(read_samples(make(tmp_path))) == [Sample("13", ("A cat sleeps",), None)]
