"""A run over benchmarks: all models on the same rows, each image and caption encoded once, what is left out counted."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.data.probes.examples import write_foil, write_pictures, write_svo
from textgroup.data.probes.read import read_probes
from textgroup.data.probes.rows import Probes
from textgroup.errors import InputError
from textgroup.evaluation.ranking import scoring
from textgroup.evaluation.ranking.scoring import figures, keep_scored_rows, score_models, write_run
from textgroup.vision.decode import BrokenImage, decode

COLOURS = {"red": (1.0, 0, 0), "lime": (0, 1.0, 0), "blue": (0, 0, 1.0)}


class ColourBlindOrNot:
    """A `DualEncoder` that knows colours: an image is its mean colour, a caption the colour that it names."""

    def __init__(self, refuses: str = "") -> None:
        self.images: list[str] = []
        self.captions: list[str] = []
        self.refuses = refuses

    def prepare(self, image: bytes | Path) -> np.ndarray:
        if self.refuses and self.refuses in str(image):
            raise BrokenImage(f"image {image}: too long and thin for this model")
        pixels = np.asarray(decode(image), dtype=np.float32).transpose(2, 0, 1)
        self.images.append(str(image))
        return pixels

    def encode_pixels(self, pixels: np.ndarray) -> np.ndarray:
        mean = pixels.mean(axis=(2, 3))
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def encode_text(self, captions: Sequence[str]) -> np.ndarray:
        self.captions += captions
        named = [next((c for word, c in COLOURS.items() if word in caption), (1.0, 1.0, 1.0)) for caption in captions]
        vectors = np.array(named, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, ColourBlindOrNot]:
    found = {"seeing": ColourBlindOrNot(), "picky": ColourBlindOrNot(refuses="b.png")}
    monkeypatch.setattr(scoring, "open_dual_encoder", lambda spec, *_: found[spec])
    return found


def plain(folder: Path, lines: list[dict[str, str]]) -> Probes:
    (folder / "mine.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return read_probes(f"jsonl:{folder / 'mine.jsonl'}")


LINES = [
    {"image": "r.png", "caption": "red", "worse_caption": "blue", "category": "right"},
    {"image": "b.png", "caption": "blue", "worse_image": "r.png", "category": "right"},
    {"image": "b.png", "caption": "red", "worse_caption": "blue", "category": "wrong"},
    {"image": "r.png", "caption": "red thing", "worse_caption": "red", "category": "tie"},
    {"image": "g.png", "caption": "lime", "worse_caption": "red", "category": "broken"},
    {"image": "r.png", "caption": "red", "worse_image": "nowhere.png", "category": "missing"},
]
PICTURES = {"r.png": "red", "b.png": "blue", "g.png": "text", "other.png": "red"}


def test_scores_categories_and_what_is_left_out_are_those_one_counts_by_hand(
    models: dict[str, ColourBlindOrNot], tmp_path: Path
) -> None:
    probes = plain(tmp_path, LINES)
    found = score_models(["seeing"], [probes], [str(write_pictures(tmp_path / "images", PICTURES))])
    scores = {figure.category: (figure.score, figure.ties) for figure in figures(found)}
    assert scores == {"right": (100, 0), "wrong": (0, 0), "tie": (50, 1), "overall": (62.5, 1)}
    assert probes.skipped == {("broken", "broken image"): 1, ("missing", "missing image"): 1}


def test_each_image_and_each_caption_is_encoded_once(models: dict[str, ColourBlindOrNot], tmp_path: Path) -> None:
    images = write_pictures(tmp_path / "images", PICTURES)
    score_models(["seeing"], [plain(tmp_path, LINES * 3)], [str(images)], batch_size=1)
    seeing = models["seeing"]
    assert sorted(Path(image).name for image in seeing.images) == ["b.png", "r.png"]
    assert sorted(seeing.captions) == ["blue", "lime", "red", "red thing"]


def test_all_models_stand_on_the_rows_that_all_could_score(models: dict[str, ColourBlindOrNot], tmp_path: Path) -> None:
    images = str(write_pictures(tmp_path / "images", PICTURES))
    probes = plain(tmp_path, LINES)
    found = score_models(["seeing", "picky"], [probes], [images])
    assert [row.category for row in found.rows] == ["right", "tie"]
    assert {figure.rows for figure in figures(found) if figure.category == "overall"} == {2}
    assert probes.skipped["wrong", "broken image"] == 1


def test_the_scored_rows_are_written_and_another_run_can_be_held_to_them(
    models: dict[str, ColourBlindOrNot], tmp_path: Path
) -> None:
    images = str(write_pictures(tmp_path / "images", PICTURES))
    found = score_models(["picky"], [plain(tmp_path, LINES)], [images])
    write_run(tmp_path / "out", found, figures(found))
    lines = [json.loads(line) for line in (tmp_path / "out" / "ranking_rows.jsonl").read_text().splitlines()]
    assert [(line["category"], line["id"]) for line in lines] == [("right", "1"), ("tie", "4")]
    assert lines[0]["scores"] == {"picky": [1.0, 0.0]}

    again = plain(tmp_path, LINES)
    keep_scored_rows([again], tmp_path / "out" / "ranking_rows.jsonl")
    assert [row.id for row in again.rows] == ["1", "4"]
    assert sum(again.skipped.values()) == len(LINES) - 2
    assert [row.id for row in score_models(["seeing"], [again], [images]).rows] == ["1", "4"]

    content = json.loads((tmp_path / "out" / "ranking.json").read_text())
    assert {(s["category"], s["why"], s["rows"]) for s in content["skipped"]} == {
        ("right", "broken image", 1),
        ("wrong", "broken image", 1),
        ("broken", "broken image", 1),
        ("missing", "missing image", 1),
    }
    assert list((tmp_path / "out").glob(".*")) == [], "nothing half-written stays"


def test_odd_names_are_written_and_read_again(models: dict[str, ColourBlindOrNot], tmp_path: Path) -> None:
    """Half a character, as broken files and file names have it; a table's own signs; space at the ends of an id."""
    lines = [LINES[0] | {"id": " \ud800 ", "category": "a|b\n\udcff"}]
    images = str(write_pictures(tmp_path / "images", PICTURES))
    found = score_models(["seeing"], [plain(tmp_path, lines)], [images])
    write_run(tmp_path / "out", found, figures(found))
    assert "| a\\|b \\udcff | seeing | 100.0 |" in (tmp_path / "out" / "ranking.md").read_text()
    again = plain(tmp_path, lines)
    keep_scored_rows([again], tmp_path / "out" / "ranking_rows.jsonl")
    assert again.rows == found.rows


