"""Writing captions of generated scenes piece by piece, with every phrase and replaceable word marked.

What a phrase tells is drawn around its noun's habits (`shapes.KINDS`), so that the words of a phrase predict
one another. Most captions have one long phrase among short ones, so that positions tell little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

from textgroup.data.scenes.lexicon import (
    AFTER,
    ARTICLES,
    BEFORE,
    BEING,
    COUNTS,
    LIKE_SIZE,
    OPPOSITE_SIZE,
    PLACE_WORDS,
    SIZE_WORDS,
    WITH,
)
from textgroup.data.scenes.shapes import COLOURS, HELD_OUT, KINDS, LIGHT, SHAPES, Place, Relation, SceneObject

FoilKind = Literal["noun", "attribute", "relation"]


@dataclass(frozen=True)
class Phrase:
    """A gold phrase: `caption[start:end]` names object number `object` of the scene."""

    start: int
    end: int
    object: int


@dataclass(frozen=True)
class Statement:
    """What `caption[start:end]` says of object `subject`: its relation to object `other`, or its place."""

    start: int
    end: int
    says: Relation | Place
    subject: int
    other: int | None = None


@dataclass(frozen=True)
class Foil:
    """The caption with one word or fixed collocation replaced, so that it is false of the scene."""

    caption: str
    kind: FoilKind


class Slot(NamedTuple):
    """A replaceable piece of the caption.

    attribute: what it tells of object number `object` (noun, colour, size, texture before or after the noun).
    words: what stands there; in a "relation" slot, what would stand there instead.
    """

    start: int
    end: int
    kind: FoilKind
    object: int
    attribute: str
    words: str


LONGEST_PHRASE = 7
"""Words."""


class Writer:
    """A caption in the making. `objects` are the scene's; what is said is read off them.

    unseen_too: whether a foil may pair a held-out colour and shape.
    """

    def __init__(self, rng: Random, objects: Sequence[SceneObject], order: Sequence[int], unseen_too: bool) -> None:
        self.rng, self.objects, self.unseen_too = rng, objects, unseen_too
        self.parts: list[str] = []
        self.length = 0
        self.phrases: list[Phrase] = []
        self.statements: list[Statement] = []
        self.slots: list[Slot] = []
        self.fresh = True  # at the start of a sentence
        self.capital = rng.random() < 0.35
        self.tight = rng.random() < 0.5  # punctuation without a space before it
        self.terse = rng.random() < 0.25  # no articles, few verbs
        self.wish = [0.04] * len(objects)  # how much is told of each object
        for i in order if len(order) < 3 else [rng.choice(order)]:
            self.wish[i] = 0.97  # one long phrase among short ones, or little to name and much to say of it
        if rng.random() < 0.3:
            self.wish = [rng.choice((0.04, 0.4, 0.97)) for _ in objects]
        shapes = [scene_object.shape for scene_object in objects]
        self.nouns = [""] * len(objects)  # what each was called
        self.alone = [shapes.count(shape) == 1 for shape in shapes]

    def say(self, words: str) -> tuple[int, int]:
        """Append words; returns their place."""
        if self.capital and self.fresh:
            words = words[0].upper() + words[1:]
        self.fresh = False
        start = self.length + 1 if self.parts else 0
        self.parts.append(" " + words if self.parts else words)
        self.length = start + len(words)
        return start, self.length

    def stop(self, mark: str) -> None:
        """Append a punctuation mark."""
        if self.tight:
            self.parts.append(mark)
            self.length += len(mark)
        else:
            self.say(mark)
        self.fresh = mark == "."

    def number(self, i: int, forms: tuple[str, str]) -> str:
        """The verb form that agrees with object i."""
        return forms[self.objects[i].count > 1]

    def mention(self, i: int) -> None:
        """The first mention of object i: a phrase of one to seven words."""
        rng, scene_object = self.rng, self.objects[i]
        kind, plural = KINDS[scene_object.shape], scene_object.count > 1
        wish = self.wish[i]
        noun = kind.nouns[0 if wish < 0.5 or rng.random() < 0.5 else rng.randrange(len(kind.nouns))][plural]
        self.nouns[i] = noun
        article: tuple[str, ...] = ()
        if plural:
            article = rng.choice(COUNTS[scene_object.count]) if wish > 0.5 or rng.random() < 0.3 else ()
        elif not self.terse:
            article = rng.choice(ARTICLES[: 2 if wish < 0.1 else 3])
            if rng.random() < 0.85 or (article == ("the",) and not self.alone[i]):
                article = ("a",)
        room = LONGEST_PHRASE - noun.count(" ") - 1 - len(article)
        before: list[tuple[str, str]] = []  # (words, attribute they tell)
        after: list[tuple[str, str]] = []
        if rng.random() < wish * (0.9 if scene_object.texture != "plain" else 0.4):
            if scene_object.texture == "bordered" or rng.random() < 0.6:
                after = self.tail(scene_object, room, long=wish > 0.5)
                room -= len(after)
            elif room:
                before.append((scene_object.texture, "before"))
                room -= 1
        if room and rng.random() < wish:
            words = scene_object.colour.count(" ") + 1
            if not after and words < room and rng.random() < 0.25:
                after = [("in", ""), (scene_object.colour, "colour")]
                room -= words + 1
            elif words <= room:
                position = rng.randrange(len(before) + 1) if rng.random() < 0.3 else len(before)
                before.insert(position, (scene_object.colour, "colour"))
                room -= words
        if room and rng.random() < wish:
            fitting = [words for words in SIZE_WORDS[scene_object.size] if words.count(" ") < room]
            if fitting:
                before.insert(0, (rng.choice(fitting), "size"))
        pieces = [*((word, "") for word in article), *before, (noun, "noun"), *after]
        start = self.length + 1 if self.parts else 0
        for (word, attribute), (following, _) in zip(pieces, [*pieces[1:], ("", "")]):
            first, last = self.say("an" if word == "a" and following[0] in "aeiou" else word)
            if attribute:
                kind_of_foil: FoilKind = "noun" if attribute == "noun" else "attribute"
                self.slots.append(Slot(first, last, kind_of_foil, i, attribute, word))
        self.phrases.append(Phrase(start, self.length, i))

    def tail(self, scene_object: SceneObject, room: int, long: bool) -> list[tuple[str, str]]:
        """A texture told after the noun, in at most `room` words; may be empty."""
        fitting = [template for template in WITH[scene_object.texture] if len(template) <= room]
        if not fitting:
            return []
        template = fitting[-1] if long and self.rng.random() < 0.7 else self.rng.choice(fitting)
        ways = {
            "*": (AFTER.get(scene_object.texture, ""), "after"),
            "+": ("black" if scene_object.colour in LIGHT else "white", ""),
        }
        return [ways.get(word, (word, "")) for word in template]

    def again(self, i: int, pronoun: bool, subject: bool = True) -> None:
        """A later mention of object i, which must be the only one of its shape unless by pronoun."""
        plural = self.objects[i].count > 1
        words = ("they" if subject else "them") if plural else "it"
        if not pronoun:
            words = "the " + self.nouns[i]
        self.phrases.append(Phrase(*self.say(words), i))

    def alternatives(self, slot: Slot) -> list[str]:
        """What makes the caption false in the place of the slot's words; may be empty."""
        if slot.kind == "relation":
            return [slot.words]
        scene_object = self.objects[slot.object]
        if slot.attribute == "noun":
            present = {other.shape for other in self.objects}
            fitting = [s for s in SHAPES if s not in present and self.allowed(scene_object.colour, s)]
            plural = scene_object.count > 1  # the usual noun twice, as in `mention`
            return [noun[plural] for s in fitting for noun in (KINDS[s].nouns[0], *KINDS[s].nouns)]
        like = [other for other in self.objects if other.shape == scene_object.shape]
        if slot.attribute == "colour":
            # "blue" is not wrong for dark blue
            near = {word for other in like for word in other.colour.split()}
            return [c for c in COLOURS if near.isdisjoint(c.split()) and self.allowed(c, scene_object.shape)]
        if slot.attribute == "size":
            opposite = OPPOSITE_SIZE[slot.words]
            return [] if any(other.size in LIKE_SIZE[opposite] for other in like) else [opposite]
        textures = {other.texture for other in like}
        if slot.attribute == "before":
            return [texture for texture in BEFORE if texture not in textures]
        return [word for texture, word in AFTER.items() if texture not in textures]

    def allowed(self, colour: str, shape: str) -> bool:
        """Whether a foil may speak of this pair."""
        return self.unseen_too or (colour, shape) not in HELD_OUT

    def relate(self, words: tuple[str, str], says: Relation, subjects: Sequence[int], others: Sequence[int]) -> None:
        """Say how each subject stands to each of the others. words: what is true, and its opposite."""
        start, end = self.say(words[0])
        self.statements += [Statement(start, end, says, i, other) for i in subjects for other in others]
        if all(self.alone[i] for i in (*subjects, *others)):  # else the opposite might be true of a double
            self.slots.append(Slot(start, end, "relation", subjects[0], "", words[1]))

    def locate(self, i: int, place: Place) -> None:
        """Say where in the picture object i is."""
        words = PLACE_WORDS[place]
        start, end = self.say(words[0])
        self.statements.append(Statement(start, end, place, i))
        if self.alone[i]:
            self.slots.append(Slot(start, end, "relation", i, "", words[1]))

    def verb(self, i: int, last: bool = False) -> None:
        """What object i does: its own verb, or being there. last: nothing follows that says where."""
        own = KINDS[self.objects[i].shape].verbs
        being = BEING[:2] if last else BEING
        self.say(self.number(i, self.rng.choice(own if self.rng.random() < 0.6 else being)))
