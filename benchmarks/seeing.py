"""Does seeing help the units? Two questions to a grounded model, on photographs that it was not trained on.

    python benchmarks/seeing.py --annotations ENTITIES --images DATA [--split val] [--model RUN ...] [--out FILE.json]

1. Which units name something? A unit that is exactly a phrase of Flickr30k Entities does, one that shares no character
   with any phrase does not. The text's opinion is the unit's mark (`groundable`). The image's is how much better the
   unit's best place in its own photograph is than in others.
2. Does the picture move a cut? Where the router is unsure, the photograph may say whether two neighbours are one thing:
   whether the whole finds a better place than its parts do.

Each opinion is scored by the area under the ROC curve (AUC; 50 is chance). The control asks a wrong photograph. Several
`--model`, such as three seeds, are one row: the median, the least and the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from common import figure, finish, parser, run
from textgroup.data.batches import pad
from textgroup.data.probes.read import find_images
from textgroup.data.probes.rows import image_name
from textgroup.data.sources.entities import EntityCaption, read_entities
from textgroup.errors import InputError
from textgroup.evaluation.grounding.pointing import area_under_curve
from textgroup.inference.heat import largest_cosine
from textgroup.inference.scene import Scene
from textgroup.inference.textgroup import TextGroup, load
from textgroup.model.grouping.dynamic import DynamicGroupTransformer

OTHERS = 4
"""Other photographs that a unit is compared on."""
UNSURE = 2.0
"""Nats: the router is unsure where its logit is closer to 0."""


class Span(NamedTuple):
    """Characters of a caption."""

    start: int
    end: int


@dataclass
class Answers:
    """Truths, and each opinion about them."""

    truth: list[bool] = field(default_factory=list)
    opinions: dict[str, list[float]] = field(default_factory=dict)

    def add(self, truth: bool, **opinions: float) -> None:
        """One more."""
        self.truth.append(truth)
        for name, opinion in opinions.items():
            self.opinions.setdefault(name, []).append(opinion)

    def auc(self, name: str) -> float:
        """In per cent."""
        return 100 * area_under_curve(np.array(self.opinions[name]), np.array(self.truth))


class Pictures:
    """The photographs as a model sees them, and how well a span answers in each."""

    def __init__(self, model: TextGroup, images: dict[str, bytes | Path]) -> None:
        self.model, self.names = model, list(images)
        self.scenes: dict[str, Scene] = {name: model.look_at(image) for name, image in images.items()}

    def evidence(self, name: str, caption: str, spans: Sequence[Span]) -> tuple[np.ndarray, np.ndarray]:
        """For each span (n,): its best cosine in the photograph less the mean over others; the same for a wrong one."""
        at = self.names.index(name)
        others = list(islice(cycle(self.names), at + 1, at + 2 + OTHERS))
        best = np.array([self._best(self.scenes[one], caption, spans) for one in (name, *others)])  # (2 + OTHERS, n)
        mean = best[2:].mean(axis=0)
        return best[0] - mean, best[1] - mean

    def _best(self, scene: Scene, caption: str, spans: Sequence[Span]) -> list[float]:
        return [largest_cosine(heat) for heat in self.model.heat_maps(scene, caption, spans)]


def naming(model: TextGroup, pictures: Pictures, captions: Sequence[EntityCaption]) -> Answers:
    """The first question."""
    answers = Answers()
    for caption in captions:
        phrases = [Span(phrase.start, phrase.end) for phrase in caption.phrases]
        units = model.segment(caption.text)
        spans = [Span(unit.start, unit.end) for unit in units]
        own, wrong = pictures.evidence(caption.image, caption.text, spans)
        for i, (unit, span) in enumerate(zip(units, spans)):
            touches = any(span.start < phrase.end and phrase.start < span.end for phrase in phrases)
            if span in phrases or not touches:
                marked = float(bool(unit.groundable))
                answers.add(span in phrases, text=marked, image=own[i], wrong=wrong[i])
    return together(answers, weight=1.0)


@torch.inference_mode()
def cutting(model: TextGroup, pictures: Pictures, captions: Sequence[EntityCaption]) -> Answers:
    """The second question."""
    encoder = model.model.encoder
    if not isinstance(encoder, DynamicGroupTransformer):
        raise InputError("only a dynamic model has a router that can be unsure")
    answers = Answers()
    for caption in captions:
        tokens = model.tokenizer.encode(caption.text)
        cuts = encoder.router(*pad([tokens.ids]))
        logits, undecided = cuts.logit[0].tolist(), cuts.undecided[0].tolist()
        units = [Span(unit.start, unit.end) for unit in model.segment(caption.text)]
        for token, (start, _) in enumerate(tokens.spans):
            truth = _is_cut(caption, start, tokens.spans[token - 1][1]) if undecided[token] else None
            if truth is None or abs(logits[token]) > UNSURE:
                continue
            left, right = _parts(units, start, tokens.spans[token - 1][1])
            own, wrong = pictures.evidence(caption.image, caption.text, [left, right, Span(left.start, right.end)])
            image, control = (max(scores[:2]) - scores[2] for scores in (own, wrong))
            answers.add(truth, text=logits[token], image=image, wrong=control)
    return together(answers, weight=0.3)


def together(answers: Answers, weight: float) -> Answers:
    """With the opinion of the text and a picture together: standardised, the picture's times `weight`, and added."""
    for name in ("image", "wrong"):
        sums = [_standard(answers.opinions["text"]), _standard(answers.opinions[name])]
        answers.opinions[f"text + {name}"] = list(sums[0] + weight * sums[1])
    return answers


