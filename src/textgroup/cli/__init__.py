"""The command line: parses, calls, prints. Bad input is one line on standard error and exit status 2."""

import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TextIO

from textgroup.cli.app import app
from textgroup.cli.common import ASKED
from textgroup.cli.demo import demo
from textgroup.cli.evaluate import BENCHMARKS, evaluate
from textgroup.cli.export import export
from textgroup.cli.features import features
from textgroup.cli.ground import ground
from textgroup.cli.images import align, score
from textgroup.cli.report import report
from textgroup.cli.reproduce import reproduce
from textgroup.cli.segment import segment
from textgroup.cli.train import train
from textgroup.errors import InputError
from textgroup.report.printable import one_line

HELP = """\
textgroup: the units of a caption, grounded in the picture (arXiv 2511.11262).

  textgroup demo                                        see it work: train, segment, report.html
  textgroup app                                         a web page to look at captions on pictures
  textgroup segment "A man in a blue hat ..."           the units of captions (-c RUN: by a model of your own)
  textgroup score IMAGE CAPTION [CAPTION ...]           rank captions for an image
  textgroup align IMAGE CAPTION [CAPTION ...]           the object of the image that each unit refers to
  textgroup ground IMAGE CAPTION --out PICTURE.png      the part of the image that each unit means
  textgroup features --images DATA --encoder NAME --out DIR   encode a data set's images once
  textgroup export -c RUN --out DIR                     a checkpoint to share (--onnx DIR: without PyTorch)
  textgroup train --config NAME                         train (any field: --optim.lr 1e-3)
  textgroup evaluate phrases --annotations DIR --segmenter model:RUN   units against gold phrases
  textgroup evaluate grounding --annotations DIR --images DATA --model model:RUN --out DIR   units against boxes
  textgroup evaluate ranking --probe KIND:PATH --images DATA --model model:RUN --out DIR   captions against foils
  textgroup evaluate retrieval -c RUN --captions DATA --features DIR   recall at 1, 5, 10
  textgroup report RUN_OR_RESULTS --out FILE.html       a run, or what evaluate wrote, as one page
  textgroup reproduce all --scale scenes --out DIR      the tables and figures of the paper, with error bars

Each one has --help. Documentation: README.md and docs/.
"""

COMMANDS = {
    "demo": demo,
    "app": app,
    "segment": segment,
    "score": score,
    "align": align,
    "ground": ground,
    "export": export,
    "features": features,
    "train": train,
    "evaluate": evaluate,
    "report": report,
    "reproduce": reproduce,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0, 2 for bad input, 130 when interrupted."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without a caption's letters shows their codes
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # of a damaged image, which is read or skipped with a reason
        warnings.showwarning = _show_warning
        if ASKED in os.environ and arguments is None:
            from textgroup.cli.completing import complete

            complete(COMMANDS, BENCHMARKS)
            return 0
        return _run(list(sys.argv[1:] if arguments is None else arguments))


def _run(words: list[str]) -> int:
    try:
        if not words or words[0] in ("-h", "--help"):
            print(HELP, end="")
            return 0
        if words[0] == "--version":
            from importlib.metadata import version

            print(f"textgroup {version('textgroup')}")
            return 0
        if words[0] not in COMMANDS:
            raise InputError(f"no command {words[0]!r}: there are {', '.join(COMMANDS)}")
        COMMANDS[words[0]](words[1:])
    except InputError as error:
        print(f"textgroup: {one_line(_message(error, words[0]))}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "textgroup":
            raise  # a fault of ours
        print(
            f"textgroup: textgroup {words[0]} needs {error.name}, which is not installed: pip install textgroup",
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:  # no permission, no space, no such directory
        what = f"{error.filename or 'the system'}: {error.strerror or error}"
        print(f"textgroup: {one_line(what)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("textgroup: interrupted", file=sys.stderr)
        return 130
    return 0


def _message(error: InputError, command: str) -> str:
    """The message; of a wrong column, with the option of this command that names the right one."""
    kind = getattr(error, "kind", None)
    if kind is None:
        return str(error)
    return str(error).replace(f"{kind}_column", f"--data.{kind}_column" if command == "train" else f"--{kind}-column")


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """A warning as one line, without the line of code."""
    print(f"textgroup: {one_line(message)}", file=sys.stderr)
