"""Points, boxes and figures of heat maps, on ones whose answer is known by hand."""

import numpy as np
import pytest

from textgroup.evaluation.grounding.pointing import area_under_curve, covered, hull, inside, iou, score_heat
from textgroup.inference.heat import PIXELS, connected, hot_box, magnified, point

LEFT, RIGHT = np.array([0.0, 0.0, 0.5, 1.0]), np.array([0.5, 0.0, 1.0, 1.0])


def peak(row: int, column: int, h: int = 4, w: int = 8) -> np.ndarray:
    heat = np.zeros((h, w))
    heat[row, column] = 1
    return heat


def test_a_point_is_a_share_of_width_and_height() -> None:
    pointed = point(peak(3, 1))
    assert pointed.best == (1.5 / 8, 3.5 / 4)
    np.testing.assert_allclose(pointed.mass, pointed.best, atol=1e-4)


def test_the_centre_of_mass_of_an_even_map_is_the_middle() -> None:
    np.testing.assert_allclose(point(np.zeros((3, 5))).mass, (0.5, 0.5))
    np.testing.assert_allclose(point(peak(0, 0) + peak(0, 7)).mass, (0.5, 0.125), atol=1e-4)


def test_points_do_not_change_when_the_heat_is_shifted() -> None:
    heat = np.random.default_rng(0).normal(size=(7, 7))
    np.testing.assert_allclose(point(heat + 100).mass, point(heat).mass)


def test_a_box_is_the_half_that_is_hot() -> None:
    heat = np.zeros((2, 8))
    heat[:, :4] = 1
    np.testing.assert_allclose(hot_box(heat), LEFT, atol=1 / PIXELS)


def test_a_box_keeps_to_the_largest_region() -> None:
    heat = peak(0, 7) + peak(2, 0) + peak(2, 1) + peak(3, 0) + peak(3, 1)
    x0, y0, x1, y1 = hot_box(heat)
    assert x1 < 0.5 < y1
    assert x0 == 0
    assert y0 > 0.25


def test_a_small_region_that_is_much_hotter_has_the_box() -> None:
    heat = peak(0, 7) + 0.6 * (peak(2, 0) + peak(2, 1) + peak(3, 0) + peak(3, 1))
    x0, _, _, y1 = hot_box(heat)
    assert x0 > 0.5
    assert y1 < 0.5


def test_an_even_map_has_the_whole_picture_as_its_box() -> None:
    np.testing.assert_array_equal(hot_box(np.full((3, 3), -2.0)), [0, 0, 1, 1])


def test_magnified_is_linear_between_centres_and_even_outside_of_them() -> None:
    large = magnified(np.arange(14.0)[None])
    assert large.shape == (PIXELS, PIXELS)
    in_cells = (np.arange(PIXELS) + 0.5) * 14 / PIXELS - 0.5
    np.testing.assert_allclose(large, np.tile(np.clip(in_cells, 0, 13), (PIXELS, 1)), atol=1e-9)


def test_overlap_of_boxes() -> None:
    assert iou(LEFT, LEFT) == 1
    assert iou(LEFT, RIGHT) == 0
    assert iou(LEFT, np.array([0.25, 0, 0.75, 1])) == pytest.approx(1 / 3)
    np.testing.assert_array_equal(hull(np.stack([LEFT, RIGHT])), [0, 0, 1, 1])


def test_the_edge_of_a_box_is_inside() -> None:
    boxes = np.stack([LEFT, np.array([0.8, 0.8, 0.9, 0.9])])
    assert inside(boxes, 0.5, 1.0)
    assert inside(boxes, 0.85, 0.85)
    assert not inside(boxes, 0.7, 0.5)
    assert covered(boxes).mean() == pytest.approx(0.5 + 0.01, abs=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_area_under_curve_is_the_share_of_pairs_in_order(seed: int) -> None:
    """Against every pair, one by one."""
    generator = np.random.default_rng(seed)
    heat, mask = generator.integers(0, 4, (5, 6)), generator.random((5, 6)) < 0.4
    pairs = [(a > b) + (a == b) / 2 for a in heat[mask] for b in heat[~mask]]
    assert area_under_curve(heat, mask) == pytest.approx(np.mean(pairs))
    assert np.isnan(area_under_curve(heat, np.ones_like(mask)))


def test_a_phrase_with_several_boxes_is_met_by_each_of_them_and_recalled_as_their_hull() -> None:
    corners = np.array([[0.0, 0.0, 0.2, 1.0], [0.8, 0.0, 1.0, 1.0]])
    heat = np.zeros((4, 10))
    heat[:, :2] = 1
    figures = score_heat(heat, corners)
    assert (figures.best, figures.mass, figures.box_union, figures.box_any) == (1, 1, 0, 1)
    even = score_heat(np.zeros((4, 10)), corners)
    assert (even.mass, even.box_union, even.box_any, even.auc) == (0, 1, 0, 0.5)


def test_connected_pixels_have_one_number_as_scipy_finds_them() -> None:
    from scipy.ndimage import label

    random = np.random.default_rng(0)
    for share in (0.2, 0.5, 0.6, 0.9, 0.0, 1.0):
        hot = random.random((40, 30)) < share
        ours, (theirs, count) = connected(hot), label(hot)
        assert len(set(zip(ours[hot].tolist(), theirs[hot].tolist()))) == len(set(ours[hot].tolist())) == count
        assert not ours[~hot].any()
