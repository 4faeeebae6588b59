"""What the commands share."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from textgroup.errors import InputError
from textgroup.files import expand_user
from textgroup.report.printable import printable

if TYPE_CHECKING:
    from textgroup.data.sources.count import Count


ASKED = "_ARGCOMPLETE"
"""In the environment when the shell asks what could come next on the line (`completing`)."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `InputError`: one line, exit status 2. Where the shell asks, it says what could
    come next, and ends the process."""

    def parse_args(self, *given: Any, **named: Any) -> Any:
        """See argparse."""
        if ASKED in os.environ:
            from argcomplete import autocomplete

            autocomplete(self)
        return super().parse_args(*given, **named)

    def error(self, message: str) -> NoReturn:
        """Raise `InputError`; where files stand that no option asked for, a pattern was not quoted."""
        raise InputError(f"{message}{quote_hint(message)} (see {self.prog} --help)")


def quote_hint(message: str) -> str:
    """What to do about words that no option takes, if they are files: the shell has expanded a pattern."""
    surplus = message.partition("nrecognized arguments: ")[2].split()
    files = [word for word in surplus if not word.startswith("-") and Path(word).exists()]
    return f": several files after one option; quote the pattern, such as '*{Path(files[0]).suffix}'" if files else ""


def path(text: str) -> Path:
    """The path that an option names, with its `~` in full."""
    try:
        return expand_user(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def column_options(parser: argparse._ActionsContainer, captions: bool = True, strict: bool = True) -> None:
    """The options of a command that reads a table. captions: whether it reads them. strict: whether it counts what is
    left out of a source."""
    parser.add_argument("--image-column", default="image", help="column of a table that names or holds the image")
    if captions:
        parser.add_argument("--caption-column", default="caption", help="column of a table that holds the caption")
    if strict:
        told = "stop at the first thing that would be left out, instead of counting it"
        parser.add_argument("--strict", action="store_true", help=told)


def tell_count(source: str, count: "Count") -> None:
    """What a source ended with, on standard error."""
    print(printable(f"textgroup: {source}: {count.used_in_words()}"), file=sys.stderr)
    for line in count.reasons():
        print(printable(f"textgroup:   skipped {line}"), file=sys.stderr)


def checkpoint_option(parser: argparse._ActionsContainer, packaged: bool = False, more: str = "") -> None:
    """`-c`, the checkpoint that a command uses. packaged: by default the one that comes with the package. more: what
    else it may be."""
    default = " (default: the packaged one)" if packaged else ""
    parser.add_argument("-c", "--checkpoint", help=f"checkpoint or run directory, or Hub name{more}{default}")


def device_option(parser: argparse._ActionsContainer) -> None:
    """`--device`, where the model runs."""
    parser.add_argument("--device", default="cpu", help="cpu or cuda: where the text side runs (default: cpu)")


def check_out(where: Path, *files: str) -> None:
    """Raise `InputError` if `files` cannot be written to the directory `where`: before the work, not after it."""
    nearest = next(path for path in (where, *where.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise InputError(f"--out {where}: {nearest} is a file; give a directory")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"--out {where}: nothing may be written to {nearest}; give another directory")
    for name in files:
        if (where / name).is_dir():
            raise InputError(f"--out {where}: {name} in it is a directory; give another one")
