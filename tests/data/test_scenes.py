import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from textgroup.data.scenes import (
    FEATURE_WIDTH,
    HELD_OUT,
    Phrase,
    Scene,
    SceneObject,
    Statement,
    features,
    masks,
    render,
    scene,
    scenes,
)
from textgroup.data.shapes import COLOURS, KINDS, PALETTE, SHAPES
from textgroup.errors import InputError

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


@pytest.fixture(scope="module")
def train() -> list[Scene]:
    return some(2000)


@pytest.fixture(scope="module", name="test")
def unseen() -> list[Scene]:
    return some(1000, split="test")


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


def test_a_scene_is_a_function_of_seed_split_and_index() -> None:
    assert some(20, 3) == some(20, 3) == [scene(3, i) for i in range(20)]
    assert scene(3, 1) not in (scene(4, 1), scene(3, 2), scene(3, 1, "test"))


def test_an_unknown_split_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="split: 'val'"):
        scenes(0, "val")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="split: 'val'"):
        scene(0, 0, "val")  # type: ignore[arg-type]


def test_phrases_stand_in_order_on_word_boundaries_and_do_not_overlap(train: list[Scene]) -> None:
    for it in train:
        bounds = [match.span() for match in WORD.finditer(it.caption)]
        starts, ends = {a for a, _ in bounds}, {b for _, b in bounds}
        end = 0
        for phrase in it.phrases:
            assert end <= phrase.start < phrase.end <= len(it.caption)
            assert phrase.start in starts and phrase.end in ends
            assert 0 <= phrase.object < len(it.objects)
            end = phrase.end


def test_a_phrase_is_true_of_its_object(train: list[Scene], test: list[Scene]) -> None:
    for it in train + test:
        for text, thing in first_mentions(it):
            assert read(text).fits(thing), (text, thing)


def test_a_later_mention_agrees_with_its_object_in_number_and_noun(train: list[Scene]) -> None:
    later = 0
    for it in train:
        seen: dict[int, str] = {}
        for phrase in it.phrases:
            text = it.caption[phrase.start : phrase.end].lower()
            if phrase.object in seen:
                later += 1
                many = it.objects[phrase.object].count > 1
                if text.startswith("the "):
                    assert text[4:] in seen[phrase.object]
                    assert sum(o.shape == it.objects[phrase.object].shape for o in it.objects) == 1
                else:
                    assert text in (("they", "them") if many else ("it",))
            seen.setdefault(phrase.object, text)
    assert later > 200


def test_what_a_caption_says_of_places_and_relations_is_true(train: list[Scene]) -> None:
    said: Counter[str] = Counter()
    for it in train:
        for statement in it.statements:
            claim = CLAIM[it.caption[statement.start : statement.end].lower()]
            other = None if statement.other is None else it.objects[statement.other]
            assert claim == statement.says
            assert is_true(claim, it.objects[statement.subject], other), it
            said[claim] += 1
    assert set(said) == set(SAID) - {"edge"}


def test_no_words_of_place_or_relation_stand_outside_a_statement(train: list[Scene]) -> None:
    words = re.compile(r"\b(above|over|under|below|beneath|left|right|near|far|top|bottom|middle)\b", re.I)
    for it in train:
        for match in words.finditer(it.caption):
            assert any(s.start <= match.start() and match.end() <= s.end for s in it.statements), it.caption


def test_directions_hold_between_the_pixels() -> None:
    for it in some(60, 5):
        centres = [np.argwhere(mask).mean(0) for mask in masks(it, 96)]  # (row, column)
        for statement in it.statements:
            if statement.says in ("above", "below", "left", "right") and statement.other is not None:
                down, across = centres[statement.other] - centres[statement.subject]
                positive = {"above": down, "below": -down, "left": across, "right": -across}
                assert positive[statement.says] > 5


def test_held_out_pairs_are_in_no_train_scene_foils_included(train: list[Scene], test: list[Scene]) -> None:
    assert 20 <= len(HELD_OUT) <= 60

    def foiled(it: Scene) -> set[tuple[str, str]]:
        """Colour and shape of each object that a foil speaks of, the one as drawn and the other as told."""
        pairs = set()
        for foil in it.foils:
            for i, text in refilled(it.phrases, it, foil.caption) if foil.kind != "relation" else ():
                told = read(text)
                pairs.add((told.colour or it.objects[it.phrases[i].object].colour, told.shape))
        return pairs

    for it in train:
        assert not {(thing.colour, thing.shape) for thing in it.objects} & HELD_OUT
        assert not foiled(it) & HELD_OUT
    assert any(foiled(it) & HELD_OUT for it in test)


def test_every_shape_and_every_colour_is_seen_in_training(train: list[Scene]) -> None:
    assert {thing.shape for it in train for thing in it.objects} == set(SHAPES)
    assert {thing.colour for it in train for thing in it.objects} == set(COLOURS)


