"""`textgroup ground`: what each unit of a caption means in a photograph."""

import argparse
from collections.abc import Sequence

from textgroup.cli.common import Parser, checkpoint_option, device_option, path
from textgroup.errors import InputError
from textgroup.files import atomic_write
from textgroup.report.printable import json_line, printable


def ground(words: Sequence[str]) -> None:
    """`textgroup ground`."""
    options = _options(words)
    import textgroup
    from textgroup.report.overlay import draw_overlay
    from textgroup.vision.decode import decode

    model = textgroup.load_grounder(options.checkpoint, encoder=options.encoder, device=options.device)
    groundings = model.ground(options.image, options.caption)
    if options.out:
        picture = draw_overlay(decode(options.image), groundings)
        with atomic_write(options.out) as partial:
            picture.save(partial, format="PNG")
    if options.json:
        units = [grounding.to_dict() for grounding in groundings]
        print(json_line({"image": str(options.image), "caption": options.caption, "units": units}))
        return
    for unit, _, point, _, score in groundings:
        at = "nothing" if point is None else f"{100 * point[0]:3.0f}% {100 * point[1]:3.0f}%  {score:+.2f}"
        print(f"{at:<17} {printable(unit.text)}")
    if options.out:
        print(f"{printable(options.out)} shows it (left and top in per cent of the picture, then the cosine)")


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = Parser("textgroup ground", description="Show which part of a photograph each unit of a caption means.")
    parser.add_argument("image", type=path)
    parser.add_argument("caption")
    checkpoint_option(parser, packaged=True)
    device_option(parser)
    parser.add_argument("--encoder", help="where the image encoder lies now, if not where it lay in training")
    parser.add_argument("--out", type=path, metavar="PNG", help="draw the picture with its units there")
    parser.add_argument("--json", action="store_true", help="one JSON object with points, boxes and heat maps")
    options = parser.parse_args(words)
    if not options.caption.strip():
        raise InputError("textgroup ground: the caption is empty: give it at least one word")
    return options
