"""Groups against known objects."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from textgroup.evaluation.object_discovery import adjusted_rand_index, object_discovery


def test_the_rand_index_is_scikit_learns() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        found, truth = random.integers(random.integers(1, 6), size=(2, 40))
        assert adjusted_rand_index(found, truth) == pytest.approx(adjusted_rand_score(truth, found))


def test_groups_that_are_the_objects_are_right_and_one_group_is_not() -> None:
    objects = np.zeros((2, 4, 4), dtype=bool)
    objects[0, :2, :2] = objects[1, 2:, 2:] = True
    right = np.stack([objects[0], objects[1], ~objects.any(axis=0)]).astype(float)
    one = np.zeros((3, 4, 4))
    one[0] = 1
    figures = object_discovery(np.stack([right, right]), [objects, objects[:1]])
    assert figures == {"ari": 100.0, "best_iou": 100.0, "groups_used": 3.0}
    figures = object_discovery(one[None], [objects])
    assert figures == {"ari": 0.0, "best_iou": 25.0, "groups_used": 1.0}
