"""The benchmark around the figures, with grounders that know the answer, and ones that know nothing."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textgroup.data.sources.boxes import Boxes, read_boxes
from textgroup.data.sources.entities import EntityCaption, Phrase, read_entities
from textgroup.errors import InputError
from textgroup.evaluation.grounding.benchmark import BLIND, Mentions, measure, measure_blind, mentions_of
from textgroup.evaluation.grounding.grounders import Grounder, largest_object, open_grounder, shuffled
from textgroup.evaluation.grounding.report import markdown
from textgroup.units import Unit

LEFT, RIGHT = np.array([[0.0, 0.0, 0.5, 1.0]]), np.array([[0.5, 0.0, 1.0, 1.0]])
MAN, WAY, BIKE = Phrase(0, 3, "1", ("people",)), Phrase(9, 12, "0", ("notvisual",)), Phrase(9, 13, "2", ("vehicles",))
CAPTIONS = [EntityCaption("a", "man on a way", [MAN, WAY]), EntityCaption("b", "man on a bike", [MAN, BIKE])]
BOXES = Boxes({"a": {"1": LEFT}, "b": {"1": RIGHT, "2": LEFT}})
IMAGES: dict[str, bytes | Path] = {"a": b"a", "b": b"b"}


def half(boxes: np.ndarray) -> np.ndarray:
    heat = np.zeros((2, 4))
    heat[:, slice(0, 2) if boxes is LEFT else slice(2, 4)] = 1
    return heat


def knows(name: str, image: bytes | Path, caption: str, spans: Any) -> list[np.ndarray]:
    return [half(LEFT if (name == "a") == (start == 0) else RIGHT) for start, _ in spans]


def finds(*spans: tuple[int, int, bool | None]) -> Callable[[str], list[Unit]]:
    return lambda caption: [Unit(caption[a:b], a, b, i, named) for i, (a, b, named) in enumerate(spans)]


def mentions() -> list[Mentions]:
    return mentions_of(CAPTIONS, BOXES)


def test_one_who_knows_scores_everything() -> None:
    record = measure(Grounder("knows", knows), mentions(), IMAGES).record()
    assert (record["n_images"], record["n_phrases"]) == (2, 3), "a phrase without a box does not count"
    assert [record[name] for name in ("pointing_mass", "pointing_best", "box_recall_union", "auc")] == [100.0] * 4
    assert record["unit_f1"] is None, "it finds no units of its own"
    assert record["pointing_mass_by_type"] == {
        "people": {"score": 100.0, "n_phrases": 2},
        "vehicles": {"score": 100.0, "n_phrases": 1},
    }
    assert record["ci95"]["pointing_mass"] == [100.0, 100.0]


def test_one_who_sees_another_photograph_scores_nothing_here() -> None:
    """The two photographs have opposite answers."""
    (other,) = shuffled(Grounder("knows", knows, finds()), IMAGES)
    assert other.name == "knows, shuffled images"
    assert measure(other, mentions(), IMAGES).record()["pointing_mass"] == 0


def test_only_who_takes_any_photograph_can_be_shown_another() -> None:
    assert shuffled(Grounder("file:heats.jsonl", knows), IMAGES) == []
    assert shuffled(Grounder("knows", knows, finds()), {"a": b"a"}) == []


def test_the_largest_object_is_said_to_every_phrase_where_objects_differ_in_size() -> None:
    masks = np.stack([half(LEFT) * [[1], [0]], half(RIGHT)])
    assert largest_object(Grounder("patches", knows, finds())) == []
    (largest,) = largest_object(Grounder("objects", knows, finds(), lambda name, image: masks))
    assert largest.name == "objects, largest object"
    heats = largest.heats("a", b"a", "caption", [(0, 1), (2, 3)])
    assert [np.array_equal(heat, masks[1]) for heat in heats] == [True, True]


def test_units_end_to_end_count_claims_and_leave_out_what_nobody_drew() -> None:
    """Right: `man` twice. Claimed: `man` and `on a` twice, and `bik`, which is no phrase. `way` has no box."""
    grounder = Grounder("knows", knows, finds((0, 3, True), (4, 8, True), (9, 12, True), (3, 4, False)))
    record = measure(grounder, mentions()[:1], IMAGES).record()
    assert (record["unit_precision"], record["unit_recall"]) == (50.0, 100.0), "`way` is left out, `on a` is a claim"
    record = measure(grounder, mentions(), IMAGES).record()
    assert record["unit_precision"] == pytest.approx(100 * 2 / 5, abs=1e-3)
    assert record["unit_recall"] == pytest.approx(100 * 2 / 3, abs=1e-3)
    assert record["unit_f1"] == pytest.approx(100 * 4 / 8, abs=1e-3)


def test_baselines_that_look_at_nothing() -> None:
    """Each phrase has half of its photograph; the centre lies on the edge of both halves, which is inside."""
    records = {name: measure_blind(name, mentions()).record() for name in BLIND}
    assert records["random point"]["pointing_mass"] == 50.0
    assert records["centre"]["pointing_mass"] == 100.0
    assert records["whole picture"]["pointing_mass"] is None
    assert records["whole picture"]["box_recall_union"] == 100.0, "half of the picture has an IoU of 0.5 with it"


def test_captions_without_any_box_are_refused() -> None:
    with pytest.raises(InputError, match="no phrase of these captions has a box"):
        mentions_of(CAPTIONS, Boxes({"c": {"1": LEFT}}))


def test_the_page_has_each_contender_with_intervals() -> None:
    records = [
        measure_blind("centre", mentions()).record(),
        measure(Grounder("x|y", knows), mentions(), IMAGES).record(),
    ]
    page = markdown("val: 2 photographs", records)
    assert "| centre | 100.0 [100.0, 100.0] |" in page
    assert "x\\|y" in page
    assert "100.0 (2)" in page


def test_the_blind_figures_are_those_measured_on_all_of_val(shared: Path) -> None:
    """Against areas counted here in another way: boxes drawn on each photograph's own pixels."""
    boxes = read_boxes(shared / "flickr30k_entities_boxes.zip")
    captions = read_entities(shared / "flickr30k_entities.zip", "val").captions
    some = mentions_of(captions[:400], boxes)
    areas = []
    for mention in some:
        for drawn in mention.boxes:
            grid = np.zeros((500, 500), dtype=bool)
            for x0, y0, x1, y1 in (500 * drawn).round().astype(int):
                grid[y0:y1, x0:x1] = True
            areas.append(grid.mean())
    record = measure_blind("random point", some).record()
    assert record["pointing_mass"] == pytest.approx(100 * np.mean(areas), abs=0.3)


