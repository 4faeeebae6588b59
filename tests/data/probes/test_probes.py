"""Official probe files: what becomes a row, what is left out and counted, and what is refused."""

import json
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from tests.data.probes.examples import (
    FOIL_ANNOTATIONS,
    SVO_HEADER,
    SVO_ROWS,
    annotation,
    write_foil,
    write_pictures,
    write_svo,
)
from textgroup.data.probes.read import find_images, read_probes
from textgroup.data.probes.rows import Pair, Probe, image_name
from textgroup.errors import InputError


def test_svo_rows_have_one_sentence_and_two_images(tmp_path: Path) -> None:
    probes = read_probes(f"svo:{write_svo(tmp_path / 'svo_probes.csv')}")
    fox = "A fox carries a star"
    assert probes.rows == [
        Probe(f"{fox}|1|2", "subject", Pair("1", fox), Pair("2", fox)),
        Probe(f"{fox}|1|3", "verb", Pair("1", fox), Pair("3", fox)),
        Probe("A fox drops a star|3|1", "verb", Pair("3", "A fox drops a star"), Pair("1", "A fox drops a star")),
        Probe(f"{fox}|1|4", "object", Pair("1", fox), Pair("4", fox)),
        Probe("An owl, a fox|2|9", "object", Pair("2", "An owl, a fox"), Pair("9", "An owl, a fox")),
    ]
    assert probes.skipped == {
        ("verb", "repeated"): 1,
        ("subject", "no sentence"): 1,
        ("mixed", "not exactly one of subject, verb, object"): 2,
        ("subject", "no image id"): 1,
    }


def test_a_row_that_is_repeated_under_another_type_counts_for_both(tmp_path: Path) -> None:
    again = [*SVO_ROWS[0][:-3], False, False, True]
    probes = read_probes(f"svo:{write_svo(tmp_path / 'svo.csv', [SVO_ROWS[0], again])}")
    assert [row.category for row in probes.rows] == ["subject", "object"]


