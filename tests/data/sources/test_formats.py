"""The formats that docs/data.md names, written here in small: all are read without an option."""

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.data.sources.test_samples import captions, error, picture, write, write_tar
from textgroup.data.sources.count import Count
from textgroup.data.sources.samples import read_samples

ONE, TWO, OTHER = "A dog runs .", "Two of them, in a row .", "A cat ."
EXPECTED = {"1.jpg": (ONE, TWO), "2.jpg": (OTHER,)}


def coco(folder: Path) -> Path:
    """COCO's captions: annotations in any order, images by number."""
    images = [{"id": 7, "file_name": "1.jpg"}, {"id": 8, "file_name": "2.jpg"}]
    notes = [{"image_id": i, "id": n, "caption": c} for n, (i, c) in enumerate([(7, ONE), (8, OTHER), (7, TWO)])]
    content = {"info": {}, "licenses": [], "images": images, "annotations": notes}
    return write(folder / "captions_val2017.json", json.dumps(content))


def karpathy(folder: Path) -> Path:
    """Karpathy's splits: all of them in one file."""
    images = [
        {"filename": name, "imgid": n, "split": split, "sentences": [{"raw": c, "tokens": c.split()} for c in texts]}
        for n, (name, split, texts) in enumerate(
            [("1.jpg", "train", (ONE, TWO)), ("3.jpg", "test", (ONE,)), ("2.jpg", "restval", (OTHER,))]
        )
    ]
    return write(folder / "dataset_flickr8k.json", json.dumps({"images": images, "dataset": "flickr8k"}))


def rows(begin: str, separator: str, end: str, quote: str = "") -> Callable[[Path], Path]:
    """A table with a header `begin`, rows of image, number and caption, under the name `end`."""

    def make(folder: Path) -> Path:
        lines = [("1.jpg", "0", ONE), ("1.jpg", "1", TWO), ("2.jpg", "0", OTHER)]
        numbered = begin.count(separator.strip() or separator) == 2
        texts = [
            separator.join((image, number, quote + text + quote) if numbered else (image, quote + text + quote))
            for image, number, text in lines
        ]
        return write(folder / end, "\n".join([begin, *texts]) + "\n")

    return make


def token(name: str) -> Callable[[Path], Path]:
    """Flickr's token files: no header, the number of the caption behind the name."""
    lines = f"1.jpg#0\t{ONE}\n1.jpg#1\t{TWO}\n2.jpg#0\t{OTHER}\n"
    return lambda folder: write(folder / name, lines)


def open_clip(folder: Path) -> Path:
    """As pandas writes it, with a quoted line end."""
    return write(folder / "train.tsv", f'filepath\ttitle\n1.jpg\t"{ONE}\n"\n1.jpg\t{TWO}\n2.jpg\t{OTHER}\n')


def llava(folder: Path) -> Path:
    """LLaVA's conversations; ShareGPT4V's are the same."""

    def record(image: str, text: str) -> dict:
        turns = [{"from": "human", "value": "Describe it.\n<image>"}, {"from": "gpt", "value": text}]
        return {"id": image, "image": image, "conversations": turns}

    return write(folder / "chat.json", json.dumps([record("1.jpg", ONE), record("1.jpg", TWO), record("2.jpg", OTHER)]))


def docci(folder: Path) -> Path:
    """DOCCI's descriptions: all splits in one file."""
    lines = [("1.jpg", "train", ONE), ("1.jpg", "train", TWO), ("3.jpg", "test", ONE), ("2.jpg", "train", OTHER)]
    texts = [json.dumps({"example_id": i, "split": s, "image_file": i, "description": c}) for i, s, c in lines]
    return write(folder / "docci_descriptions.jsonlines", "\n".join(texts))


def imagefolder(kind: str) -> Callable[[Path], Path]:
    """`imagefolder` of `datasets`, with its table as csv, jsonl or parquet."""

    def make(folder: Path) -> Path:
        table = [{"file_name": i, "text": c} for i, c in (("1.jpg", ONE), ("1.jpg", TWO), ("2.jpg", OTHER))]
        for name in EXPECTED:
            write(folder / name, picture())
        if kind == "csv":
            lines = [f'{row["file_name"]},"{row["text"]}"' for row in table]
            write(folder / "metadata.csv", "\n".join(["file_name,text", *lines]))
        elif kind == "jsonl":
            write(folder / "metadata.jsonl", "\n".join(map(json.dumps, table)))
        else:
            parquet.write_table(pa.Table.from_pylist(table), folder / "metadata.parquet")
        return folder

    return make


