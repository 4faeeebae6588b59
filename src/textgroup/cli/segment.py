"""`textgroup segment`: the units of captions."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING

from textgroup.cli.common import Parser, checkpoint_option, column_options, path, tell_count
from textgroup.errors import InputError
from textgroup.files import atomic_write
from textgroup.units import Unit

if TYPE_CHECKING:
    from textgroup.data.sources.count import Count
    from textgroup.inference.textgroup import TextGroup

LONGEST_LINE = 1_000_000
"""Characters of a line that `segment --file` reads: a file without line ends must not fill the memory."""

LOOKED_AT = 1_000
"""Captions of which it is said whether the model knows their words."""


def segment(words: Sequence[str]) -> None:
    """`textgroup segment`."""
    parser = Parser("textgroup segment", description="Print the units of captions.")
    parser.add_argument("caption", nargs="*", help="captions, each one argument")
    checkpoint_option(parser, packaged=True)
    parser.add_argument(
        "--file", type=path, help="captions: a text file, one a line, or any other source ('-': standard input)"
    )
    column_options(parser)
    parser.add_argument("--out", type=path, help="write JSON lines there instead of printing")
    parser.add_argument("--json", action="store_true", help="JSON lines, for machines")
    options = parser.parse_args(words)
    if bool(options.caption) == bool(options.file):
        raise InputError("textgroup segment: give captions or --file, one of the two")
    for caption in options.caption:
        if not caption.strip():
            raise InputError("textgroup segment: a caption is empty: give it at least one word")
    if options.file and str(options.file) != "-" and not options.file.exists():
        raise InputError(f"--file {options.file}: there is no such file")
    import textgroup
    from textgroup.data.sources.count import Count
    from textgroup.data.sources.tables import is_plain_text

    count = Count(strict=options.strict)
    as_lines = options.file and (str(options.file) == "-" or is_plain_text(options.file))
    model = textgroup.load(options.checkpoint)
    if not options.file:
        _write_units(model, options.caption, options)
    elif not as_lines:
        _write_units(model, _read_source(options, count), options)
        tell_count(str(options.file), count)
    elif str(options.file) == "-":
        _write_units(model, _read_lines(sys.stdin, "standard input"), options)
    else:
        with options.file.open(encoding="utf-8") as file:
            _write_units(model, _read_lines(file, str(options.file)), options)


def _read_source(options: argparse.Namespace, count: "Count") -> Iterable[str]:
    """The captions of a table, tar or folder."""
    from textgroup.data.sources.samples import read_samples

    columns = {"image_column": options.image_column, "caption_column": options.caption_column}
    samples = read_samples(options.file, images=False, count=count, **columns)
    return (caption for sample in samples for caption in sample.captions)


def _read_lines(file: IO[str], name: str) -> Iterable[str]:
    """The lines of a text file, without their ends. An empty file, and one that is not text, is bad input."""
    count = 0
    try:
        while line := file.readline(LONGEST_LINE + 1):
            count += 1
            if len(line) > LONGEST_LINE:
                raise InputError(f"{name}: line {count} is longer than {LONGEST_LINE:,} characters: one caption a line")
            yield line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text after line {count} ({error.reason})") from None
    if not count:
        raise InputError(f"{name} holds no captions: give one a line")


def _write_units(model: "TextGroup", captions: Iterable[str], options: argparse.Namespace) -> None:
    from rich.console import Console

    from textgroup.report.terminal import colour_units, count_progress

    first: list[str] = []
    captions = _remember(captions, first)
    if options.out:
        with atomic_write(options.out) as partial, partial.open("w", encoding="utf-8") as out:
            blank = sum(
                _write_json_line(out, *pair)
                for pair in count_progress(_captions_with_units(model, captions), "captions")
            )
    elif options.json or (not sys.stdout.isatty() and options.file):
        blank = sum(_write_json_line(sys.stdout, *pair) for pair in _captions_with_units(model, captions))
    else:
        blank, console = 0, Console(soft_wrap=True, highlight=False)
        for _, units in _captions_with_units(model, captions):
            blank += not units
            console.print(colour_units(units, console))
    if blank:
        print(f"textgroup: {blank} empty lines have no units", file=sys.stderr)
    if strange := sum(model.unfamiliar(first)):
        print(
            f"textgroup: of {strange} of {len(first)} captions most words are new to this model, as those of another "
            "language are: do not rely on their units (README: train one on captions of yours, in minutes)",
            file=sys.stderr,
        )


def _remember(captions: Iterable[str], first: list[str]) -> Iterable[str]:
    """The captions; `LOOKED_AT` of them are put into `first` too."""
    for caption in captions:
        if len(first) < LOOKED_AT:
            first.append(caption)
        yield caption


def _captions_with_units(model: "TextGroup", captions: Iterable[str]) -> Iterable[tuple[str, list[Unit]]]:
    """Yield each caption with its units, in order. Only the model's windows are in memory."""
    from collections import deque

    waiting: deque[str] = deque()

    def record_captions() -> Iterable[str]:
        for caption in captions:
            waiting.append(caption)
            yield caption

    for units in model.segment_stream(record_captions()):
        yield waiting.popleft(), units


def _write_json_line(out: IO[str], caption: str, units: list[Unit]) -> bool:
    """Write one line; whether the caption had no units."""
    out.write(json.dumps({"caption": caption, "units": [unit._asdict() for unit in units]}, ensure_ascii=False) + "\n")
    return not units
