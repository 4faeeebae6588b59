"""The picture of a scene, its masks and the features of its objects agree with the scene."""

from collections import Counter

import numpy as np

from tests.data.scenes.reading import TEXTURES, some
from textgroup.data.scenes.scene import FEATURE_WIDTH, Scene, features, masks, render
from textgroup.data.scenes.shapes import PALETTE


def test_directions_hold_between_the_pixels() -> None:
    for it in some(60, 5):
        centres = [np.argwhere(mask).mean(0) for mask in masks(it, 96)]  # (row, column)
        for statement in it.statements:
            if statement.says in ("above", "below", "left", "right") and statement.other is not None:
                down, across = centres[statement.other] - centres[statement.subject]
                positive = {"above": down, "below": -down, "left": across, "right": -across}
                assert positive[statement.says] > 5


def test_masks_are_disjoint_and_not_empty_at_any_size() -> None:
    for it in some(20, 1):
        for size in (64, 224):
            seen = masks(it, size)
            assert seen.shape == (len(it.objects), size, size) and seen.dtype == bool
            assert seen.any((1, 2)).all()
            assert seen.sum(0).max() <= 1


def test_masks_say_which_pixels_change_when_an_object_is_taken_away() -> None:
    for it in some(15, 2):
        whole, seen = np.asarray(render(it, 96)).astype(int), masks(it, 96)
        assert whole.shape == (96, 96, 3)
        for i in range(len(it.objects)):
            rest = Scene(it.objects[:i] + it.objects[i + 1 :], it.caption, (), ())
            changed = (np.asarray(render(rest, 96)) != whole).any(-1)
            grown = np.pad(seen[i], 1)
            grown = np.logical_or.reduce([np.roll(grown, (a, b), (0, 1)) for a in (-1, 0, 1) for b in (-1, 0, 1)])[
                1:-1, 1:-1
            ]
            assert changed[seen[i]].all()
            assert (changed & ~grown).sum() < 0.1 * changed.sum()  # strings of kites are thinner than a pixel


def test_an_object_is_drawn_mostly_in_its_colour_and_patterns_also_in_another() -> None:
    seconds: Counter[str] = Counter()
    for it in some(80, 3):
        picture = np.asarray(render(it))
        for thing, mask in zip(it.objects, masks(it)):
            pixels = Counter(map(tuple, picture[mask].tolist()))
            own = pixels.pop(PALETTE[thing.colour])
            second = pixels[(25, 25, 25)] + pixels[(250, 250, 250)]
            assert own > second, thing
            seconds[thing.texture] += second > 0.05 * own
    assert seconds["plain"] == 0
    assert min(seconds[texture] for texture in TEXTURES if texture != "plain") > 5


def test_features_tell_objects_apart_exactly_when_they_differ() -> None:
    for it in some(50, 4):
        table = features(it)
        assert table.shape == (len(it.objects), FEATURE_WIDTH) and table.dtype == np.float32
        assert (table[:, :-3].sum(1) == 5).all()
        assert len(np.unique(table[:, :-3], axis=0)) == len(
            {(o.shape, o.colour, o.size, o.texture, o.count) for o in it.objects}
        )
        assert np.allclose(table[:, -3:], [(o.x, o.y, o.radius) for o in it.objects])
