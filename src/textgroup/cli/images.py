"""`textgroup score` and `textgroup align`: captions against an image."""

import argparse
import json
from collections.abc import Sequence

from textgroup.cli.common import Parser, checkpoint_option, path
from textgroup.errors import InputError


def _parse_options(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """Options of both commands: an image, captions, and the checkpoint that compares them."""
    parser.add_argument("image", type=path)
    parser.add_argument("caption", nargs="+")
    checkpoint_option(parser, packaged=True)
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
    options = _parse_options(parser, words)
    import textgroup

    model = textgroup.load(options.checkpoint, encoder=options.encoder)
    aligned = model.align(options.caption, [options.image] * len(options.caption))
    for caption, references in zip(options.caption, aligned):
        if options.json:
            units = [{**unit._asdict(), "object": number, "cosines": cosines} for unit, number, cosines in references]
            print(json.dumps({"image": str(options.image), "caption": caption, "units": units}, ensure_ascii=False))
            continue
        for unit, number, cosines in references:
            largest = f"{max(cosines):+.3f}" if cosines else f"{'':6}"
            print(f"{'none' if number is None else f'object {number}':<9} {largest}  {unit.text}")
