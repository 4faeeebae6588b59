"""The command line: parses, calls, prints. Bad input is one line on standard error and exit status 2."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

from textgroup.errors import InputError
from textgroup.files import replacing
from textgroup.units import Unit

if TYPE_CHECKING:
    from textgroup.inference import TextGroup

LONGEST_LINE = 1_000_000
"""Characters of a line that `segment --file` reads: a file without line ends must not fill the memory."""

HELP = """\
textgroup: the units of a caption, grounded in the picture (arXiv 2511.11262).

  textgroup demo                                        see it work: train, segment, report.html
  textgroup segment -c RUN "A man in a blue hat ..."    the units of captions
  textgroup score -c RUN IMAGE CAPTION [CAPTION ...]    rank captions for an image
  textgroup features --images DATA --encoder NAME --out DIR   encode a data set's images once
  textgroup train --config configs/NAME.yaml            train (any field: --optim.lr 1e-3)
  textgroup evaluate retrieval -c RUN --captions DATA --features DIR   recall at 1, 5, 10

Each one has --help. Documentation: README.md and docs/.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def _checkpoint_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--checkpoint", required=True, help="checkpoint or run directory, or Hub name")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0, 2 for bad input, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands = {
        "demo": demo,
        "segment": segment,
        "score": score,
        "features": features,
        "train": train,
        "evaluate": evaluate,
    }
    try:
        if not words or words[0] in ("-h", "--help"):
            print(HELP, end="")
            return 0
        if words[0] == "--version":
            from importlib.metadata import version

            print(f"textgroup {version('textgroup')}")
            return 0
        if words[0] not in commands:
            raise InputError(f"no command {words[0]!r}: there are {', '.join(commands)}")
        commands[words[0]](words[1:])
    except InputError as error:
        print(f"textgroup: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:  # no permission, no space, no such directory
        print(f"textgroup: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("textgroup: interrupted", file=sys.stderr)
        return 130
    return 0


def demo(words: Sequence[str]) -> None:
    """`textgroup demo`."""
    parser = _Parser(
        "textgroup demo", description="Train on generated scenes, segment held-out captions, write a report."
    )
    parser.add_argument("--out", type=Path, default=Path("report.html"), help="the report (default: report.html)")
    parser.add_argument(
        "--steps", type=int, help="training steps a model, instead of the configuration's (a quick look)"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(words)
    from textgroup.demo import run_demo

    run_demo(options.out, steps=options.steps, seed=options.seed)


def segment(words: Sequence[str]) -> None:
    """`textgroup segment`."""
    parser = _Parser("textgroup segment", description="Print the units of captions.")
    parser.add_argument("caption", nargs="*", help="captions, each one argument")
    _checkpoint_option(parser)
    parser.add_argument("--file", type=Path, help="captions from a text file, one a line ('-': standard input)")
    parser.add_argument("--out", type=Path, help="write JSON lines there instead of printing")
    parser.add_argument("--json", action="store_true", help="JSON lines, for machines")
    options = parser.parse_args(words)
    if bool(options.caption) == bool(options.file):
        raise InputError("textgroup segment: give captions or --file, one of the two")
    for caption in options.caption:
        if not caption.strip():
            raise InputError("textgroup segment: a caption is empty: give it at least one word")
    if options.file and str(options.file) != "-" and not options.file.is_file():
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
    from textgroup.report.terminal import coloured, counted

    if options.out:
        with replacing(options.out) as partial, partial.open("w", encoding="utf-8") as out:
            blank = sum(_json_line(out, *pair) for pair in counted(_paired(model, captions), "captions"))
    elif options.json or (not sys.stdout.isatty() and options.file):
        blank = sum(_json_line(sys.stdout, *pair) for pair in _paired(model, captions))
    else:
        blank = 0
        for caption, units in _paired(model, captions):
            blank += not units
            print(coloured(caption, units))
    if blank:
        print(f"textgroup: {blank} empty lines have no units", file=sys.stderr)


def _paired(model: "TextGroup", captions: Iterable[str]) -> Iterable[tuple[str, list[Unit]]]:
    """Each caption with its units, in step, holding no more than the model's window."""
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


def score(words: Sequence[str]) -> None:
    """`textgroup score`."""
    parser = _Parser("textgroup score", description="Rank captions for an image by the cosine of pooled embeddings.")
    parser.add_argument("image", type=Path)
    parser.add_argument("caption", nargs="+")
    _checkpoint_option(parser)
    parser.add_argument("--encoder", help="where the image encoder lies now, if not where it lay in training")
    parser.add_argument("--json", action="store_true", help="one JSON object, for machines")
    options = parser.parse_args(words)
    if any(not caption.strip() for caption in options.caption):
        raise InputError("textgroup score: a caption is empty: give it at least one word")
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


def features(words: Sequence[str]) -> None:
    """`textgroup features`."""
    parser = _Parser("textgroup features", description="Encode the images of a data set once, for ever.")
    parser.add_argument(
        "--images",
        required=True,
        help="tar shards (file, directory, pattern), a directory of images, or a table",
    )
    parser.add_argument("--encoder", required=True, help="groupvit[:WHERE] or backbone:WHERE (directory or Hub name)")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="the feature store; the same command goes on with one half done",
    )
    parser.add_argument("--groups", action="store_true", help="also store every object group, not only their mean")
    parser.add_argument("--resize", type=int, help="shorter side before the centre crop, instead of the encoder's")
    parser.add_argument("--image-column", default="image", help="column of a table that names the image")
    parser.add_argument("--batch-size", type=int, help="images encoded at once (default: 4 on a CPU, 256 on a GPU)")
    options = parser.parse_args(words)
    from textgroup.data.samples import read_samples
    from textgroup.report.terminal import progress_bar
    from textgroup.vision.features import encode_features
    from textgroup.vision.objects import open_encoder

    encoder = open_encoder(options.encoder, resize=options.resize)
    samples = read_samples(options.images, image_column=options.image_column, captions=False)
    with progress_bar("images", None) as advance:
        manifest = encode_features(
            samples,
            encoder,
            options.out,
            source=options.images,
            groups=options.groups,
            batch_size=options.batch_size,
            progress=lambda done, skipped: advance(done, f"{skipped} skipped"),
        )
    print(f"{options.out}: {manifest.images} images, {manifest.width} wide, {len(manifest.skipped)} skipped")
    for skipped in manifest.skipped[:10]:
        print(f"  skipped {skipped.key}: {skipped.reason}")


def train(words: Sequence[str]) -> None:
    """`textgroup train`."""
    from textgroup.config import load_run, run_parser

    if not words or {"-h", "--help"} & set(words):
        run_parser().print_help()
        print("\nOwn options: --resume (go on from the newest checkpoint), --device NAME (cpu, cuda)")
        return
    own = _Parser("textgroup train", add_help=False, allow_abbrev=False)
    own.add_argument("--resume", action="store_true")
    own.add_argument("--device")
    options, rest = own.parse_known_args(words)
    config = load_run(rest)
    from textgroup.report.terminal import training_bar
    from textgroup.training.inputs import read_inputs
    from textgroup.training.progress import shown_on
    from textgroup.training.trainer import Stopped
    from textgroup.training.trainer import train as run

    inputs = read_inputs(config)
    try:
        with training_bar(config.out) as bar:
            run(config, inputs, resume=options.resume, device=options.device, progress=shown_on(bar))
    except Stopped as stopped:
        print(f"textgroup: {stopped}")
        return
    print(f'trained: {config.out}/last   (textgroup segment -c {config.out} "...")')


def evaluate(words: Sequence[str]) -> None:
    """`textgroup evaluate`."""
    if not words or words[0] != "retrieval":
        raise InputError("textgroup evaluate: give what to evaluate: retrieval")
    parser = _Parser("textgroup evaluate retrieval", description="Recall at 1, 5, 10 and median rank, both directions.")
    _checkpoint_option(parser)
    parser.add_argument("--captions", required=True, help="captions with their images' keys, as for training")
    parser.add_argument("--features", type=Path, required=True, help="feature store of the images")
    parser.add_argument("--first", type=int, help="use only the first N captions of each image")
    parser.add_argument("--json", action="store_true", help="one JSON object, for machines")
    options = parser.parse_args(words[1:])
    if options.first is not None and options.first < 1:
        raise InputError(f"--first {options.first}: give at least 1")
    from dataclasses import asdict

    from textgroup.evaluation.retrieval import evaluate as run
    from textgroup.model.pretrained import load_model
    from textgroup.report.terminal import table
    from textgroup.training.inputs import read_pairs

    model, tokenizer = load_model(options.checkpoint)
    found = run(model, read_pairs(options.captions, options.features, tokenizer, model.image_encoder), options.first)
    if options.json:
        print(json.dumps(asdict(found)))
        return
    rows = [
        (name, f"{recall.r1:.1f}", f"{recall.r5:.1f}", f"{recall.r10:.1f}", f"{recall.median_rank:.0f}")
        for name, recall in (("image to text", found.image_to_text), ("text to image", found.text_to_image))
    ]
    title = f"{found.images:,} images, {found.captions:,} captions (chance R@1, text to image: {found.chance_r1:.1f})"
    table(title, ("", "R@1", "R@5", "R@10", "median rank"), rows)