def _is_cut(caption: EntityCaption, start: int, before: int) -> bool | None:
    """Whether a phrase begins or ends between the characters `before` and `start`; None where no phrase says."""
    if any(phrase.start < before and start < phrase.end for phrase in caption.phrases):
        return False
    edges = any(start == phrase.start or before == phrase.end for phrase in caption.phrases)
    return True if edges else None


def _parts(units: Sequence[Span], start: int, before: int) -> tuple[Span, Span]:
    """What stands before and after a cut at `start`, up to the next cuts."""
    first = max(unit.start for unit in units if unit.start < start)
    last = min(unit.end for unit in units if unit.end > start)
    return Span(first, before), Span(start, last)


def _standard(values: Sequence[float]) -> np.ndarray:
    """Mean 0, standard deviation 1."""
    array = np.array(values)
    standard: np.ndarray = (array - array.mean()) / array.std()
    return standard


def main() -> None:
    """Ask, and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--annotations", type=Path, required=True)
    options_parser.add_argument("--images", action="append", required=True)
    options_parser.add_argument("--split", default="val")
    options_parser.add_argument("--model", action="append", help="a run or checkpoint; repeat it for seeds")
    options_parser.add_argument("--encoder", help="where the image encoder lies now")
    options = options_parser.parse_args()
    captions = read_entities(options.annotations, options.split).captions
    images = dict(find_images(options.images, {image_name(caption.image) for caption in captions}))
    captions = [caption for caption in captions if caption.image in images]
    scores: dict[str, list[float]] = {}
    for where in options.model or [None]:
        model = load(where, encoder=options.encoder)
        pictures = Pictures(model, images)
        for question, answers in (
            ("units", naming(model, pictures, captions)),
            ("cuts", cutting(model, pictures, captions)),
        ):
            share = f"{100 * np.mean(answers.truth):.0f}% yes"
            for name in answers.opinions:
                what = f"AUC, {question}, {name} (n = {len(answers.truth)}, {share})"
                scores.setdefault(what, []).append(answers.auc(name))
    finish([figure(what, what, "%", values) for what, values in scores.items()], options.out)


if __name__ == "__main__":
    run(main)
