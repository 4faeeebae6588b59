"""English captions of generated scenes: clauses around the phrases, and foils of the whole.

A caption is written from left to right. Each clause takes one or more objects that were not mentioned yet,
looks up what is true of them in the picture and says it: there-is, a fronted preposition, a list, a relative
clause, a later mention by "it" or "the star".
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from textgroup.data.scenes.lexicon import ENDINGS, FRAMES, OPENINGS, PREPOSITIONS, TAILS, TRANSITIVE
from textgroup.data.scenes.shapes import Relation, SceneObject, places, related
from textgroup.data.scenes.wording import Foil, Phrase, Slot, Statement, Writer


class Caption(NamedTuple):
    """A caption, its phrases and statements in the order of the text, and at most one foil of each kind."""

    text: str
    phrases: tuple[Phrase, ...]
    statements: tuple[Statement, ...]
    foils: tuple[Foil, ...]


def describe(rng: Random, objects: Sequence[SceneObject], order: Sequence[int], unseen_too: bool) -> Caption:
    """Write a true caption that mentions the objects numbered in `order`, roughly in that order.

    unseen_too: whether foils may pair a held-out colour and shape (`shapes.HELD_OUT`).
    """
    writer = Writer(rng, objects, order, unseen_too)
    left = list(order)
    roomy = len(order) > 2 and not writer.terse
    framed = roomy and rng.random() < 0.35
    if framed:
        writer.say(rng.choice(FRAMES))
        if rng.random() < 0.5:
            writer.stop(",")
    spoken_of = _there_is(writer, left) if framed else _clause(writer, left)
    while left:
        spoken_of = _continue(writer, left, spoken_of)
    if roomy and not framed and rng.random() < 0.5:
        if len(order) == len(objects) and rng.random() < 0.5:
            writer.stop(",")
            writer.say(rng.choice(ENDINGS))
        else:
            writer.say(rng.choice(TAILS))
    if rng.random() < (0.2 if writer.terse else 0.65):
        writer.stop(".")
    text = "".join(writer.parts)
    return Caption(text, tuple(writer.phrases), tuple(writer.statements), _foils(writer, text))


def _foils(writer: Writer, text: str) -> tuple[Foil, ...]:
    """For each kind, a random slot in which something else would be false."""
    foils = []
    for kind in ("noun", "attribute", "relation"):
        slots = [slot for slot in writer.slots if slot.kind == kind]
        writer.rng.shuffle(slots)
        for slot in slots:
            alternatives = writer.alternatives(slot)
            if alternatives:
                foils.append(Foil(_replace(text, slot, writer.rng.choice(alternatives)), slot.kind))
                break
    return tuple(foils)


def _replace(text: str, slot: Slot, word: str) -> str:
    """Put `word` into the slot; an article before it follows its sound."""
    before, after = text[: slot.start], text[slot.end :]
    if text[slot.start].isupper():
        word = word[0].upper() + word[1:]
    previous = before[before.rfind(" ", 0, -1) + 1 : -1]
    if previous in ("a", "an", "A", "An"):
        before = before[: len(before) - len(previous) - 1] + previous[0] + ("n " if word[0] in "aeiou" else " ")
    return before + word + after


# -- clauses: each mentions objects from `left`, and returns what can be spoken of next


class _Said(NamedTuple):
    """topic: the object that "it" would be. last: the object whose name ends the text so far, if one does."""

    topic: int
    last: int | None


def _partner(writer: Writer, left: list[int], i: int) -> tuple[int, Relation] | None:
    """Take the next object of `left` to which object i has a relation, and one such relation."""
    for position, other in enumerate(left):
        relations = related(writer.objects[i], writer.objects[other])
        if relations:
            del left[position]
            return other, writer.rng.choice(relations)
    return None


def _relate(writer: Writer, left: list[int], i: int, other: int, says: Relation, verb: bool = True) -> _Said:
    """After the name of object i: how it stands to `other`, and perhaps to a third object in the same way."""
    rng = writer.rng
    others = [other]
    if left and rng.random() < 0.3 and says in related(writer.objects[i], writer.objects[left[0]]):
        others.append(left.pop(0))
    if verb and rng.random() < 0.25:
        forms, opposite = rng.choice(TRANSITIVE[says])
        writer.relate((writer.number(i, forms), writer.number(i, opposite)), says, [i], others)
    else:
        if verb:
            writer.verb(i)
        writer.relate(rng.choice(PREPOSITIONS[says]), says, [i], others)
    _list(writer, others)
    return _Said(i, others[-1])


def _list(writer: Writer, members: Sequence[int]) -> None:
    for position, i in enumerate(members):
        if position:
            if position == len(members) - 1:
                writer.say("and")
            else:
                writer.stop(",")
        writer.mention(i)


def _somewhere(writer: Writer, i: int, chance: float, verb: bool) -> _Said:
    """After the name of object i: what it does (if `verb`), and by some chance where in the picture."""
    true_places = places(writer.objects[i])
    where = writer.rng.choice(true_places) if true_places and writer.rng.random() < chance else None
    if verb:
        writer.verb(i, last=where is None)
    if where:
        writer.locate(i, where)
    return _Said(i, None if verb or where else i)


def _open(writer: Writer, i: int) -> None:
    """Some way to begin a clause whose first phrase is object i."""
    fit = OPENINGS[:-2] if writer.parts else OPENINGS
    writer.say(writer.number(i, writer.rng.choice(fit)))


def _there_is(writer: Writer, left: list[int]) -> _Said:
    i = left.pop(0)
    _open(writer, i)
    writer.mention(i)
    partner = _partner(writer, left, i) if writer.rng.random() < 0.6 else None
    if partner:
        return _relate(writer, left, i, *partner, verb=False)
    return _somewhere(writer, i, 0.4, verb=False)


def _subject_first(writer: Writer, left: list[int]) -> _Said:
    i = left.pop(0)
    writer.mention(i)
    partner = _partner(writer, left, i)
    if partner:
        return _relate(writer, left, i, *partner, verb=not writer.terse)
    return _somewhere(writer, i, 0.8, verb=not writer.terse)


def _intransitive(writer: Writer, left: list[int]) -> _Said:
    i = left.pop(0)
    writer.mention(i)
    return _somewhere(writer, i, 0.5, verb=not writer.terse)


def _fronted(writer: Writer, left: list[int]) -> _Said:
    i = left.pop(0)
    partner, true_places = _partner(writer, left, i), places(writer.objects[i])
    if partner:
        other, says = partner
        writer.relate(writer.rng.choice(PREPOSITIONS[says]), says, [i], [other])
        writer.mention(other)
        writer.verb(i)
    elif true_places:
        writer.locate(i, writer.rng.choice(true_places))
        writer.verb(i)
    else:
        writer.say(writer.number(i, OPENINGS[0]))
    writer.mention(i)
    return _Said(i, i)


def _enumeration(writer: Writer, left: list[int]) -> _Said:
    """Two to four objects in a row, all of which may stand in the same way to one more."""
    rng = writer.rng
    if len(left) < 2:
        return _intransitive(writer, left)
    members = [left.pop(0) for _ in range(min(len(left), rng.choice((2, 3, 3, 4))))]
    opened = not writer.terse and rng.random() < 0.5
    if opened:
        _open(writer, members[0])
    _list(writer, members)
    for other in left:
        common = set(related(writer.objects[members[0]], writer.objects[other]))
        for i in members[1:]:
            common &= set(related(writer.objects[i], writer.objects[other]))
        if common:
            if not writer.terse and not opened:
                writer.say(rng.choice(("are", "are", "appear", "can be seen")))
            left.remove(other)
            says = rng.choice(sorted(common))
            writer.relate(rng.choice(PREPOSITIONS[says]), says, members, [other])
            writer.mention(other)
            return _Said(other, other)
    if not writer.terse and not opened:
        writer.say("can be seen")
        return _Said(members[-1], None)
    return _Said(members[-1], members[-1])


def _with(writer: Writer, left: list[int]) -> _Said:
    """One object, with another somewhere about "it"."""
    i = left.pop(0)
    partner = _partner(writer, left, i)
    if not writer.terse:
        _open(writer, i)
    writer.mention(i)
    if partner is None:
        return _Said(i, i)
    other = partner[0]
    writer.say("with")
    writer.mention(other)
    says = writer.rng.choice(related(writer.objects[other], writer.objects[i]))
    writer.relate(writer.rng.choice(PREPOSITIONS[says]), says, [other], [i])
    writer.again(i, pronoun=True, subject=False)
    return _Said(other, None)


_CLAUSES: tuple[Callable[[Writer, list[int]], _Said], ...] = (
    *[_there_is] * 2,
    *[_subject_first] * 4,
    *[_fronted] * 2,
    _intransitive,
    *[_enumeration] * 6,
    _with,
)
_TERSE_CLAUSES = (_subject_first, _subject_first, _intransitive, *[_enumeration] * 4, _with)


def _clause(writer: Writer, left: list[int]) -> _Said:
    return writer.rng.choice(_TERSE_CLAUSES if writer.terse else _CLAUSES)(writer, left)


def _continue(writer: Writer, left: list[int], spoken_of: _Said) -> _Said:
    """Go on after a clause: a relative clause, the same subject again, or another clause."""
    rng, (topic, last) = writer.rng, spoken_of
    choice = rng.random()
    if choice < 0.25 and last is not None:
        partner = _partner(writer, left, last)
        if partner:
            if rng.random() < 0.6:
                writer.stop(",")
                writer.say("which")
            else:
                writer.say("that")
            return _relate(writer, left, last, *partner)
    elif 0.25 <= choice < 0.5 and not writer.terse:
        partner = _partner(writer, left, topic)
        if partner:
            _join(writer)
            writer.again(topic, pronoun=topic == last or not writer.alone[topic] or rng.random() < 0.5)
            return _relate(writer, left, topic, *partner)
    elif 0.5 <= choice < 0.6:
        writer.stop(",")
        writer.say("with")
        i = left.pop(0)
        writer.mention(i)
        return _Said(i, i)
    _join(writer)
    return _clause(writer, left)


def _join(writer: Writer) -> None:
    choice = writer.rng.random()
    if writer.terse:
        writer.stop(",")
    elif choice < 0.3:
        writer.say("and")
    elif choice < 0.5:
        writer.stop(",")
        writer.say("and")
    elif choice < 0.75:
        writer.say("while")
    else:
        writer.stop(".")