FORMATS = {
    "COCO": coco,
    "Karpathy": karpathy,
    "Flickr8k.token.txt": token("Flickr8k.token.txt"),
    "results_20130124.token": token("results_20130124.token"),
    "Kaggle's captions.txt": rows("image,caption", ",", "captions.txt", '"'),
    "Flickr30k results.csv": rows("image_name| comment_number| comment", "| ", "results.csv"),
    "open_clip": open_clip,
    "semicolons": rows("image;caption", ";", "a.csv"),
    "LLaVA": llava,
    "DOCCI": docci,
    "imagefolder, csv": imagefolder("csv"),
    "imagefolder, jsonl": imagefolder("jsonl"),
    "imagefolder, parquet": imagefolder("parquet"),
}


@pytest.mark.parametrize("make", FORMATS.values(), ids=FORMATS.keys())
def test_a_format_is_read_without_an_option(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    count = Count()
    found = list(read_samples(make(tmp_path), count=count))
    assert {sample.key: sample.captions for sample in found} == EXPECTED
    assert {sample.key: sample.image for sample in found} == {name: tmp_path / name for name in EXPECTED}
    assert (count.samples, count.captions, count.images) == (2, 3, 2)
    assert count.skipped.keys() <= {"of another split (name the one to read behind the source: SOURCE#SPLIT)"}


@pytest.mark.parametrize("make", [karpathy, docci])
def test_a_split_is_named_behind_the_source(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert [sample.key for sample in read_samples(f"{make(tmp_path)}#test", count=Count())] == ["3.jpg"]
    assert "another split" in error(f"{make(tmp_path)}#val")


def test_an_imagefolder_may_have_a_table_in_each_folder(tmp_path: Path) -> None:
    for split in ("test", "train"):
        (tmp_path / split).mkdir()
        for name in ("1.jpg", "2.jpg"):
            write(tmp_path / split / name, picture())
        write(tmp_path / split / "metadata.csv", f"file_name,text\n1.jpg,{split}\n/elsewhere/3.jpg,far\n")
    found = {sample.key: sample.captions for sample in read_samples(tmp_path)}
    own = {"test/1.jpg": ("test",), "train/1.jpg": ("train",), "test/2.jpg": (), "train/2.jpg": ()}
    assert found == own | {"/elsewhere/3.jpg": ("far",)}
    assert {sample.key for sample in read_samples(tmp_path, captions=False)} == own.keys()


def test_conceptual_captions_are_captions_with_urls(tmp_path: Path) -> None:
    table = write(tmp_path / "Train_GCC-training.tsv", f'{ONE}\thttp://x/1.jpg\n"so, he said\thttps://x/2\n')
    assert captions(table) == [(ONE,), ('"so, he said',)]


def test_localized_narratives_are_captions(tmp_path: Path) -> None:
    line = {"dataset_id": "coco", "image_id": "137576", "annotator_id": 9, "caption": ONE, "traces": [[{"x": 0.1}]]}
    assert captions(write(tmp_path / "coco_val_localized_narratives.jsonl", json.dumps(line))) == [(ONE,)]


def test_img2dataset_is_read_in_its_three_forms(tmp_path: Path) -> None:
    record = {"caption": ONE, "url": "http://x/1.jpg", "key": "000000001", "status": "success"}
    data = json.dumps(record).encode()
    folder = tmp_path / "files" / "00000"
    folder.mkdir(parents=True)
    for name, content in (("jpg", picture()), ("txt", ONE.encode()), ("json", data)):
        write(folder / f"000000001.{name}", content)
    tar = write_tar(tmp_path / "0.tar", {"000000001.jpg": picture(), "000000001.txt": b"x", "000000001.json": data})
    table = pa.Table.from_pylist([record | {"jpg": picture()}])
    parquet.write_table(table, tmp_path / "00000.parquet")
    assert [(s.key, s.captions) for s in read_samples(tmp_path / "files")] == [("00000/000000001.jpg", (ONE,))]
    for source in (tar, tmp_path / "00000.parquet"):
        (sample,) = read_samples(source)
        assert (sample.key, sample.captions, sample.image) == ("000000001", (ONE,), picture())
        (sample,) = read_samples(source, images=False)
        assert (sample.key, sample.image) == ("000000001", None)


def test_laion_has_captions_and_urls(tmp_path: Path) -> None:
    parquet.write_table(pa.Table.from_pylist([{"URL": "http://x/1.jpg", "TEXT": ONE}]), tmp_path / "laion.parquet")
    assert captions(tmp_path / "laion.parquet") == [(ONE,)]


def test_clip_benchmark_has_a_caption_a_line(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "0.tar", {"s0000000.webp": picture(), "s0000000.txt": f"{ONE}\n{TWO}\n".encode()})
    assert captions(tar) == [(ONE, TWO)]


def test_images_of_datasets_are_bytes_in_a_column(tmp_path: Path) -> None:
    row = {"image": {"bytes": picture(), "path": "1.png"}, "caption": [ONE, TWO]}
    parquet.write_table(
        pa.Table.from_pylist([row, row | {"image": {"bytes": picture("blue"), "path": None}}]), tmp_path / "t.parquet"
    )
    first, second = read_samples(tmp_path / "t.parquet")
    assert (first.key, first.captions, first.image) == ("1.png", (ONE, TWO), picture())
    assert (second.key, second.image) == ("t-2", picture("blue"))
    assert [s.key for s in read_samples(tmp_path / "t.parquet", images=False)] == ["1.png", "t-2"]


def test_a_data_set_is_read_by_name_from_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    imagefolder("jsonl")(folder)
    found = list(read_samples(f"datasets:{folder}"))
    assert [text for sample in found for text in sample.captions] == [ONE, TWO, OTHER]
    assert all(sample.image is not None for sample in found)
    assert "it cannot be had" in error(f"datasets:{folder}#nothing")


def test_a_json_file_may_hold_an_object_a_line(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"image": "1.jpg", "caption": text}) + "\n" for text in (ONE, TWO))
    assert captions(write(tmp_path / "a.json", lines)) == [(ONE, TWO)]


