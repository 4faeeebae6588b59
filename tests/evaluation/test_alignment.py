"""The measure of alignment, on answers that are known."""

from dataclasses import replace
from itertools import islice

import pytest

from textgroup.data.scenes.scene import Scene, scenes
from textgroup.errors import InputError
from textgroup.evaluation.alignment import alignment
from textgroup.units import Reference, Unit


def of_several() -> list[Scene]:
    """Scenes of two objects and more."""
    return [scene for scene in islice(scenes(3), 40) if len(scene.objects) > 1]


class Answers:
    """Stands in for a model: units are the gold phrases and what lies between them; `say` gives a unit's cosines from
    the number of the object that it names, or None, and the number of objects."""

    def __init__(self, found: list[Scene], say) -> None:  # type: ignore[no-untyped-def]
        self.found, self.say = {scene.caption: scene for scene in found}, say

    def align_objects(self, captions, groups):  # type: ignore[no-untyped-def]
        return [self._one(self.found[caption]) for caption in captions]

    def _one(self, scene: Scene) -> list[Reference]:
        spans = []
        for before, phrase in zip([None, *scene.phrases], scene.phrases):
            spans += [
                (0 if before is None else before.end, phrase.start, None),
                (phrase.start, phrase.end, phrase.object),
            ]
        spans.append((scene.phrases[-1].end, len(scene.caption), None))
        found = []
        for start, end, named in spans:
            if end > start:
                cosines = self.say(named, len(scene.objects))
                best = max(range(len(cosines)), key=cosines.__getitem__)
                unit = Unit(scene.caption[start:end], start, end, 0)
                found.append(Reference(unit, best if cosines[best] > 0 else None, cosines))
        return found


def right(named: int | None, objects: int) -> list[float]:
    return [0.9 if g == named else -0.1 for g in range(objects)]


def test_right_answers_score_one_and_chance_is_one_over_the_objects() -> None:
    found = of_several()
    score = alignment(Answers(found, right), found)  # type: ignore[arg-type]
    assert (score.accuracy, score.found, score.none) == (1, 1, 1)
    phrases = [1 / len(scene.objects) for scene in found for _ in scene.phrases]
    assert score.phrases == len(phrases)
    assert score.chance == pytest.approx(sum(phrases) / len(phrases))


def test_the_wrong_object_and_none_are_told_apart() -> None:
    found = of_several()
    other = alignment(Answers(found, lambda named, n: right(None if named is None else (named + 1) % n, n)), found)  # type: ignore[arg-type]
    assert (other.accuracy, other.found, other.none) == (0, 0, 1)
    shy = alignment(Answers(found, lambda named, n: [x - 1 for x in right(named, n)]), found)  # type: ignore[arg-type]
    assert (shy.accuracy, shy.found, shy.none) == (1, 0, 1)
    bold = alignment(Answers(found, lambda named, n: [x + 1 for x in right(named, n)]), found)  # type: ignore[arg-type]
    assert (bold.accuracy, bold.found, bold.none) == (1, 1, 0)


def test_scenes_of_one_object_leave_no_choice() -> None:
    single = next(scene for scene in scenes(3) if len(scene.objects) == 1)
    found = of_several()
    with_it = alignment(Answers([*found, single], right), [*found, single])  # type: ignore[arg-type]
    assert with_it == alignment(Answers(found, right), found)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no scene has two objects"):
        alignment(Answers([single], right), [single])  # type: ignore[arg-type]


def test_a_phrase_that_is_cut_counts_by_its_longest_piece() -> None:
    scene = next(scene for scene in scenes(3) if len(scene.objects) > 1 and len(scene.phrases) > 0)
    phrase = max(scene.phrases, key=lambda phrase: phrase.end - phrase.start)
    scene = replace(scene, phrases=(phrase,))
    wrong = (phrase.object + 1) % len(scene.objects)
    cut = phrase.start + 1

    class Cut(Answers):
        def _one(self, scene: Scene) -> list[Reference]:
            pieces = [(phrase.start, cut, wrong), (cut, phrase.end, phrase.object)]
            return [
                Reference(Unit(scene.caption[a:b], a, b, i), named, right(named, len(scene.objects)))
                for i, (a, b, named) in enumerate(pieces)
            ]

    score = alignment(Cut([scene], right), [scene])  # type: ignore[arg-type]
    assert (score.accuracy, score.phrases, score.others) == (1, 1, 0)
