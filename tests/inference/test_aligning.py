"""Objects have a place in the photograph, so that their numbers mean something."""

import pytest
import torch
from PIL import Image

import textgroup
from textgroup.inference.aligning import centres
from textgroup.vision.decode import BrokenImage


def test_the_centre_of_an_object_is_a_share_of_the_photograph() -> None:
    masks = torch.zeros(3, 4, 8)
    masks[0] = 1  # everywhere
    masks[1, 3, 7] = 0.5  # the last cell
    everywhere, last, nowhere = centres(masks, (0.0, 0.0, 1.0, 1.0))
    assert everywhere == pytest.approx((0.5, 0.5))
    assert last == pytest.approx((7.5 / 8, 3.5 / 4))
    assert nowhere is None
    _, cropped, _ = centres(masks, (0.25, 0.0, 0.75, 1.0))
    assert cropped == pytest.approx((0.25 + 0.5 * 7.5 / 8, 3.5 / 4))


def test_every_object_that_a_unit_can_refer_to_has_a_place_in_the_photograph() -> None:
    """The packaged encoder sees the whole photograph as 14 x 14 patches, row by row."""
    model = textgroup.load()
    picture = Image.new("RGB", (300, 200), "grey")
    ((_, _, cosines),) = model.align("a ball", picture)
    points = model.object_points(picture)
    assert len(points) == len(cosines) == 14 * 14
    for number, place in ((0, (0.5 / 14, 0.5 / 14)), (13, (13.5 / 14, 0.5 / 14)), (15, (1.5 / 14, 1.5 / 14))):
        assert points[number] == pytest.approx(place)


def test_what_is_no_picture_is_told() -> None:
    with pytest.raises(BrokenImage, match=r"nowhere\.png"):
        textgroup.load().object_points("nowhere.png")
