"""The bootstrap over images."""

import numpy as np
import pytest

from textgroup.evaluation.intervals import interval, resampled


def test_the_interval_of_a_mean_is_that_of_the_central_limit() -> None:
    """400 images of one caption each, values of deviation 1: the mean's standard error is 1/20."""
    values = np.random.default_rng(3).normal(size=(400, 1))
    values = (values - values.mean()) / values.std()
    sums = resampled(values, [f"image {i}" for i in range(400)])
    low, high = interval(sums[:, 0] / 400)
    assert (low, high) == pytest.approx((-1.96 / 20, 1.96 / 20), abs=0.012)


def test_captions_of_an_image_go_together() -> None:
    """Five equal captions an image say no more than one: the interval must not shrink by the root of five."""
    values = np.random.default_rng(3).normal(size=(200, 1))
    one = resampled(values, np.arange(200))[:, 0] / 200
    five = resampled(np.repeat(values, 5, axis=0), np.repeat(np.arange(200), 5))[:, 0] / 1000
    assert five == pytest.approx(one)


def test_the_same_seed_draws_the_same_images_so_differences_are_paired() -> None:
    """A system that is better by the same amount on every image has a difference without spread."""
    values = np.random.default_rng(3).normal(size=(50, 1))
    difference = resampled(values + 0.25, np.arange(50)) - resampled(values, np.arange(50))
    assert interval(difference[:, 0] / 50) == pytest.approx([0.25, 0.25])
    assert (resampled(values, np.arange(50), seed=1) != resampled(values, np.arange(50))).any()


def test_the_order_of_the_rows_changes_nothing() -> None:
    values = np.random.default_rng(3).normal(size=(50, 2))
    images = np.arange(50) // 3
    other = np.random.default_rng(4).permutation(50)
    assert resampled(values[other], images[other]) == pytest.approx(resampled(values, images))


def test_as_many_draws_as_asked_for() -> None:
    assert resampled(np.ones((7, 3)), list("abcdefg"), draws=250).shape == (250, 3)
    assert (resampled(np.ones((7, 1)), list("abcdefg"), draws=250) == 7).all()
