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
    card = parser.add_argument_group("model card", "README.md of the directory, as the Hub shows it")
    card.add_argument("--name", help="of the model (default: the directory's)")
    card.add_argument(
        "--evaluation",
        action="append",
        type=path,
        default=[],
        metavar="DIR",
        help="what evaluate wrote; repeat it",
    )
    card.add_argument("--license", help="of the weights, as the Hub names it, such as apache-2.0")
    card.add_argument("--language", action="append", default=[], help="code, such as en; repeat it")
    card.add_argument("--data", action="append", default=[], help="training data and its licence, in words; repeat it")
    card.add_argument("--limit", action="append", default=[], help="what the model cannot do, in words; repeat it")
    options = parser.parse_args(words)
    if options.checkpoint is None:
        raise InputError("textgroup export: give -c, the checkpoint or run to export")
    from textgroup.evaluation.card import Facts, model_card
    from textgroup.inference.export import export as write

    facts = Facts(options.license, options.language, options.data, options.limit)
    name = options.name or options.out.absolute().name
    write(
        options.checkpoint,
        options.out,
        with_encoder=options.with_encoder,
        encoder=options.encoder,
        card=lambda model: model_card(name, model, facts, options.evaluation),
    )
    size = sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file())
    print(f"{printable(options.out)}: {size / 1e6:.1f} MB")