def test_svo_without_a_column_is_answered_with_those_there_are(tmp_path: Path) -> None:
    at = SVO_HEADER.index("verb_neg")
    rows = [[cell for i, cell in enumerate(row) if i != at] for row in SVO_ROWS]
    path = write_svo(tmp_path / "svo.csv", rows, [name for name in SVO_HEADER if name != "verb_neg"])
    with pytest.raises(InputError, match=r"svo.csv: no column 'verb_neg'; there are 'sentence'"):
        read_probes(f"svo:{path}")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([*SVO_ROWS[0][:-1], "perhaps"], "obj_neg is 'perhaps', neither True nor False"),
        (SVO_ROWS[0][:-1], "svo.csv:2: not as many fields"),
    ],
)
def test_a_svo_row_that_cannot_be_meant_is_refused_with_its_place(tmp_path: Path, row: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_probes(f"svo:{write_svo(tmp_path / 'svo.csv', [row])}")


def test_foil_pairs_by_foil_id_and_counts_what_has_no_partner(tmp_path: Path) -> None:
    probes = read_probes(f"foil:{write_foil(tmp_path / 'foilv1.0_test_2017.json')}")
    seven, eight = "000000000007", "000000000008"
    assert probes.rows == [
        Probe("1", "foil", Pair(seven, "A fox on a rug."), Pair(seven, "A fox on a boat.")),
        Probe("2", "foil", Pair(eight, "An owl by a lamp."), Pair(eight, "An owl by a bench.")),
    ]
    assert probes.skipped == {
        ("foil", "foil without an original"): 1,
        ("foil", "original without a foil"): 1,
        ("foil", "repeated"): 2,
        ("foil", "foil and ORIG contradict each other"): 1,
        ("foil", "foil of another image"): 1,
        ("foil", "no caption"): 1,
    }


def test_the_order_of_foil_annotations_does_not_matter(tmp_path: Path) -> None:
    backwards = write_foil(tmp_path / "b.json", FOIL_ANNOTATIONS[3::-1])
    assert {row.id for row in read_probes(f"foil:{backwards}").rows} == {"1", "2"}


def test_foils_alone_are_refused_because_no_row_is_left(tmp_path: Path) -> None:
    path = write_foil(tmp_path / "foil.json", [annotation(1, 1, 7, "A dog.", ("fox", "dog"))])
    with pytest.raises(InputError, match=r"no rows \(1 foil: foil without an original\)"):
        read_probes(f"foil:{path}")


def test_a_foil_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(InputError, match="not a JSON object"):
        read_probes(f"foil:{tmp_path / 'a.json'}")
    wrong = [annotation(1, 1, 7, "A fox.", None)]
    del wrong[0]["foil_id"]
    with pytest.raises(InputError, match="annotation 0: no field 'foil_id'; there are 'id'"):
        read_probes(f"foil:{write_foil(tmp_path / 'b.json', wrong)}")
    wrong[0]["foil_id"] = [1]
    with pytest.raises(InputError, match="'foil_id' is"):
        read_probes(f"foil:{write_foil(tmp_path / 'c.json', wrong)}")


def test_sugarcrepe_reads_a_directory_with_a_category_a_file(tmp_path: Path) -> None:
    good = {"filename": "000000000007.jpg", "caption": "A fox. ", "negative_caption": "A dog."}
    (tmp_path / "swap_obj.json").write_text(json.dumps({"0": good, "3": good | {"negative_caption": " "}}))
    (tmp_path / "add_att.json").write_text(json.dumps([good]))
    probes = read_probes(f"sugarcrepe:{tmp_path}")
    assert [(row.category, row.id) for row in probes.rows] == [("add_att", "0"), ("swap_obj", "0")]
    assert probes.rows[0].better == Pair("000000000007", "A fox.")
    assert probes.skipped == {("swap_obj", "no caption"): 1}


def test_valse_keeps_what_two_annotators_of_three_agree_on(tmp_path: Path) -> None:
    def entry(votes: int, foil: str = "A dog.") -> dict:
        votes_cast = {"caption": votes, "foil": 3 - votes, "other": 0}
        return {"image_file": "v7w_1.jpg", "caption": "A fox.", "foil": foil, "mturk": votes_cast}

    content = {"a": entry(3), "b": entry(2), "c": entry(1), "d": entry(0), "same": entry(3, "A fox.")}
    (tmp_path / "existence.json").write_text(json.dumps(content))
    probes = read_probes(f"valse:{tmp_path / 'existence.json'}")
    assert [row.id for row in probes.rows] == ["a", "b", "same"]
    assert probes.skipped == {("existence", "fewer than 2 votes"): 2}


def test_winoground_asks_four_questions_an_example(tmp_path: Path) -> None:
    example = {"id": 5, "image_0": "ex_5_img_0", "image_1": "ex_5_img_1", "caption_0": "fox on owl"}
    whole = example | {"caption_1": "owl on fox"}
    lines = [whole, example | {"id": 6, "caption_1": ""}, whole]
    (tmp_path / "examples.jsonl").write_text("\n".join(map(json.dumps, lines)))
    probes = read_probes(f"winoground:{tmp_path}")
    right, other = Pair("ex_5_img_0", "fox on owl"), Pair("ex_5_img_1", "owl on fox")
    assert [row.id for row in probes.rows] == ["5/text/0", "5/image/0", "5/text/1", "5/image/1"]
    assert probes.rows[0][2:] == (right, Pair("ex_5_img_0", "owl on fox"))
    assert probes.rows[3][2:] == (other, Pair("ex_5_img_0", "owl on fox"))
    assert probes.skipped == {(half, why): 1 for half in ("text", "image") for why in ("no caption", "repeated")}


def test_plain_rows_are_of_either_kind(tmp_path: Path) -> None:
    lines = [
        {"image": "a/x.png", "caption": "A fox.", "worse_caption": "A dog."},
        {"image": "x.png", "caption": "A fox.", "worse_image": "y.png", "category": "animals", "id": "one"},
    ]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n\n".join(map(json.dumps, lines)))
    assert read_probes(f"jsonl:{path}").rows == [
        Probe("1", "all", Pair("a/x", "A fox."), Pair("a/x", "A dog.")),
        Probe("one", "animals", Pair("x", "A fox."), Pair("y", "A fox.")),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"image": "x", "caption": "A fox."}, "not none"),
        ({"image": "x", "caption": "A fox.", "worse_image": "y", "worse_caption": "b"}, "not both"),
        ({"image": "x", "caption": "", "worse_caption": "b"}, "is empty"),
        ({"image": "x", "worse_caption": "b"}, "mine.jsonl:1: no field 'caption'"),
        ([1], "mine.jsonl:1: not a JSON object"),
    ],
)
def test_a_plain_row_that_cannot_be_meant_is_refused(tmp_path: Path, line: object, message: str) -> None:
    (tmp_path / "mine.jsonl").write_text(json.dumps(line))
    with pytest.raises(InputError, match=message):
        read_probes(f"jsonl:{tmp_path / 'mine.jsonl'}")


