"""`textgroup evaluate phrases`: units against the gold phrases of Flickr30k Entities."""

import argparse
import json
import sys
from collections.abc import Sequence

from textgroup.cli.common import Parser, check_out, path
from textgroup.errors import InputError
from textgroup.files import atomic_write
from textgroup.report.printable import one_line

DESCRIPTION = """\
How well units agree with the phrases that people bracketed in Flickr30k Entities: the paper's tIoU, precision,
recall and F1 (Table 3), and stricter figures. docs/evaluation.md defines each one."""


def phrases(words: Sequence[str]) -> None:
    """`textgroup evaluate phrases`."""
    options = _options(words)
    tokenizer_spec = options.tokenizer or _first_checkpoint(options.segmenter)
    from textgroup.data.sources.entities import read_entities
    from textgroup.evaluation.phrases.benchmark import Benchmark, measure
    from textgroup.evaluation.phrases.report import COLUMNS, COMPARED, cells, differences, markdown
    from textgroup.evaluation.phrases.tokens import open_tokenizer, token_spans
    from textgroup.evaluation.segmenters.open import open_segmenter
    from textgroup.report.terminal import progress_bar, table

    tokenizer = open_tokenizer(tokenizer_spec)
    entities = read_entities(options.annotations, options.split, drop_notvisual=options.drop_notvisual)
    segmenters = [
        open_segmenter(
            spec,
            tokenizer,
            fit_on=options.fit_on,
            features_from=options.features_from,
            caption_column=options.caption_column,
        )
        for spec in options.segmenter
    ]
    for line in entities.skipped[:10]:
        print(f"textgroup: skipped: {one_line(line)}", file=sys.stderr)
    if entities.skipped:
        print(f"textgroup: skipped {len(entities.skipped)} in all", file=sys.stderr)
    benchmark = Benchmark.make(entities.captions[: options.limit], token_spans(tokenizer))
    with progress_bar("captions", len(benchmark.captions)) as advance:
        results = [measure(spec, cut, benchmark, advance) for spec, cut in zip(options.segmenter, segmenters)]
    records = [result.record(options.split, results[0] if i else None) for i, result in enumerate(results)]
    title = f"{options.split}: {len(benchmark.captions):,} captions, evaluation tokens of {tokenizer_spec}"
    if options.out:
        with atomic_write(options.out / "phrases.json") as partial:
            partial.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
        with atomic_write(options.out / "phrases.md") as partial:
            partial.write_text(markdown(title, records), encoding="utf-8", errors="backslashreplace")
    table(title, COLUMNS, [cells(record) for record in records])
    if len(records) > 1:
        print()
        table(f"minus {options.segmenter[0]}", COMPARED, [differences(record) for record in records[1:]])


def _options(words: Sequence[str]) -> argparse.Namespace:
    from textgroup.evaluation.segmenters.open import SPECS

    parser = Parser("textgroup evaluate phrases", description=DESCRIPTION)
    parser.add_argument("--annotations", type=path, required=True, help="directory or zip: Sentences/, val.txt, ...")
    parser.add_argument("--split", default="val", help="whose list of images (default: val)")
    parser.add_argument(
        "--segmenter",
        action="append",
        required=True,
        metavar="SPEC",
        help=f"what cuts the captions; repeat it to compare, each with the first: {SPECS}",
    )
    parser.add_argument("--tokenizer", help="evaluation tokens: words, or a BPE (default: the first model's)")
    parser.add_argument("--fit-on", metavar="CAPTIONS", help="training captions of left-entropy")
    parser.add_argument("--caption-column", default="caption", help="column of a table given as --fit-on")
    parser.add_argument("--features-from", metavar="PATH", help="baseline checkpoint of kmeans, spectral, meanshift")
    parser.add_argument("--drop-notvisual", action="store_true", help="leave out phrases that name nothing visible")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N captions")
    parser.add_argument("--out", type=path, metavar="DIR", help="write phrases.json and phrases.md there")
    options = parser.parse_args(words)
    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit {options.limit}: give at least 1")
    if options.out:
        check_out(options.out, "phrases.json", "phrases.md")
    return options


def _first_checkpoint(specs: Sequence[str]) -> str:
    from textgroup.model.pretrained import PACKAGED

    for spec in specs:
        name, _, path = spec.partition(":")
        if name == "model":
            return path or str(PACKAGED)
    raise InputError("--tokenizer: no segmenter is a checkpoint, so say what to compare on: words, or a BPE's file")
