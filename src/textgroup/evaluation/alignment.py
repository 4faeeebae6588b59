"""Does a unit refer to the right object? Measured on generated scenes, where it is known what each phrase names."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textgroup.data.scenes.scene import Phrase, Scene
from textgroup.errors import InputError
from textgroup.inference.textgroup import TextGroup
from textgroup.units import Reference
from textgroup.vision.encoders.oracle import encode_scenes


class AlignmentScore(NamedTuple):
    """Shares in 0..1, and what they are taken over.

    accuracy: phrases whose unit is most similar to the object that the phrase names. found: phrases whose unit refers
    to that object, where "none" is an answer too. none: units outside all phrases that refer to none. chance: of
    `accuracy`, a mean of one over the number of objects. phrases, others: how many phrases, and units outside.
    """

    accuracy: float
    found: float
    none: float
    chance: float
    phrases: int
    others: int


def alignment(model: TextGroup, scenes: Sequence[Scene]) -> AlignmentScore:
    """Score a model trained on the oracle's features of scenes; scenes of one object, which leave no choice, are left
    out. A phrase's unit is the one with most of its characters. Raises `InputError` where no scene is left."""
    scenes = [scene for scene in scenes if len(scene.objects) > 1]
    if not scenes:
        raise InputError("alignment: no scene has two objects or more")
    groups = encode_scenes(scenes).vectors
    assert groups is not None, "the oracle always gives them"
    most_similar, right, none, chance = [], [], [], []
    for scene, references in zip(scenes, model.align_objects([scene.caption for scene in scenes], groups)):
        for phrase in scene.phrases:
            unit = max(references, key=lambda reference: _shared_characters(reference, phrase))
            most_similar.append(int(np.argmax(unit.cosines)) == phrase.object)
            right.append(unit.object == phrase.object)
            chance.append(1 / len(scene.objects))
        for reference in references:
            if not any(_shared_characters(reference, phrase) for phrase in scene.phrases):
                none.append(reference.object is None)
    shares = [float(np.mean(values)) if values else float("nan") for values in (most_similar, right, none, chance)]
    return AlignmentScore(shares[0], shares[1], shares[2], shares[3], len(most_similar), len(none))


def _shared_characters(reference: Reference, phrase: Phrase) -> int:
    """Characters that a unit and a phrase have in common."""
    return max(0, min(reference.unit.end, phrase.end) - max(reference.unit.start, phrase.start))
