"""What the commands share."""

import argparse
from typing import NoReturn

from textgroup.errors import InputError


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are bad input like any other: one line, exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Raise `InputError`."""
        raise InputError(f"{message} (see {self.prog} --help)")


def checkpoint_option(parser: argparse._ActionsContainer, required: bool = True) -> None:
    """`-c`, the checkpoint that a command uses."""
    parser.add_argument("-c", "--checkpoint", required=required, help="checkpoint or run directory, or Hub name")