@pytest.mark.parametrize("spec", ["run", "model:", "file:", "heat:x"])
def test_an_unknown_model_is_refused(spec: str) -> None:
    with pytest.raises(InputError, match="the packaged one"):
        open_grounder(spec)


def test_heat_maps_of_a_file_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "heats.jsonl"
    path.write_text('{"image": "a", "caption": "man on a way", "start": 0, "end": 3, "heat": [[1, 0]]}\n')
    grounder = open_grounder(f"file:{path}")
    np.testing.assert_array_equal(grounder.heats("a", b"", "man on a way", [(0, 3)])[0], [[1, 0]])
    with pytest.raises(InputError, match=r"no heat map for .*man on a bike"):
        grounder.heats("b", b"", "man on a bike", [(0, 3)])
    with pytest.raises(InputError, match="no such file"):
        open_grounder(f"file:{path}.old")


@pytest.mark.parametrize(
    "heat", ["[]", "[[]]", "[1]", "[[1], [1, 2]]", '[["a"]]', "[[NaN]]", "[[1e999]]", '"hot"', "[[[1]]]"]
)
def test_a_heat_map_that_is_none_is_refused_by_its_line(tmp_path: Path, heat: str) -> None:
    path = tmp_path / "heats.jsonl"
    path.write_text(f'{{"image": "a", "caption": "x", "start": 0, "end": 1, "heat": {heat}}}\n')
    with pytest.raises(InputError, match=re.escape(f"{path}:1: ")):
        open_grounder(f"file:{path}")
