"""A caption is true of its scene, and its foils are false."""

import re
from collections import Counter

import pytest

from tests.data.scenes.reading import CLAIM, SAID, WORD, change, doubles, first_mentions, is_true, read, refilled, some
from textgroup.data.scenes.scene import HELD_OUT, Scene, scene, scenes
from textgroup.errors import InputError


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
