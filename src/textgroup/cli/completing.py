"""What Tab offers: commands, options, files. argcomplete's function in the shell asks the command itself."""

import os
from collections.abc import Callable, Mapping, Sequence

from textgroup.cli.common import ASKED, Parser

Command = Callable[[Sequence[str]], None]


def complete(commands: Mapping[str, Command], benchmarks: Mapping[str, Command]) -> None:
    """Answer the shell. A parser that answers ends the process, so a command does nothing else.

    benchmarks: the commands of `textgroup evaluate`.
    """
    from argcomplete.lexers import split_line

    *_, words, _ = split_line(os.environ["COMP_LINE"], int(os.environ["COMP_POINT"]))  # up to the one in question
    depth, table = (2, benchmarks) if words[1:2] == ["evaluate"] else (1, commands)
    command = words[depth] if len(words) > depth else None
    os.environ[ASKED] = str(depth if command is None else depth + 1)  # from which word on the parser reads
    if command is None:
        parser = Parser(add_help=False)
        parser.add_argument("command", choices=table)
        parser.parse_args([])
    elif command == "train":
        _train_parser().parse_args([])
    elif command in table:
        table[command]([])


def _train_parser() -> Parser:
    """The options of `textgroup train`, by name: the parser that reads them (jsonargparse) is slow to import and
    build."""
    from argcomplete.completers import FilesCompleter

    from textgroup.config.command_line import SHIPPED
    from textgroup.config.help import field_names

    def configurations(prefix: str, **_: object) -> list[str]:
        return [*(file.stem for file in SHIPPED.rglob("*.yaml")), *FilesCompleter(("yaml",))(prefix)]

    parser = Parser()
    parser.add_argument("--config").completer = configurations  # type: ignore[attr-defined]
    parser.add_argument("--resume", action="store_true")
    for name in ("device", *field_names()):
        parser.add_argument(f"--{name}")
    return parser
