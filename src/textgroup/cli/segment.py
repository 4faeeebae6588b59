"""`textgroup segment`: the units of captions."""

import argparse
import functools
import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from textgroup.cli.common import Parser, checkpoint_option, column_options, device_option, path, tell_count
from textgroup.errors import InputError
from textgroup.files import atomic_write, expand_user

if TYPE_CHECKING:
    from textgroup.data.sources.count import Count
    from textgroup.inference.result import Units
    from textgroup.inference.segmenter import TextSegmenter

LONGEST_LINE = 1_000_000
"""Characters of a line that `segment --file` reads: a file without line ends must not fill the memory."""

JSON = ("json", "tokens-positive")
"""Forms whose lines are JSON objects."""

LOOKED_AT = 1_000
"""Captions of which it is said whether the model knows their words."""
KNOWN = 1 / 3
"""Share of new words up to which a caption looks like the languages of the multilingual model. In nearly all of their
captions fewer are new to it, in Spanish and Dutch ones more (docs/experiments.md, 6.2)."""


def segment(words: Sequence[str]) -> None:
    """`textgroup segment`."""
    options = _options(words)
    if not options.file:
        _write_units(options.caption, options)
    elif options.file == "-":
        _write_units(_read_lines(sys.stdin, "standard input"), options)
    else:
        _segment_file(options)


def _segment_file(options: argparse.Namespace) -> None:
    from textgroup.data.sources.count import Count
    from textgroup.data.sources.names import url_scheme
    from textgroup.data.sources.tables import is_plain_text

    local = None if url_scheme(options.file) else expand_user(options.file)
    if local is not None and local.exists() and is_plain_text(local):
        with local.open(encoding="utf-8") as file:
            _write_units(_read_lines(file, options.file), options)
    else:
        count, keys = Count(strict=options.strict), deque[str]()
        _write_units(_read_source(options, count, keys), options, keys)
        tell_count(options.file, count)


def _options(words: Sequence[str]) -> argparse.Namespace:
    from textgroup.cli.forms import FORMS, HELP

    parser = Parser(
        "textgroup segment",
        description="Print the units of captions.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("caption", nargs="*", help="captions, each one argument")
    checkpoint_option(parser, packaged=True, more="; multilingual: English, German, French and Czech")
    device_option(parser)
    parser.add_argument(
        "--file",
        metavar="SOURCE",
        help="captions: a text file, one a line, or any other source, as docs/data.md has them ('-': standard input)",
    )
    column_options(parser)
    parser.add_argument("--out", type=path, help="write there instead of printing")
    parser.add_argument("--format", choices=list(FORMS), help="see below (default: line, and json with --out)")
    parser.add_argument("--json", action="store_const", const="json", dest="format", help="short for --format json")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that cut, one core each; same output (default 1)"
    )
    options = parser.parse_args(words)
    options.format = options.format or ("json" if options.out else "line")
    if bool(options.caption) == bool(options.file):
        raise InputError("textgroup segment: give captions or --file SOURCE, one of the two (--file -: standard input)")
    for caption in options.caption:
        if _is_file(caption):
            raise InputError(f"textgroup segment: {caption} is a file; for the captions in it, give --file {caption}")
        if not caption.strip():
            raise InputError("textgroup segment: a caption is empty: give it at least one word")
    if options.workers < 1:
        raise InputError(f"--workers {options.workers}: give at least 1")
    return options


def _is_file(caption: str) -> bool:
    """Whether a caption is the name of a file, and no sentence that happens to be one."""
    try:
        return len(caption.split()) == 1 and "." in caption and Path(caption).is_file()
    except (OSError, ValueError):  # too long for a name, a null character
        return False


def _read_source(options: argparse.Namespace, count: "Count", keys: deque[str]) -> Iterable[str]:
    """The captions of a source; the key of each one's row is put into `keys`."""
    from textgroup.data.sources.samples import read_samples

    columns = {"image_column": options.image_column, "caption_column": options.caption_column}
    samples = read_samples(options.file, images=False, count=count, **columns)
    for sample in samples:
        for caption in sample.captions:
            keys.append(sample.key)
            yield caption


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


def _write_units(captions: Iterable[str], options: argparse.Namespace, keys: deque[str] | None = None) -> None:
    """keys: of the captions' rows, where they come from a table, tar or folder; JSON begins with them."""
    import textgroup
    from textgroup.report.terminal import count_progress

    model = textgroup.load_segmenter(options.checkpoint, device=options.device)
    first: list[str] = []
    lines = _lines(model, _remember(captions, first), options)
    if keys is not None and options.format in JSON:
        lines = ((f'{{"key": {json.dumps(keys.popleft())}, {text[1:]}', empty) for text, empty in lines)
    blank = 0
    if options.out:
        with atomic_write(options.out) as partial, partial.open("w", encoding="utf-8") as out:
            for text, empty in count_progress(lines, "captions"):
                out.write(text + "\n")
                blank += empty
    else:
        for text, empty in lines:
            print(text)
            blank += empty
    if blank:
        print(f"textgroup: {blank} empty lines have no units", file=sys.stderr)
    if strange := list(compress(first, model.unfamiliar(first))):
        print(
            f"textgroup: of {len(strange)} of {len(first)} captions most words are new to this model, as those of "
            f"another language are: do not rely on their units ({_remedy(strange, options.checkpoint)})",
            file=sys.stderr,
        )


def _remedy(strange: Sequence[str], checkpoint: str | None) -> str:
    """What to do about captions of which most words are new to the checkpoint."""
    from textgroup.inference.segmenter import has_new_words
    from textgroup.model.packaged import MULTILINGUAL, PACKAGED_MULTILINGUAL
    from textgroup.text.tokenizer import CaptionTokenizer

    train = "README: train one on captions of yours, in minutes"
    if checkpoint == MULTILINGUAL or Path(MULTILINGUAL).exists():
        return train
    tokenizer = CaptionTokenizer.from_pretrained(PACKAGED_MULTILINGUAL)
    known = len(strange) - sum(has_new_words(tokenizer, strange, KNOWN))
    return f"{known} of them look like German, French or Czech: -c {MULTILINGUAL}" if known else train


def _lines(model: "TextSegmenter", captions: Iterable[str], options: argparse.Namespace) -> Iterator[tuple[str, bool]]:
    """For each caption its line of output, and whether it has no units. Only the model's windows are in memory."""
    from textgroup.cli.forms import FORMS
    from textgroup.report.terminal import units_line

    give = functools.partial(_line, units_line if _is_in_colour(options) else FORMS[options.format])
    if options.workers == 1:
        return map(give, model.segment_stream(captions))
    from textgroup.inference.workers import segment_in_workers

    return segment_in_workers(options.checkpoint, captions, options.workers, give, device=options.device)


def _is_in_colour(options: argparse.Namespace) -> bool:
    if options.format != "line" or options.out:
        return False
    from rich.console import Console

    return Console().is_terminal


def _line(form: Callable[["Units"], str], units: "Units") -> tuple[str, bool]:
    return form(units), not units


def _remember(captions: Iterable[str], first: list[str]) -> Iterable[str]:
    """The captions; `LOOKED_AT` of them are put into `first` too."""
    for caption in captions:
        if len(first) < LOOKED_AT:
            first.append(caption)
        yield caption
