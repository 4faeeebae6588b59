"""The probes of generated scenes: each changes one thing, and the caption is then false."""

from itertools import islice

from textgroup.data.scenes.scene import scenes
from textgroup.data.scenes.shapes import related
from textgroup.experiments.reproduce.scene_probes import scene_probes

SCENES = list(islice(scenes(0, "test"), 200))


def test_a_picture_differs_from_the_true_one_in_what_its_kind_says() -> None:
    probes = scene_probes(SCENES)
    assert {probe.category for probe in probes.svo} == {"subject", "object", "verb"}
    for probe in probes.svo:
        true, changed = probes.pictures[probe.better.image], probes.pictures[probe.worse.image]
        assert probe.better.caption == probe.worse.caption == true.caption
        different = [i for i, (a, b) in enumerate(zip(true.objects, changed.objects)) if a != b]
        if probe.category == "verb":
            one, other = different
            assert {(true.objects[i].x, true.objects[i].y) for i in different} == {
                (changed.objects[i].x, changed.objects[i].y) for i in different
            }
            assert related(true.objects[one], true.objects[other]) != related(
                changed.objects[one], changed.objects[other]
            )
        else:
            (number,) = different
            assert number == true.phrases[0 if probe.category == "subject" else -1].object
            assert changed.objects[number].shape not in {one.shape for one in true.objects}
            assert (changed.objects[number].x, changed.objects[number].colour) == (
                true.objects[number].x,
                true.objects[number].colour,
            )


def test_a_foil_is_another_caption_of_the_same_picture() -> None:
    probes = scene_probes(SCENES)
    assert {probe.category for probe in probes.foil} == {"foil", "attribute", "relation"}
    assert all(probe.better.image == probe.worse.image for probe in probes.foil)
    assert all(probe.better.caption != probe.worse.caption for probe in probes.foil)


def test_the_same_scenes_give_the_same_probes() -> None:
    assert scene_probes(SCENES) == scene_probes(SCENES)
