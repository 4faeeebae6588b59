"""What models make of captions on a picture, and which of two captions fits it better."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from textgroup.inference.textgroup import TextGroup, load
from textgroup.inference.vectors import Assignment
from textgroup.units import Grounding, Unit


@dataclass(frozen=True)
class Look:
    """A caption on a picture, as one model sees it.

    groundings: of all units. subwords: what the groups have of each. similarity: of picture and caption;
    unit_similarities: of picture and each unit; cosines, None and empty without a picture, or for a model of captions
    alone. notes: sentences on what to be careful about.
    """

    caption: str
    groundings: list[Grounding]
    subwords: Assignment
    similarity: float | None = None
    unit_similarities: list[float] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        units = [grounding.to_dict() for grounding in self.groundings]
        for unit, similarity in zip(units, self.unit_similarities):
            unit["similarity"] = similarity
        record = {"caption": self.caption, "similarity": self.similarity, "units": units, "notes": list(self.notes)}
        return record | {"subwords": self.subwords.pieces, "shares": np.round(self.subwords.shares, 4).tolist()}


class Verdict(NamedTuple):
    """Which of two captions is more similar to the picture.

    winner: 0 or 1, or None if they are equal. lead: by how much, in cosine. unit: the one whose removal from its
    caption shrinks the lead most, among units that only one of the captions has; None if no removal shrinks it. side:
    the caption that has it. without: the lead that is left then, negative if the other caption wins.
    """

    winner: int | None
    lead: float
    unit: Unit | None = None
    side: int = 0
    without: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        unit = None if self.unit is None else self.unit._asdict()
        return {**self._asdict(), "unit": unit}


class Opinion(NamedTuple):
    """What one model makes of one caption or two. verdict: None for one caption, or without similarities."""

    model: str
    looks: list[Look]
    verdict: Verdict | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        verdict = None if self.verdict is None else self.verdict.to_dict()
        return {"model": self.model, "captions": [look.to_dict() for look in self.looks], "verdict": verdict}


def load_models(checkpoints: Sequence[str], device: str) -> dict[str, TextGroup]:
    """The packaged model, then these, by names that tell nothing of where they lie. Raises `InputError`."""
    names = _distinct([Path(where).name or where for where in checkpoints])
    return {"packaged": load(device=device)} | {
        name: load(where, device=device) for name, where in zip(names, checkpoints)
    }


def _distinct(names: Iterable[str]) -> list[str]:
    seen = Counter(["packaged"])
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return numbered


def opinion(name: str, model: TextGroup, picture: Image.Image | None, captions: Sequence[str]) -> Opinion:
    """What a model makes of captions on a picture. Raises `InputError`."""
    notes = [_notes(model, caption) for caption in captions]
    subwords = [model.assignment(caption) for caption in captions]
    if picture is None or model.model.image_head is None:
        if picture is not None:
            notes = [(*said, "This checkpoint was trained on captions alone: it points at nothing.") for said in notes]
        groundings = [[Grounding(unit) for unit in units] for units in model.segment(captions)]
        parts = zip(captions, groundings, subwords, notes)
        return Opinion(name, [Look(text, found, pieces, notes=said) for text, found, pieces, said in parts])
    image = model.encode_image(picture)  # (E,)
    looks = [
        Look(caption, groundings, pieces, similarity, (units @ image).tolist(), of_caption)
        for caption, groundings, pieces, similarity, units, of_caption in zip(
            captions,
            model.ground(picture, captions),
            subwords,
            (model.encode_text(captions) @ image).tolist(),
            model.encode_units(captions),
            notes,
        )
    ]
    return Opinion(name, looks, _verdict(model, image, looks) if len(looks) == 2 else None)


def _notes(model: TextGroup, caption: str) -> tuple[str, ...]:
    (tokens,), (strange,) = model.tokenizer.encode_batch([caption]), model.unfamiliar([caption])
    notes = []
    if strange:
        notes.append("Most words are new to this model, as those of another language are: do not rely on the units.")
    if tokens.left_out:
        notes.append(f"The similarity leaves out the last {tokens.left_out} tokens.")
    return tuple(notes)


def _verdict(model: TextGroup, image: np.ndarray, looks: Sequence[Look]) -> Verdict:
    """image: (E,)."""
    similarities = [look.similarity or 0.0 for look in looks]
    lead = abs(similarities[0] - similarities[1])
    if lead == 0:
        return Verdict(None, 0.0)
    winner = int(similarities[1] > similarities[0])
    candidates = [(side, unit) for side in (0, 1) for unit in _only_in(looks[side], looks[1 - side])]
    shortened = [_without(looks[side].caption, unit) for side, unit in candidates]
    best = Verdict(winner, lead, without=lead)
    for (side, unit), cosine in zip(candidates, (model.encode_text(shortened) @ image).tolist()):
        left = cosine - similarities[1 - winner] if side == winner else similarities[winner] - cosine
        if left < best.without:
            best = Verdict(winner, lead, unit, side, left)
    return best


def _only_in(one: Look, other: Look) -> list[Unit]:
    """Units of one caption that the other has not, but for one that is all of its caption."""
    there = Counter(grounding.unit.text.casefold() for grounding in other.groundings)
    own = []
    for grounding in one.groundings:
        text = grounding.unit.text.casefold()
        if there[text]:
            there[text] -= 1
        elif _without(one.caption, grounding.unit):
            own.append(grounding.unit)
    return own


def _without(caption: str, unit: Unit) -> str:
    return " ".join((caption[: unit.start] + " " + caption[unit.end :]).split())
