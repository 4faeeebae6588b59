"""`textgroup score` and `textgroup align`: captions against an image."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textgroup.cli.common import Parser, checkpoint_option, device_option, path
from textgroup.errors import InputError
from textgroup.report.printable import json_line, printable

if TYPE_CHECKING:
    from textgroup.inference.aligning import Point


def _parse_options(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """Options of both commands: an image, captions, and the checkpoint that compares them."""
    parser.add_argument("image", type=path)
    parser.add_argument("caption", nargs="+")
    checkpoint_option(parser, packaged=True)
    device_option(parser)
    parser.add_argument("--encoder", help="where the image encoder lies now, if not where it lay in training")
    parser.add_argument("--json", action="store_true", help="JSON, for machines")
    options = parser.parse_args(words)
    if any(not caption.strip() for caption in options.caption):
        raise InputError(f"{parser.prog}: a caption is empty: give it at least one word")
    return options


def score(words: Sequence[str]) -> None:
    """`textgroup score`."""
    parser = Parser("textgroup score", description="Rank captions for an image by the cosine of pooled embeddings.")
    options = _parse_options(parser, words)
    import textgroup
    from textgroup.report.terminal import ranking

    model = textgroup.load(options.checkpoint, encoder=options.encoder, device=options.device)
    cosines = model.similarity([options.image], options.caption)[0].tolist()
    ranked = sorted(zip(cosines, options.caption), key=lambda pair: -pair[0])
    if options.json:
        scores = [{"caption": caption, "cosine": cosine} for cosine, caption in ranked]
        print(json_line({"image": str(options.image), "scores": scores}))
    else:
        ranking(ranked)


def align(words: Sequence[str]) -> None:
    """`textgroup align`."""
    parser = Parser(
        "textgroup align",
        description="Print, for each unit of captions, the object of the image that it refers to, or none: its number, "
        "its centre in per cent of the picture from the left and from the top, and the cosine.",
    )
    options = _parse_options(parser, words)
    import textgroup

    model = textgroup.load(options.checkpoint, encoder=options.encoder, device=options.device)
    aligned = model.align(options.caption, options.image)
    points = model.object_points(options.image)
    for caption, references in zip(options.caption, aligned):
        if options.json:
            units = [
                {**unit._asdict(), "object": number, "point": _point(points, number), "cosines": cosines}
                for unit, number, cosines in references
            ]
            print(json_line({"image": str(options.image), "caption": caption, "units": units}))
            continue
        for unit, number, cosines in references:
            largest = f"{max(cosines):+.3f}" if cosines else f"{'':6}"
            point = _point(points, number)
            at = "" if point is None else f"{100 * point[0]:3.0f}% {100 * point[1]:3.0f}%"
            print(f"{'none' if number is None else f'object {number}':<10} {at:<9}  {largest}  {printable(unit.text)}")


def _point(points: "list[Point | None]", number: int | None) -> "Point | None":
    return None if number is None else points[number]