def test_a_model_that_gives_no_numbers_is_named_and_not_the_images(
    models: dict[str, ColourBlindOrNot], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models["seeing"], "encode_text", lambda captions: np.full((len(captions), 3), np.nan))
    images = str(write_pictures(tmp_path / "images", PICTURES))
    with pytest.raises(InputError, match="model seeing: it gives what is no number"):
        score_models(["seeing"], [plain(tmp_path, LINES)], [images])


def test_a_run_that_names_no_row_of_a_benchmark_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"benchmark": "svo", "category": "verb", "id": "x"}\n')
    with pytest.raises(InputError, match="names no row of jsonl"):
        keep_scored_rows([plain(tmp_path, LINES)], tmp_path / "rows.jsonl")


def test_svo_and_foil_together_give_noun_understanding_and_the_papers_rows(
    models: dict[str, ColourBlindOrNot], tmp_path: Path
) -> None:
    svo = read_probes(f"svo:{write_svo(tmp_path / 'svo.csv')}")
    foil = read_probes(f"foil:{write_foil(tmp_path / 'foil.json')}")
    colours = {"1.png": "red", "2.png": "blue", "3.png": "text", "4.png": "lime"}
    images = write_pictures(tmp_path / "images", colours | {"COCO_val2014_000000000007.jpg": "red"})
    found = score_models(["seeing"], [svo, foil], [str(images)])
    results = {(f.benchmark, f.measure, f.category): f for f in figures(found)}
    assert results["svo", "ranking", "overall"].rows == 2
    assert ("svo", "ranking", "verb") not in results, "its images are a text file"
    assert results["svo + foil", "noun understanding", "overall"].score == 50, "no colour is named: all are ties"
    assert svo.skipped["verb", "broken image"] == 2
    assert svo.skipped["object", "missing image"] == 1
    assert foil.skipped["foil", "missing image"] == 1
    write_run(tmp_path / "out", found, figures(found))
    page = (tmp_path / "out" / "ranking.md").read_text()
    assert "| paper: ours, K=4 | 80.3 |" in page
    assert "| paper: groupvit | 82.5 |" in page


def test_svo_match_takes_its_threshold_from_other_data(models: dict[str, ColourBlindOrNot], tmp_path: Path) -> None:
    lines = ["image,caption", "r.png,red", "b.png,blue"]
    images = write_pictures(tmp_path / "images", PICTURES)
    (images / "captions.csv").write_text("\n".join(lines))
    rows = [
        ["red", "", "", "", "", "r", "b", True, False, False],
        ["lime", "", "", "", "", "r", "b", False, True, False],
    ]
    svo = read_probes(f"svo:{write_svo(tmp_path / 'svo.csv', rows)}")
    found = score_models(["seeing"], [svo], [str(images)], fit_on=str(images / "captions.csv"))
    assert found.thresholds == {"seeing": 0.5}, "half-way between 1, its own caption, and 0, the other's"
    matches = {f.category: f.score for f in figures(found) if f.measure == "match"}
    assert matches == {"subject": 100, "verb": 50, "overall": 75}, "nothing is lime: no pair matches"
    (images / "one.csv").write_text("image,caption\nr.png,red\n")
    with pytest.raises(InputError, match="at least two images"):
        score_models(["seeing"], [svo], [str(images)], fit_on=str(images / "one.csv"))


def test_images_that_are_not_there_or_not_readable_are_told_at_once(
    models: dict[str, ColourBlindOrNot], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="jsonl: all of its 6 rows have missing images"):
        score_models(["seeing"], [plain(tmp_path, LINES)], [str(write_pictures(tmp_path / "a", {"z.png": "red"}))])
    assert models["seeing"].images == []
    broken = str(write_pictures(tmp_path / "b", {"r.png": "text", "b.png": "text"}))
    with pytest.raises(InputError, match="none of 2 images can be read: image "):
        score_models(["seeing"], [plain(tmp_path, LINES[:4])], [broken])