def test_a_folder_of_parquet_files_is_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, text in (("00001", TWO), ("00000", ONE)):
        parquet.write_table(pa.Table.from_pylist([{"jpg": picture(), "caption": text}]), tmp_path / f"{name}.parquet")
        write(tmp_path / f"{name}_stats.json", "{}")
    assert [(s.key, s.captions) for s in read_samples(tmp_path)] == [("00000-1", (ONE,)), ("00001-1", (TWO,))]


def test_images_of_a_table_on_the_web_are_refused_not_looked_for_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write(tmp_path / "a.csv", f"image,caption\n1.jpg,{OTHER}\n")
    write(tmp_path / "1.jpg", picture())
    monkeypatch.chdir(tmp_path)
    assert "are not fetched" in error(f"file://{table}")
    assert [(s.key, s.image) for s in read_samples(f"file://{table}", images=False)] == [("1.jpg", None)]


def test_a_zip_of_images_is_a_folder_of_them(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("images/b.png", "images/a.jpg", "c.gif"):
            archive.writestr(name, picture())
        archive.writestr("images/a.txt", ONE)
        archive.writestr("__MACOSX/images/._a.jpg", b"x")
    assert [(s.key, s.captions) for s in read_samples(path)] == [
        ("c.gif", ()),
        ("images/a.jpg", (ONE,)),
        ("images/b.png", ()),
    ]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_table_and_a_tar_may_be_compressed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    ending = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[pack]
    for name, text in (
        ("a.csv", "caption\na dog\n"),
        ("b.jsonl", '{"caption": "a dog"}'),
        ("c.json", '[{"caption": "a dog"}]'),
    ):
        (tmp_path / f"{name}.{ending}").write_bytes(pack(text.encode()))
        assert captions(tmp_path / f"{name}.{ending}") == [("a dog",)]
    tar = write_tar(tmp_path / "a.tar", {"1.txt": b"a dog"})
    (tmp_path / f"b.tar.{ending}").write_bytes(pack(tar.read_bytes()))
    assert captions(tmp_path / f"b.tar.{ending}") == [("a dog",)]


def test_several_caption_columns_are_named_with_commas_or_numbered(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", f'image,short,long\n1.jpg,{OTHER},"{TWO}"\n')
    assert captions(table, caption_column="short,long") == [(OTHER, TWO)]
    table = write(tmp_path / "b.csv", f'file_name,caption_1,caption_2\n1.jpg,{OTHER},"{TWO}"\n')
    assert captions(table) == [(OTHER, TWO)]


def test_a_text_file_that_is_a_table_is_never_read_as_captions(tmp_path: Path) -> None:
    rows = "".join(f"{i}.jpg;{i};a dog ; a cat\n" for i in range(5))
    assert "looks like a row of a table" in error(write(tmp_path / "a.txt", rows))
    assert captions(write(tmp_path / "a.txt", rows), image_column="0", caption_column="2")[0] == ("a dog",)
    prose = "A dog, a cat, and a bird.\nThe file 1.jpg, shown here, is red.\n"
    assert captions(write(tmp_path / "b.txt", prose)) == [(line,) for line in prose.splitlines()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('\ufeffimage,caption\r\n1.jpg,"a ""big"" dog,\r\nred"\r\n', [('a "big" dog,\nred',)]),
        ("image,caption\n1.jpg,a\0dog\n", [("a\0dog",)]),
        ("image,caption\r1.jpg,x\r", None),
        ("image\tcaption\n1.jpg\ta\n", [("a",)]),
    ],
)
def test_a_csv_may_be_written_as_people_write_it(tmp_path: Path, text: str, expected: list | None) -> None:
    table = write(tmp_path / "a.csv", text)
    if expected is None:
        error(table)
    else:
        assert captions(table) == expected
