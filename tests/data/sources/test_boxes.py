"""The reader of boxes, on files written here, whole and broken."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from textgroup.data.sources.boxes import MAX_FILE, read_boxes
from textgroup.data.sources.entities import read_entities
from textgroup.errors import InputError


def thing(names: list[str], corners: tuple[float, float, float, float] | None) -> str:
    ends = "".join(f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), corners or ()))
    inner = f"<bndbox>{ends}</bndbox>" if corners else "<nobndbox>1</nobndbox>"
    return "<object>" + "".join(f"<name>{name}</name>" for name in names) + inner + "</object>"


def annotation(*things: str, size: str = "<width>200</width><height>100</height>") -> str:
    return f"<annotation><size>{size}</size>{''.join(things)}</annotation>"


PAIR = annotation(thing(["1", "2"], (20, 10, 60, 50)), thing(["1"], (100, 0, 220, 100)), thing(["3"], None))


def write(where: Path, files: dict[str, str]) -> Path:
    (where / "Annotations").mkdir()
    for name, text in files.items():
        (where / "Annotations" / f"{name}.xml").write_text(text)
    return where


def test_boxes_are_shares_of_the_photograph_and_kept_inside_it(tmp_path: Path) -> None:
    boxes = read_boxes(write(tmp_path, {"11": PAIR}))
    assert boxes.skipped == []
    of_image = boxes.of_image["11"]
    assert of_image.keys() == {"1", "2"}, "a chain without a box has no entry"
    np.testing.assert_allclose(of_image["1"], [[0.1, 0.1, 0.3, 0.5], [0.5, 0, 1, 1]])
    np.testing.assert_allclose(of_image["2"], [[0.1, 0.1, 0.3, 0.5]])


def test_a_directory_itself_and_a_zip_give_the_same(tmp_path: Path) -> None:
    folder = write(tmp_path, {"11": PAIR})
    with zipfile.ZipFile(tmp_path / "boxes.zip", "w") as archive:
        archive.writestr("official/Annotations/11.xml", PAIR)
        archive.writestr("official/README.xml", "not one of them")
    for where in (folder / "Annotations", tmp_path / "boxes.zip"):
        np.testing.assert_array_equal(read_boxes(where).of_image["11"]["1"], read_boxes(folder).of_image["11"]["1"])


@pytest.mark.parametrize(
    "content",
    [
        "not XML",
        PAIR[:60],
        f"<!DOCTYPE a [<!ENTITY b 'c'>]>{PAIR}",
        annotation(thing(["1"], (0, 0, 1, 1)), size="<width>0</width><height>100</height>"),
        annotation(thing(["1"], (0, 0, 1, 1)), size="<width>200</width>"),
        annotation(thing(["1"], (0, 0, float("nan"), 1))),
        annotation(thing(["1"], (0, 0, 9, 9))).replace("<xmin>0", "<xmin>wide"),
        "<a>" * 100_000,
        PAIR + " " * MAX_FILE,
    ],
)
def test_a_file_that_is_no_annotation_is_skipped_and_named(tmp_path: Path, content: str) -> None:
    boxes = read_boxes(write(tmp_path, {"11": PAIR, "12": content}))
    assert boxes.of_image.keys() == {"11"}
    assert len(boxes.skipped) == 1
    assert boxes.skipped[0].startswith("12.xml: not an annotation")


def test_a_box_without_an_area_is_skipped_and_named(tmp_path: Path) -> None:
    flat = annotation(thing(["1"], (20, 10, 20, 50)), thing(["2"], (20, 10, 60, 50)))
    boxes = read_boxes(write(tmp_path, {"11": flat}))
    assert boxes.of_image["11"].keys() == {"2"}
    assert boxes.skipped == ["11.xml: a box without an area"]


def test_what_holds_no_box_is_refused(tmp_path: Path) -> None:
    for where in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(InputError, match="no Annotations"):
            read_boxes(where)
    with pytest.raises(InputError, match=r"12\.xml: not an annotation"):
        read_boxes(write(tmp_path, {"12": "?"}))
    (tmp_path / "boxes.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match="not a whole zip"):
        read_boxes(tmp_path / "boxes.zip")


def test_the_boxes_of_val_are_as_many_as_were_collected(shared: Path) -> None:
    """123 photographs and 631 boxes, says the README of the data."""
    boxes = read_boxes(shared / "flickr30k_entities_boxes.zip")
    assert boxes.skipped == []
    val = {caption.image for caption in read_entities(shared / "flickr30k_entities.zip", "val").captions}
    of_val = [rows for image in val & boxes.of_image.keys() for rows in boxes.of_image[image].values()]
    assert len(val & boxes.of_image.keys()) == 123
    assert sum(len(rows) for rows in of_val) == 631
    assert all((rows >= 0).all() and (rows <= 1).all() and (rows[:, 2:] > rows[:, :2]).all() for rows in of_val)
