"""`textgroup export`: a checkpoint to share."""

from collections.abc import Sequence
from pathlib import Path

from textgroup.cli.common import Parser, checkpoint_option


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
