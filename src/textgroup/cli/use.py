"""`textgroup segment`, `score`, `align` and `export`: a checkpoint in use."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from textgroup.cli.common import Parser, checkpoint_option
from textgroup.errors import InputError
from textgroup.files import replacing
from textgroup.units import Unit

if TYPE_CHECKING:
    from textgroup.inference import TextGroup

LONGEST_LINE = 1_000_000
"""Characters of a line that `segment --file` reads: a file without line ends must not fill the memory."""


def segment(words: Sequence[str]) -> None:
    """`textgroup segment`."""
    parser = Parser("textgroup segment", description="Print the units of captions.")
    parser.add_argument("caption", nargs="*", help="captions, each one argument")
    parser.add_argument(
        "-c", "--checkpoint", help="checkpoint or run directory, or Hub name (default: the packaged one)"
    )
    parser.add_argument("--file", type=Path, help="captions from a text file, one a line ('-': standard input)")
    parser.add_argument("--out", type=Path, help="write JSON lines there instead of printing")
    parser.add_argument("--json", action="store_true", help="JSON lines, for machines")
    options = parser.parse_args(words)
    if bool(options.caption) == bool(options.file):
        raise InputError("textgroup segment: give captions or --file, one of the two")
    for caption in options.caption:
        if not caption.strip():
            raise InputError("textgroup segment: a caption is empty: give it at least one word")
    if options.file and str(options.file) != "-" and (options.file.is_dir() or not options.file.exists()):
        raise InputError(f"--file {options.file}: there is no such file")
    import textgroup

    model = textgroup.load(options.checkpoint)
    if not options.file:
        _write_units(model, options.caption, options)
    elif str(options.file) == "-":
        _write_units(model, _lines(sys.stdin, "standard input"), options)
    else:
        with options.file.open(encoding="utf-8") as file:
            _write_units(model, _lines(file, str(options.file)), options)


def _lines(file: IO[str], name: str) -> Iterable[str]:
    """The lines of a text file, without their ends. An empty file, and one that is not text, is bad input."""
    read = 0
    try:
        while line := file.readline(LONGEST_LINE + 1):
            read += 1
            if len(line) > LONGEST_LINE:
                raise InputError(f"{name}: line {read} is longer than {LONGEST_LINE:,} characters: one caption a line")
            yield line.rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 text after line {read} ({error.reason})") from None
    if not read:
        raise InputError(f"{name} holds no captions: give one a line")


def _write_units(model: "TextGroup", captions: Iterable[str], options: argparse.Namespace) -> None:
    from rich.console import Console

    from textgroup.report.terminal import coloured, counted

    if options.out:
        with replacing(options.out) as partial, partial.open("w", encoding="utf-8") as out:
            blank = sum(_json_line(out, *pair) for pair in counted(_paired(model, captions), "captions"))
    elif options.json or (not sys.stdout.isatty() and options.file):
        blank = sum(_json_line(sys.stdout, *pair) for pair in _paired(model, captions))
    else:
        blank, console = 0, Console(soft_wrap=True, highlight=False)
        for _, units in _paired(model, captions):
            blank += not units
            console.print(coloured(units, console))
    if blank:
        print(f"textgroup: {blank} empty lines have no units", file=sys.stderr)


def _paired(model: "TextGroup", captions: Iterable[str]) -> Iterable[tuple[str, list[Unit]]]:
    """Each caption with its units, in step, holding no more than the model's windows."""
    from collections import deque

    waiting: deque[str] = deque()

    def remember() -> Iterable[str]:
        for caption in captions:
            waiting.append(caption)
            yield caption

    for units in model.segment_stream(remember()):
        yield waiting.popleft(), units


def _json_line(out: IO[str], caption: str, units: list[Unit]) -> bool:
    """Write one line; whether the caption had no units."""
    out.write(json.dumps({"caption": caption, "units": [unit._asdict() for unit in units]}, ensure_ascii=False) + "\n")
    return not units


def _image_and_captions(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """An image, captions, and the checkpoint that compares them."""
    parser.add_argument("image", type=Path)
    parser.add_argument("caption", nargs="+")
    checkpoint_option(parser)
    parser.add_argument("--encoder", help="where the image encoder lies now, if not where it lay in training")
    parser.add_argument("--json", action="store_true", help="JSON, for machines")
    options = parser.parse_args(words)
    if any(not caption.strip() for caption in options.caption):
        raise InputError(f"{parser.prog}: a caption is empty: give it at least one word")
    return options


def score(words: Sequence[str]) -> None:
    """`textgroup score`."""
    parser = Parser("textgroup score", description="Rank captions for an image by the cosine of pooled embeddings.")
    options = _image_and_captions(parser, words)
    import textgroup
    from textgroup.report.terminal import ranking

    model = textgroup.load(options.checkpoint, encoder=options.encoder)
    cosines = model.similarity([options.image], options.caption)[0].tolist()
    ranked = sorted(zip(cosines, options.caption), key=lambda pair: -pair[0])
    if options.json:
        scores = [{"caption": caption, "cosine": cosine} for cosine, caption in ranked]
        print(json.dumps({"image": str(options.image), "scores": scores}, ensure_ascii=False))
    else:
        ranking(ranked)


def align(words: Sequence[str]) -> None:
    """`textgroup align`."""
    parser = Parser(
        "textgroup align",
        description="Print, for each unit of captions, the number of the image's object that it refers to, or none.",
    )
    options = _image_and_captions(parser, words)
    import textgroup

    model = textgroup.load(options.checkpoint, encoder=options.encoder)
    found = model.align(options.caption, [options.image] * len(options.caption))
    for caption, references in zip(options.caption, found):
        if options.json:
            units = [{**unit._asdict(), "object": number, "cosines": cosines} for unit, number, cosines in references]
            print(json.dumps({"image": str(options.image), "caption": caption, "units": units}, ensure_ascii=False))
            continue
        for unit, number, cosines in references:
            best = f"{max(cosines):+.3f}" if cosines else f"{'':6}"
            print(f"{'none' if number is None else f'object {number}':<9} {best}  {unit.text}")


def export(words: Sequence[str]) -> None:
    """`textgroup export`."""
    parser = Parser("textgroup export", description="Write a checkpoint to share: half precision, nothing but weights.")
    checkpoint_option(parser)
    parser.add_argument("--out", type=Path, required=True, help="directory to make")
    options = parser.parse_args(words)
    from textgroup.model.pretrained import export as write

    write(options.checkpoint, options.out)
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    print(f"{options.out}: {size / 1e6:.1f} MB")
