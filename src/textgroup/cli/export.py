"""`textgroup export`: a checkpoint to share, or as ONNX files."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from textgroup.cli.common import Parser, checkpoint_option, path
from textgroup.errors import InputError
from textgroup.report.printable import one_line, printable


def export(words: Sequence[str]) -> None:
    """`textgroup export`."""
    options = _options(words)
    if options.onnx:
        from textgroup.inference.onnx.write import export_onnx

        notes = export_onnx(options.checkpoint, options.onnx, encoder=options.encoder)
        for file in sorted(options.onnx.iterdir()):
            _tell_size(file)
        for name, note in notes.items():
            print(f"textgroup: {name}: {one_line(note)}", file=sys.stderr)
        return
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
    _tell_size(options.out)


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = Parser(
        "textgroup export",
        description="Write a checkpoint to share, half precision and nothing but weights; or, with --onnx, as ONNX "
        "files for where PyTorch is not installed (docs/onnx.md).",
    )
    checkpoint_option(parser)
    parser.add_argument("--with-encoder", action="store_true", help="write the image encoder beside it, self-contained")
    parser.add_argument("--encoder", help="where the image encoder lies now, if not where it lay in training")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=path, help="directory to make: a checkpoint")
    target.add_argument("--onnx", type=path, metavar="DIR", help="directory to make: ONNX files (-c: default packaged)")
    card = parser.add_argument_group("model card", "README.md of the directory, as the Hub shows it")
    card.add_argument("--name", help="of the model (default: the directory's)")
    card.add_argument(
        "--evaluation", action="append", type=path, default=[], metavar="DIR", help="what evaluate wrote; repeat it"
    )
    card.add_argument("--license", help="of the weights, as the Hub names it, such as apache-2.0")
    card.add_argument("--language", action="append", default=[], help="code, such as en; repeat it")
    card.add_argument("--data", action="append", default=[], help="training data and its licence, in words; repeat it")
    card.add_argument("--limit", action="append", default=[], help="what the model cannot do, in words; repeat it")
    options = parser.parse_args(words)
    if options.out and options.checkpoint is None:
        raise InputError("textgroup export: give -c, the checkpoint or run to export")
    if options.onnx and options.with_encoder:
        raise InputError("textgroup export: --with-encoder goes with --out; --onnx writes what the checkpoint has")
    return options


def _tell_size(written: Path) -> None:
    files = [written] if written.is_file() else [file for file in written.rglob("*") if file.is_file()]
    print(f"{printable(written)}: {sum(file.stat().st_size for file in files) / 1e6:.1f} MB")