def test_an_id_that_comes_twice_is_refused(tmp_path: Path) -> None:
    line = json.dumps({"image": "x", "caption": "A fox.", "worse_caption": "A dog.", "id": 1})
    (tmp_path / "mine.jsonl").write_text(f"{line}\n{line}\n")
    with pytest.raises(InputError, match=r"mine\.jsonl:2: the id '1' comes twice"):
        read_probes(f"jsonl:{tmp_path / 'mine.jsonl'}")


@pytest.mark.parametrize("kind", ["foil", "sugarcrepe", "valse"])
@pytest.mark.parametrize("content", [b'{"images": [', b"\xff\xfe\x00", b"[" * 200_000, b"3"])
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json: (not|neither|nested)") as error:
        read_probes(f"{kind}:{tmp_path / 'x.json'}")
    assert len(str(error.value)) < 300


def test_what_is_no_probe_is_refused_by_name(tmp_path: Path) -> None:
    for spec in ("svo", "svo:", "coco:x.json"):
        with pytest.raises(InputError, match="KIND one of svo, foil"):
            read_probes(spec)
    with pytest.raises(InputError, match="no file or directory"):
        read_probes(f"svo:{tmp_path / 'x.csv'}")
    with pytest.raises(InputError, match=r"no \.json file"):
        read_probes(f"sugarcrepe:{tmp_path}")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("000000000042.jpg", "000000000042"),
        ("COCO_val2014_000000000042.jpg", "000000000042"),
        ("val2017/000000000042", "val2017/000000000042"),
        ("VisualDialog_val2018_000000000042.jpg", "VisualDialog_val2018_000000000042"),
        ("12", "12"),
    ],
)
def test_an_image_is_known_by_its_name_wherever_it_lies(name: str, known: str) -> None:
    assert image_name(name) == known


def test_images_are_found_in_folders_and_in_tars_and_only_those_asked_for(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "folder", {"1.png": "red", "COCO_val2014_000000000007.jpg": "blue"})
    with tarfile.open(tmp_path / "more.tar", "w") as tar:
        tar.add(write_pictures(tmp_path / "loose", {"2.jpg": "green"}) / "2.jpg", "2.jpg")
    found = dict(find_images([str(folder), str(tmp_path / "more.tar")], {"000000000007", "2", "3"}))
    assert found.keys() == {"000000000007", "2"}
    assert isinstance(found["2"], bytes)


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_pictures(tmp_path / folder, {"1.png": "red", "2.png": "red"})
    with pytest.raises(InputError, match="'1' is in"):
        list(find_images([str(tmp_path / "a"), str(tmp_path / "b")], {"1"}))


def test_the_official_sugarcrepe_and_valse_files_are_read_whole(shared: Path) -> None:
    sugarcrepe = read_probes(f"sugarcrepe:{shared / 'probes' / 'sugarcrepe'}")
    counts = Counter(row.category for row in sugarcrepe.rows)
    assert counts == {  # as the authors count them
        "add_att": 692,
        "add_obj": 2062,
        "replace_att": 788,
        "replace_obj": 1652,
        "replace_rel": 1406,
        "swap_att": 666,
        "swap_obj": 245,
    }
    valse = read_probes(f"valse:{shared / 'probes' / 'valse'}")
    assert len(valse.rows) + sum(valse.skipped.values()) == 8782
    assert len({row.category for row in valse.rows}) == 11
