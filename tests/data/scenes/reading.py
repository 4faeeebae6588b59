"""What a person understands who reads a caption of a scene, to hold it against the scene."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from textgroup.data.scenes.scene import Phrase, Scene, SceneObject, Statement, scenes
from textgroup.data.scenes.shapes import COLOURS, KINDS

WORD = re.compile(r"\w+|[^\w\s]")
NOUNS = {  # name -> (shape, more than one); a fish is as good as two
    name: (shape, many) for shape, kind in KINDS.items() for forms in kind.nouns for many, name in enumerate(forms)
}
SIZES = {
    "tiny": "tiny|very small|miniature",
    "small": "small|little",
    "medium": "medium sized",
    "large": "large|big|great big",
    "huge": "huge|very large|enormous|giant",
}
TEXTURES = {
    "plain": "plain|without any pattern",
    "striped": "striped|stripes",
    "dotted": "dotted|dots",
    "checkered": "checkered|checks",
    "zigzag": "zigzag|zigzags",
    "bordered": "outlined|edge|border",
}
SAID = {  # what the words of a statement claim, read by a person
    "above": "above|over|higher than|hovers over|hover over|towers over|tower over",
    "below": "below|under|lower than|beneath|stays under|stay under|hides under|hide under",
    "left": "left of|to the left of|leads|lead",
    "right": "right of|to the right of|follows|follow",
    "near": "next to|beside|near|close to|joins|join|accompanies|accompany",
    "far": "far from|far away from|avoids|avoid",
    "top": "at the top",
    "bottom": "at the bottom",
    "left side": "on the left",
    "right side": "on the right",
    "middle": "in the middle",
    "edge": "at the edge",
}
CLAIM = {words: claim for claim, alternatives in SAID.items() for words in alternatives.split("|")}


def some(number: int, seed: int = 0, split: str = "train") -> list[Scene]:
    return list(islice(scenes(seed, split), number))  # type: ignore[arg-type]


def found(text: str, names: dict[str, str]) -> str | None:
    """The key whose words occur in the text, the longest words first."""
    words = {word: key for key, alternatives in names.items() for word in alternatives.split("|")}
    hits = (words[w] for w in sorted(words, key=len, reverse=True) if f" {w} " in f" {text} ")
    return next(hits, None)


@dataclass(frozen=True)
class Told:
    """A first mention as a reader understands it; None is for what it does not tell."""

    shape: str
    many: bool | None
    number: str | None
    colour: str | None
    size: str | None
    texture: str | None

    def fits(self, thing: SceneObject) -> bool:
        return (
            thing.shape == self.shape
            and self.many in (None, thing.count > 1)
            and self.number in (None, str(thing.count))
            and self.colour in (None, thing.colour)
            and self.size in (None, thing.size)
            and self.texture in (None, thing.texture)
        )


def read(phrase: str) -> Told:
    text = phrase.lower()
    noun = next(n for n in sorted(NOUNS, key=len, reverse=True) if f" {n} " in f" {text} ")
    shape, many = NOUNS[noun]
    number = found(text.partition(noun)[0].strip(), {"2": "two|a pair of", "3": "three|a group of", "1": "a|an|one"})
    own = re.sub(r"(white|black) (edge|border|stripes|dots|checks|zigzags)|outlined in \w+", "", text)
    colour = found(own, {colour: colour for colour in COLOURS})
    plural = None if noun.endswith("fish") else bool(many)
    return Told(shape, plural, number, colour, found(text, SIZES), found(text, TEXTURES))


def is_true(claim: str, one: SceneObject | None, other: SceneObject | None) -> bool:
    assert one is not None
    if other is None:
        return {
            "top": one.y < 1 / 3,
            "bottom": one.y > 2 / 3,
            "left side": one.x < 1 / 3,
            "right side": one.x > 2 / 3,
            "middle": abs(one.x - 0.5) < 1 / 6 and abs(one.y - 0.5) < 1 / 6,
            "edge": max(abs(one.x - 0.5), abs(one.y - 0.5)) > 0.3,
        }[claim]
    gap = np.hypot(one.x - other.x, one.y - other.y) - one.radius - other.radius
    return {
        "above": one.y < other.y - 0.1,
        "below": one.y > other.y + 0.1,
        "left": one.x < other.x - 0.1,
        "right": one.x > other.x + 0.1,
        "near": gap < 0.2,
        "far": gap > 0.3,
    }[claim]


def first_mentions(it: Scene) -> list[tuple[str, SceneObject]]:
    texts: dict[int, str] = {}
    for phrase in it.phrases:
        texts.setdefault(phrase.object, it.caption[phrase.start : phrase.end])
    return [(text, it.objects[i]) for i, text in texts.items()]


def doubles(it: Scene, i: int | None) -> list[SceneObject | None]:
    """All that the name of object i might be understood of; [None] where there is no object."""
    return [None] if i is None else [o for o in it.objects if o.shape == it.objects[i].shape]


def change(caption: str, foil: str) -> tuple[str, str]:
    """The words that changed, before and after; an article's sound does not count."""
    old, new = (re.sub(r"\ban\b", "a", text.lower()).split() for text in (caption, foil))
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return " ".join(old), " ".join(new)


def refilled(spans: Iterable[Phrase | Statement], it: Scene, foil: str) -> list[tuple[int, str]]:
    """The spans outside which nothing changed: their numbers, and what the foil has there."""
    shift = len(foil) - len(it.caption)
    return [
        (i, foil[span.start : span.end + shift])
        for i, span in enumerate(spans)
        if it.caption[: span.start] == foil[: span.start] and it.caption[span.end :] == foil[span.end + shift :]
    ]
