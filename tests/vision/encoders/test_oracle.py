"""The oracle sees each object of a generated scene as it is."""

from itertools import islice

import torch

from textgroup.data.scenes.scene import FEATURE_WIDTH, features, scenes
from textgroup.vision.encoders.oracle import encode_scenes


def test_groups_are_the_objects_of_the_scene_then_zeros() -> None:
    found = list(islice(scenes(0), 20))
    objects = encode_scenes(found)
    assert objects.vectors is not None
    assert objects.vectors.shape == (20, 6, FEATURE_WIDTH)
    assert objects.masks is None
    for scene, groups, pooled in zip(found, objects.vectors, objects.pooled):
        count = len(scene.objects)
        assert torch.equal(groups[:count], torch.from_numpy(features(scene)))
        assert not groups[count:].any()
        assert torch.allclose(pooled, groups[:count].mean(0))


def test_every_object_has_its_mask_and_absent_ones_have_none() -> None:
    found = list(islice(scenes(1), 4))
    masks = encode_scenes(found, masks=True, size=64).masks
    assert masks is not None
    assert masks.shape == (4, 6, 64, 64)
    assert masks.sum(1).max() <= 1
    for scene, mask in zip(found, masks):
        assert mask.flatten(1).any(1).tolist() == [i < len(scene.objects) for i in range(6)]
