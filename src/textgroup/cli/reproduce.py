"""`textgroup reproduce`."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from textgroup.cli.common import Parser, check_out
from textgroup.errors import InputError


def reproduce(words: Sequence[str]) -> None:
    """`textgroup reproduce`."""
    from textgroup.experiments.reproduce.tables import ALL

    parser = Parser(
        "textgroup reproduce",
        description="The tables and figures of the paper, with error bars: plan, train what is missing, measure, write "
        "results.json, results.md, results.html and the figures. Run again, it goes on where it was stopped.",
    )
    parser.add_argument("what", nargs="+", help=f"{', '.join(ALL)}, or all")
    parser.add_argument("--scale", choices=("scenes", "flickr8k", "paper"), default="scenes", help="(default: scenes)")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each row, from seed 0 (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("reproduced"), help="directory (default: reproduced)")
    parser.add_argument("--fast", action="store_true", help="tiny sizes: does everything run? The figures mean nothing")
    parser.add_argument("--dry-run", action="store_true", help="show the plan with its time, and end")
    parser.add_argument("--jobs", type=int, help="processes at once (default: one for each CPU core)")
    parser.add_argument("--caption", action="append", default=[], help="for figures 2 and 3, instead of drawn ones")
    parser.add_argument("--data", type=Path, default=Path("data"), help="where data sets are (default: data)")
    parser.add_argument(
        "--encoder", help="frozen image encoder of flickr8k (default: backbone:google/mobilenet_v2_1.0_224)"
    )
    options = parser.parse_args(words)
    unknown = [name for name in options.what if name not in (*ALL, "all")]
    if unknown:
        raise InputError(f"no table {unknown[0]!r}: there are {', '.join(ALL)} and all")
    if options.seeds < 1 or (options.jobs is not None and options.jobs < 1):
        raise InputError(f"--seeds {options.seeds}, --jobs {options.jobs}: both must be at least 1")
    check_out(options.out, "results.json", "results.md", "results.html")
    from textgroup.experiments.reproduce.command import ENCODER_WEIGHTS, run_reproduce

    run_reproduce(
        list(ALL) if "all" in options.what else list(dict.fromkeys(options.what)),
        options.scale,
        seeds=range(options.seeds),
        out=options.out,
        fast=options.fast,
        dry_run=options.dry_run,
        processes=options.jobs,
        captions=options.caption,
        data=options.data,
        encoder=options.encoder or ENCODER_WEIGHTS,
        command=shlex.join(["textgroup", "reproduce", *words]),
    )
