"""`textgroup evaluate ranking`: which of two pairs of image and caption fits better."""

import argparse
import sys
from collections.abc import Sequence

from textgroup.cli.common import Parser, check_out, column_options, path
from textgroup.errors import InputError

DESCRIPTION = """\
Pairwise ranking accuracy on SVO-Probes, FOIL-COCO (the paper's Tables 1 and 2), SugarCrepe, VALSE, Winoground and your
own probes, all models on the same rows. docs/evaluation.md says where to get each one, and its traps."""


def ranking(words: Sequence[str]) -> None:
    """`textgroup evaluate ranking`."""
    options = _options(words)
    from rich.console import Console

    from textgroup.data.probes.read import read_probes
    from textgroup.evaluation.ranking.report import COLUMNS, records, tables
    from textgroup.evaluation.ranking.scoring import figures, keep_scored_rows, score_models, write_run
    from textgroup.report.terminal import table

    benchmarks = [read_probes(spec) for spec in options.probe]
    if len({benchmark.name for benchmark in benchmarks}) < len(benchmarks):
        raise InputError("--probe: a kind comes twice; give the directory that holds its files")
    if options.fit_on is not None and "svo" not in {benchmark.name for benchmark in benchmarks}:
        raise InputError("--fit-on sets the threshold of SVO's match: give --probe svo:PATH with it")
    if options.only is not None:
        keep_scored_rows(benchmarks, options.only)
    scored = score_models(
        list(dict.fromkeys(options.model)),
        benchmarks,
        options.images,
        blind=options.blind,
        fit_on=options.fit_on,
        batch_size=options.batch_size,
        device=options.device,
        encoder=options.encoder,
        image_column=options.image_column,
        caption_column=options.caption_column,
    )
    results = figures(scored)
    write_run(options.out, scored, results)
    console = Console(width=max(120, Console().width))  # a narrower terminal wraps the lines
    for name, rows in tables(records(results)):
        table(name, COLUMNS, rows, console)
    for benchmark in scored.benchmarks:
        if left_out := sum(benchmark.skipped.values()):
            print(
                f"textgroup: {benchmark.name}: {left_out:,} rows left out; {options.out} says why",
                file=sys.stderr,
            )


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = Parser("textgroup evaluate ranking", description=DESCRIPTION)
    parser.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="SPEC",
        help="model[:PATH] (ours; alone: packaged), groupvit[:WHERE] or transformers:WHERE (CLIP, ...); repeat it "
        "to compare",
    )
    parser.add_argument(
        "--probe",
        action="append",
        required=True,
        metavar="KIND:PATH",
        help="official file or directory, KIND one of svo, foil, sugarcrepe, sugarcrepe++, valse, winoground, "
        "colorswap, aro, vlchecklist, whatsup, negclip, jsonl; repeat it",
    )
    parser.add_argument(
        "--images",
        action="append",
        default=[],
        metavar="DATA",
        help="directory or zip of images, tar shards or table; images are found by the end of their path; repeat it",
    )
    parser.add_argument(
        "--blind",
        action="store_true",
        help="also score captions by the model's own likelihood, without the image; without --images only this",
    )
    parser.add_argument("--fit-on", metavar="DATA", help="images with captions that set the threshold of SVO's match")
    parser.add_argument("--only", type=path, metavar="ROWS", help="only the rows of another run's ranking_rows.jsonl")
    parser.add_argument("--out", type=path, required=True, metavar="DIR", help="ranking.json, ranking.md and the rows")
    parser.add_argument("--encoder", help="where the image encoder of model:PATH lies now, if not as in training")
    column_options(parser, strict=False)
    parser.add_argument("--batch-size", type=int, help="images encoded at once (default: 8 on a CPU, 256 on a GPU)")
    parser.add_argument("--device", help="cpu or cuda (default: a GPU if there is one)")
    options = parser.parse_args(words)
    if options.batch_size is not None and options.batch_size < 1:
        raise InputError(f"--batch-size {options.batch_size}: give at least 1")
    check_out(options.out, "ranking.json", "ranking.md", "ranking_rows.jsonl")
    if not options.images and not options.blind:
        raise InputError("give --images, or --blind to score by the captions alone")
    return options
