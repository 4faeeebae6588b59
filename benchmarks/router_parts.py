"""What each part of a router's learning adds, and what its constants do. Units against gold phrases.

    python benchmarks/router_parts.py --captions flickr30k_entities.zip --captions coco.jsonl.gz \
        --gold flickr30k_entities.zip:val --gold benchmarks/mixed:all [--rows constants] --out FILE.json

Every row is learned anew, with the same seed and the same captions; `--gold` is ANNOTATIONS:SPLIT, with words for
tokens. A few minutes a row.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType

import torch

from common import parser
from textgroup.config.command_line import SHIPPED, load_run
from textgroup.config.run import UnitsConfig
from textgroup.data.captions import CaptionData
from textgroup.data.sources.entities import read_entities
from textgroup.data.sources.samples import read_samples
from textgroup.data.statistics import entropy
from textgroup.evaluation.phrases.benchmark import Benchmark, measure
from textgroup.evaluation.phrases.tokens import word_spans
from textgroup.inference.textgroup import TextGroup
from textgroup.model.grouping.router import committee, corruption, cotraining, learning, revision
from textgroup.model.grouping.router.cotraining import Teacher, co_train, cut
from textgroup.model.grouping.router.places import find_spans, mean_over_units
from textgroup.model.grouping.router.router import Cuts
from textgroup.model.textgroup import TextGroupModel
from textgroup.report.terminal import table
from textgroup.text.tokenizer import CaptionTokenizer

FIGURES = ("tiou", "f1", "strict_tiou", "exact_precision", "exact_recall", "exact_f1")


class AsRouter(torch.nn.Module):
    """A teacher that cuts by itself, in the place of a router."""

    def __init__(self, teacher: Teacher) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> Cuts:
        """See `Router.forward`."""
        places, views = self.teacher.places(ids, mask), self.teacher(ids, mask)
        begins = cut(self.teacher.closes, ids, views.boundary, places)
        spans = find_spans(begins, places)
        last = self.teacher.names[ids].gather(1, spans.final)
        names = mean_over_units(self.teacher.naming(views, spans) + last, begins, places.inside)
        return Cuts(views.boundary, places.undecided, begins, names.masked_fill(places.alone, -torch.inf))


def main() -> None:
    """Learn, measure, print."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--captions", action="append", required=True)
    options_parser.add_argument("--gold", action="append", required=True)
    options_parser.add_argument("--seed", type=int, default=0)
    options_parser.add_argument("--rows", choices=("parts", "constants"), default="parts")
    options = options_parser.parse_args()
    texts = [text for source in options.captions for s in read_samples(source, images=False) for text in s.captions]
    tokenizer = CaptionTokenizer.train(texts, 8192)
    data = CaptionData.build([(text,) for text in texts], tokenizer)
    golds = {}
    for gold in options.gold:
        where, _, split = gold.rpartition(":")
        golds[f"{Path(where).stem}:{split}"] = Benchmark.make(read_entities(where, split).captions, word_spans)
    records = []
    for name, learn in rows(data, tokenizer, options.seed)[options.rows].items():
        model = learn()
        for gold, benchmark in golds.items():
            score = measure(name, model.segment, benchmark).score
            figures = {figure: round(100 * float(getattr(score, figure)), 2) for figure in FIGURES}
            records.append({"row": name, "gold": gold, **figures})
            print(records[-1], flush=True)
    columns = ["", "gold", *FIGURES]
    table("Parts of a router's learning", columns, [[str(value) for value in r.values()] for r in records])
    if options.out:
        Path(options.out).write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


CONSTANTS = {
    "BEGINS": (entropy, (2.2, 2.6)),
    "BINDS": (entropy, (0.6, 0.8)),
    "CLOSES": (cotraining, (0.6, 0.7)),
    "CALLED": (revision, (0.2, 0.4)),
    "FINISHES": (revision, (0.1, 0.3)),
}
"""Constants of the teachers and of the revision, where each is, and other values for it."""


Change = tuple[ModuleType, str, object]
"""A constant or a function, and another in its place."""


@contextmanager
def changed(changes: Sequence[Change]) -> Iterator[None]:
    """In the block, other things stand in these places."""
    kept = [(place, name, getattr(place, name)) for place, name, _ in changes]
    for place, name, value in changes:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in kept:
            setattr(place, name, value)


def rows(data: CaptionData, tokenizer: CaptionTokenizer, seed: int) -> dict[str, dict[str, Callable[[], TextGroup]]]:
    """What to learn, by kind and name."""

    def model() -> TextGroupModel:
        torch.manual_seed(seed)
        config = load_run(["--config", str(SHIPPED / "units.yaml")]).model
        return TextGroupModel(**vars(config), vocabulary=len(tokenizer))

    def teacher() -> TextGroup:
        made = model()
        made.encoder.router = AsRouter(co_train(data, tokenizer, UnitsConfig(), seed, "steps"))
        return TextGroup(made, tokenizer)

    def router(teachers: int, *changes: Change) -> TextGroup:
        made = model()
        with changed(changes):
            made.encoder.learn_to_cut(data, tokenizer, UnitsConfig(teachers=teachers), seed)
        return TextGroup(made, tokenizer)

    plain, first = (corruption, "PLAIN", 1.0), (learning, "ROUTERS", 1)
    not_parted = (committee, "part", lambda begins, *_: begins)
    none_called, none_lacks = (revision, "CALLED", 2.0), (revision, "FINISHES", -1.0)
    constants = {
        f"{name} {value}": partial(router, 1, first, (place, name, value))
        for name, (place, values) in CONSTANTS.items()
        for value in values
    }
    parts = {
        "one teacher by itself": teacher,
        "a router, one teacher, captions as they are": partial(router, 1, first, plain),
        "a router, one teacher, units not revised": partial(router, 1, first, not_parted, none_called, none_lacks),
        "this, joined where a word is called for": partial(router, 1, first, not_parted, none_lacks),
        "this, joined where a unit lacks its last word too": partial(router, 1, first, not_parted),
        "this, units parted too: a router, one teacher": partial(router, 1, first),
        "a router, three teachers": partial(router, 3, first),
        "a second router, one teacher": partial(router, 1),
        "a second router, three teachers": partial(router, 3),
    }
    return {"parts": parts, "constants": {"as they are": partial(router, 1, first), **constants}}


if __name__ == "__main__":
    main()
