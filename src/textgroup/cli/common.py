"""What the commands share."""

import argparse
import os
from pathlib import Path
from typing import NoReturn

from textgroup.errors import InputError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `InputError`: one line, exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Raise `InputError`."""
        raise InputError(f"{message} (see {self.prog} --help)")


def checkpoint_option(parser: argparse._ActionsContainer, packaged: bool = False) -> None:
    """`-c`, the checkpoint that a command uses. packaged: by default the one that comes with the package."""
    default = " (default: the packaged one)" if packaged else ""
    parser.add_argument("-c", "--checkpoint", help=f"checkpoint or run directory, or Hub name{default}")


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
