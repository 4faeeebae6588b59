"""Probe files of other benchmarks, written here in their layouts, and images that are told apart by their folders."""

import json
from pathlib import Path

import pytest

from tests.data.probes.examples import write_json, write_pictures
from textgroup.data.probes.read import find_images, read_probes
from textgroup.data.probes.rows import Pair, Probe
from textgroup.errors import InputError

FOX, DOG = "A fox on a rug.", "A rug on a fox."


def test_aro_has_a_true_and_a_false_caption_a_row(tmp_path: Path) -> None:
    row = {"image_path": "23.jpg", "true_caption": FOX, "false_caption": DOG, "bbox_x": 1, "relation_name": "on"}
    write_json(tmp_path / "visual_genome_relation.json", [row, row | {"false_caption": " "}])
    write_json(tmp_path / "visual_genome_attribution.json", [row])
    probes = read_probes(f"aro:{tmp_path}")
    assert probes.rows == [Probe("0", name, Pair("23", FOX), Pair("23", DOG)) for name in ("attribution", "relation")]
    assert probes.skipped == {("relation", "no caption"): 1}


def test_vlchecklist_pairs_positive_and_negative_captions(tmp_path: Path) -> None:
    entries = [["a/1.jpg", {"POS": [FOX, "x"], "NEG": [DOG]}], ["2.jpg", {"POS": [""], "NEG": [DOG]}]]
    write_json(tmp_path / "Relation" / "vg" / "spatial.json", entries)
    probes = read_probes(f"vlchecklist:{tmp_path}")
    assert probes.rows == [Probe("0/0", "Relation/vg/spatial", Pair("a/1", FOX), Pair("a/1", DOG))]
    assert sorted(probes.skipped.values()) == [1, 1]
    with pytest.raises(InputError, match="entry 0: not"):
        read_probes(f"vlchecklist:{write_json(tmp_path / 'x.json', [1])}")


def test_colorswap_asks_both_ways(tmp_path: Path) -> None:
    row = {"id": 3, "image_1": "images/1.png", "image_2": "images/2.png", "caption_1": FOX, "caption_2": DOG}
    (tmp_path / "lines.jsonl").write_text(json.dumps(row) + "\n")
    for path in (write_json(tmp_path / "test.json", [row]), tmp_path / "lines.jsonl"):
        rows = read_probes(f"colorswap:{path}").rows
        assert [row.id for row in rows] == ["3/text/0", "3/image/0", "3/text/1", "3/image/1"]
        assert rows[1][2:] == (Pair("images/1", FOX), Pair("images/2", FOX))


def test_negclip_has_a_list_of_negative_captions_as_python_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "valid_neg_clip.tsv"
    path.write_text(f"\ttitle\tfilepath\tneg_caption\n0\t{FOX}\tval2014/7.jpg\t\"['{DOG}', '']\"\nbad\n")
    probes = read_probes(f"negclip:{path}")
    assert probes.rows == [Probe("2/0", "negclip", Pair("val2014/7", FOX), Pair("val2014/7", DOG))]
    assert probes.skipped.total() == 2
    path.write_text("title\tfilepath\tneg_caption\na\tb.jpg\t__import__('os')\n")
    with pytest.raises(InputError, match="not a list of captions"):
        read_probes(f"negclip:{path}")


def test_sugarcrepe_plus_has_two_true_captions(tmp_path: Path) -> None:
    row = {"filename": "7.jpg", "caption": FOX, "caption2": "On a rug, a fox.", "negative_caption": DOG}
    probes = read_probes(f"sugarcrepe++:{write_json(tmp_path / 'swap_obj.json', [row])}")
    assert [row.id for row in probes.rows] == ["0/caption", "0/caption2"]
    assert {row.worse for row in probes.rows} == {Pair("7", DOG)}


def test_whatsup_has_one_true_option_among_false_ones(tmp_path: Path) -> None:
    controlled = {"image_path": "data/controlled_images/mug.jpeg", "caption_options": [FOX, DOG, "c", FOX]}
    write_json(tmp_path / "controlled_images_dataset.json", [controlled])
    write_json(tmp_path / "coco_qa_one_obj.json", [[42, FOX, DOG]])
    probes = read_probes(f"whatsup:{tmp_path}")
    assert [row.better.image for row in probes.rows] == ["000000000042"] + 2 * ["data/controlled_images/mug"]
    assert probes.skipped.total() == 1


@pytest.mark.parametrize("kind", ["aro", "vlchecklist", "whatsup", "sugarcrepe++", "colorswap", "negclip"])
@pytest.mark.parametrize("content", [b'{"images": [', b"\xff\xfe\x00", b"[" * 200_000, b"3", b'["a"]'])
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_probes(f"{kind}:{tmp_path / 'x.json'}")
    assert len(str(error.value).splitlines()) == 1


def test_two_pictures_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_pictures(tmp_path / "all" / folder, {"1.png": "red", "2.png": "red"})
    found = list(find_images([str(tmp_path / "all")], {"a/1", "b/1"}))
    assert found == [("a/1", tmp_path / "all/a/1.png"), ("b/1", tmp_path / "all/b/1.png")]
    assert [name for name, _ in find_images([str(tmp_path / "all" / "b")], {"x/b/2", "a/1"})] == ["a/1", "x/b/2"]
    assert list(find_images([str(tmp_path / "all")], {"a/1"})) == found[:1]
    with pytest.raises(InputError, match="name the image with its folder"):
        list(find_images([str(tmp_path / "all")], {"1"}))


def test_a_photograph_of_coco_in_two_releases_is_one(tmp_path: Path) -> None:
    first = write_pictures(tmp_path / "val2014", {"COCO_val2014_000000000042.jpg": "red"})
    second = write_pictures(tmp_path / "val2017", {"000000000042.jpg": "red"})
    found = list(find_images([str(second), str(first)], {"000000000042"}))
    assert found == [("000000000042", second / "000000000042.jpg")]


def test_a_name_with_dots_keeps_them(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"photo_v2.0_final.jpg": "red", "photo_v2.1_final.jpg": "red"})
    row = {"image": "photo_v2.0_final.jpg", "caption": FOX, "worse_caption": DOG}
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    name = read_probes(f"jsonl:{tmp_path / 'p.jsonl'}").rows[0].better.image
    assert [path for _, path in find_images([str(tmp_path)], {name})] == [tmp_path / "photo_v2.0_final.jpg"]
