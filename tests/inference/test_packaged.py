"""The packaged model on a photograph that comes with matplotlib: Grace Hopper, in front of a flag."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import textgroup
from textgroup.experiments.demo_packaged import PHOTOGRAPH_CAPTION, photograph
from textgroup.inference.heat import point
from textgroup.inference.scene import ANSWERS
from textgroup.inference.textgroup import TextGroup
from textgroup.vision.decode import BrokenImage


@cache
def model() -> TextGroup:
    return textgroup.load()


def test_it_points_at_what_the_photograph_shows() -> None:
    found = {grounding.unit.text: grounding for grounding in model().ground(photograph(), PHOTOGRAPH_CAPTION)}
    hat, flag = (found[name].point for name in ("a white hat", "a flag"))
    assert hat is not None
    assert flag is not None
    assert hat[1] < 0.4, "the hat is at the top"
    assert flag[0] < 0.4, "the flag is at the left"
    assert found["stands"].point is None, "a verb names nothing"


def test_what_is_not_in_the_photograph_has_no_point() -> None:
    (found,) = (g for g in model().ground(photograph(), "two brown dogs run") if g.unit.groundable)
    assert found.point is found.box is found.heat is None
    assert found.score is not None
    assert found.score < ANSWERS


def test_it_prefers_the_caption_of_the_photograph() -> None:
    captions = [PHOTOGRAPH_CAPTION, "Two dogs run through the snow.", "A boy jumps into a swimming pool."]
    assert model().similarity(photograph(), captions).argmax() == 0


def test_a_file_with_nothing_but_the_name_of_a_photograph_is_told(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"not a photograph")
    with pytest.raises(BrokenImage, match=r"photo\.jpg"):
        model().ground(tmp_path / "photo.jpg", "a dog")
    with pytest.raises(BrokenImage, match="a directory; give one photograph"):
        model().ground(tmp_path, "a dog")


@pytest.mark.parametrize(
    ("mode", "size"), [("RGB", (1, 1)), ("L", (40, 30)), ("CMYK", (40, 30)), ("RGBA", (30, 40)), ("P", (3000, 8))]
)
def test_any_picture_can_be_looked_at_and_an_empty_one_answers_nothing(mode: str, size: tuple[int, int]) -> None:
    picture = Image.new(mode, size)
    (heat,) = model().heat_maps(model().look_at(picture), "a dog", [(0, 5)])
    assert np.isfinite(heat).all()
    best, mass, box = point(heat)
    assert 0 <= min(*best, *mass, *box) <= max(*best, *mass, *box) <= 1
    ((unit, *found, score),) = model().ground(picture, "a dog")
    assert unit.text == "a dog"
    assert found == [None, None, None]
    assert score is not None


def test_a_photograph_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    """The same picture, stored on its side with the note how to turn it."""
    upright = Image.open(photograph())
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees, clockwise
    upright.rotate(90, expand=True).save(tmp_path / "side.png", exif=exif)
    points = [model().ground(picture, "a flag")[0].point for picture in (upright, tmp_path / "side.png")]
    assert points[0] == pytest.approx(points[1], abs=1e-3)


def test_a_hundred_words_are_a_caption_too() -> None:
    groundings = model().ground(photograph(), "a woman and " * 33 + "a flag")
    assert groundings