def test_every_test_scene_draws_and_mentions_a_held_out_pair(test: list[Scene]) -> None:
    for it in test:
        mentioned = {phrase.object for phrase in it.phrases}
        assert any((it.objects[i].colour, it.objects[i].shape) in HELD_OUT for i in mentioned)


def test_a_foil_changes_one_word_or_collocation(train: list[Scene]) -> None:
    for it in train:
        assert len({foil.kind for foil in it.foils}) == len(it.foils)
        for foil in it.foils:
            before, after = change(it.caption, foil.caption)
            assert before != after
            assert len(before.split()) <= 3 and len(after.split()) <= 3, (before, after)


def test_a_noun_or_attribute_foil_is_false_of_every_object(train: list[Scene], test: list[Scene]) -> None:
    for it in train + test:
        for foil in it.foils:
            if foil.kind != "relation":
                ((i, text),) = refilled(it.phrases, it, foil.caption)
                told, thing = read(text), it.objects[it.phrases[i].object]
                assert not any(told.fits(other) for other in it.objects), (it.caption, foil)
                assert (told.shape != thing.shape) == (foil.kind == "noun")


def test_a_relation_foil_claims_what_is_false(train: list[Scene]) -> None:
    checked = 0
    for it in train:
        for foil in it.foils:
            if foil.kind == "relation":
                changed = refilled(it.statements, it, foil.caption)
                assert changed
                for i, text in changed:
                    said = it.statements[i]
                    for one in doubles(it, said.subject):
                        for other in doubles(it, said.other):
                            assert not is_true(CLAIM[text.lower()], one, other), foil
                    checked += 1
    assert checked > 1000


def test_articles_fit_the_sound_that_follows(train: list[Scene]) -> None:
    for it in train:
        for text in (it.caption, *(foil.caption for foil in it.foils)):
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text, re.I), text


def test_every_kind_of_foil_is_common_and_nothing_is_changed_where_nothing_can_be(train: list[Scene]) -> None:
    kinds = Counter(foil.kind for it in train for foil in it.foils)
    assert kinds["noun"] == len(train)
    assert kinds["attribute"] > 0.8 * len(train)
    assert kinds["relation"] > 0.6 * len(train)
    for it in train:
        assert it.statements or "relation" not in {foil.kind for foil in it.foils}


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


def test_phrases_have_one_to_seven_words_very_unequal_within_a_caption(train: list[Scene]) -> None:
    lengths = [[len(it.caption[p.start : p.end].split()) for p in it.phrases] for it in train]
    count = Counter(length for each in lengths for length in each)
    assert set(count) == set(range(1, 8))
    assert min(count.values()) > 0.03 * sum(count.values())
    spread = [max(each) - min(each) for each in lengths if len(each) > 2]
    assert np.mean(spread) > 4


def test_phrases_have_words_before_and_after_the_noun(train: list[Scene]) -> None:
    before = after = both = 0
    for it in train:
        for text, thing in first_mentions(it):
            names = sorted((n for n in NOUNS if NOUNS[n][0] == thing.shape), key=len, reverse=True)
            noun = next(m for n in names if (m := re.search(rf"\b{n}\b", text.lower())))
            left = re.sub(r"^(an?|the|one)\b", "", text[: noun.start()].lower()).strip()
            right = text[noun.end() :].strip()
            before, after, both = before + bool(left), after + bool(right), both + bool(left and right)
    assert min(before, after, both) > 500


def test_captions_differ_in_length_number_of_objects_case_and_punctuation(train: list[Scene]) -> None:
    mentioned = Counter(len({p.object for p in it.phrases}) for it in train)
    assert set(mentioned) == set(range(1, 7))
    assert min(mentioned.values()) > 0.1 * len(train)
    for pattern in ("^[A-Z]", "^[a-z]", r"\w,", r" ,", r"\w\.$", r" \.$", r"\w$"):
        assert sum(bool(re.search(pattern, it.caption)) for it in train) > 0.05 * len(train), pattern
    assert len({it.caption.lower() for it in train}) > 0.9 * len(train)


def equal_split_tiou(captions: list[Scene], parts: int) -> float:
    """The paper's tIoU (docs/fidelity.md, rows 12-13) of units that know nothing but their positions."""
    scores = []
    for it in captions:
        tokens = [match.start() for match in WORD.finditer(it.caption)]
        gold = np.array([[p.start <= t < p.end for t in tokens] for p in it.phrases])
        which = np.arange(len(tokens)) * parts // len(tokens)
        units = np.array([which == u for u in sorted(set(which.tolist()))])
        both = (units[:, None] & gold).sum(-1)
        either = ((units[:, None] & gold.any(0)) | gold).sum(-1)
        scores.append((both / either)[linear_sum_assignment(-both / either)].mean())
    return 100 * float(np.mean(scores))


def test_positions_do_not_give_the_phrases_away(train: list[Scene]) -> None:
    assert equal_split_tiou(train, 4) < 65
