"""Ranking probes on generated scenes: what SVO-Probes and FOIL-COCO ask, with pictures and captions that we draw.

SVO: a caption, its picture, and a picture in which one thing is not as the caption says: what it names first
("subject"), what it names last ("object"), or how two things stand to each other ("verb": the scenes' relations are
said by verbs and prepositions). FOIL: a picture, its caption, and the caption with one word changed.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from textgroup.data.probes.rows import Pair, Probe
from textgroup.data.scenes.scene import Scene
from textgroup.data.scenes.shapes import SHAPES, SceneObject

FOIL_NAMES = {"noun": "foil", "attribute": "attribute", "relation": "relation"}
"""Categories of the foils; FOIL-COCO's are nouns."""


class SceneProbes(NamedTuple):
    """rows: of both benchmarks; their images are names of `pictures`. pictures: a scene for each name."""

    svo: list[Probe]
    foil: list[Probe]
    pictures: dict[str, Scene]


def scene_probes(scenes: Sequence[Scene]) -> SceneProbes:
    """The probes of these scenes; number i has the picture "i". A scene gives none where there is nothing to change."""
    svo, foil, pictures = [], [], {str(i): scene for i, scene in enumerate(scenes)}
    for i, scene in enumerate(scenes):
        true = Pair(str(i), scene.caption)
        for kind, changed in _changed_scenes(scene, Random(i)).items():
            name = f"{i}-{kind}"
            pictures[name] = changed
            svo.append(Probe(str(i), kind, true, Pair(name, scene.caption)))
        for one in scene.foils:
            foil.append(Probe(str(i), FOIL_NAMES[one.kind], true, Pair(str(i), one.caption)))
    return SceneProbes(svo, foil, pictures)


def _changed_scenes(scene: Scene, rng: Random) -> dict[str, Scene]:
    """The scene with one thing changed, by kind."""
    first, last = scene.phrases[0].object, scene.phrases[-1].object
    changed = {"subject": _with_another_shape(scene, first, rng)}
    if last != first:
        changed["object"] = _with_another_shape(scene, last, rng)
    relations = [said for said in scene.statements if said.other is not None and said.says not in ("near", "far")]
    if relations:
        said = rng.choice(relations)
        assert said.other is not None
        changed["verb"] = _with_places_exchanged(scene, said.subject, said.other)
    return changed


def _with_another_shape(scene: Scene, number: int, rng: Random) -> Scene:
    present = {one.shape for one in scene.objects}
    shape = rng.choice([shape for shape in SHAPES if shape not in present])
    return _with(scene, {number: replace(scene.objects[number], shape=shape)})


def _with_places_exchanged(scene: Scene, one: int, other: int) -> Scene:
    a, b = scene.objects[one], scene.objects[other]
    return _with(scene, {one: replace(a, x=b.x, y=b.y), other: replace(b, x=a.x, y=a.y)})


def _with(scene: Scene, changed: dict[int, SceneObject]) -> Scene:
    """The scene with some of its objects replaced; what is said of it stays, and is no longer true."""
    return replace(scene, objects=tuple(changed.get(i, one) for i, one in enumerate(scene.objects)))
