"""`textgroup export`: a checkpoint to share."""

from collections.abc import Sequence

from textgroup.cli.common import Parser, checkpoint_option, path
from textgroup.errors import InputError
from textgroup.report.printable import printable


def export(words: Sequence[str]) -> None:
    """`textgroup export`."""
    parser = Parser("textgroup export", description="Write a checkpoint to share: half precision, nothing but weights.")
    checkpoint_option(parser)
    parser.add_argument("--with-encoder", action="store_true", help="write the image encoder beside it, self-contained")
    parser.add_argument("--encoder", help="where the image encoder lies now, if not where it lay in training")
    parser.add_argument("--out", type=path, required=True, help="directory to make")
    options = parser.parse_args(words)
    if options.checkpoint is None:
        raise InputError("textgroup export: give -c, the checkpoint or run to export")
    from textgroup.inference.export import export as write

    write(options.checkpoint, options.out, with_encoder=options.with_encoder, encoder=options.encoder)
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    print(f"{printable(options.out)}: {size / 1e6:.1f} MB")
