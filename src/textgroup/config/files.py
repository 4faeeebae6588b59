"""Configuration files of strangers: looked at before the parser of the command line takes them."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from textgroup.errors import InputError

LONGEST, DEEPEST = 1 << 18, 20
"""Bytes of a file, and levels in it; a configuration has 3 KB and 4 levels."""


def check_config_files(arguments: Sequence[str]) -> None:
    """Raise `InputError` for a file named by `--config` that would fill the memory or exhaust the parser's stack."""
    for word, following in zip(arguments, [*arguments[1:], ""]):
        name, given, value = word.partition("=")
        if name == "--config":
            check_config_file(value if given else following)


def check_config_file(name: str) -> None:
    """Raise `InputError` for nesting without end, and for aliases: a few lines of them stand for a billion values.

    What is missing is left to the parser to tell.
    """
    path = Path(name)
    if not path.exists():
        return
    if not path.is_file():
        raise InputError(f"--config {name}: not a file")
    if (size := path.stat().st_size) > LONGEST:
        raise InputError(f"--config {name}: {size:,} bytes; a configuration has {LONGEST:,} at most")
    depth = 0
    try:
        with path.open("rb") as file:
            for event in yaml.parse(file, yaml.SafeLoader):
                if isinstance(event, yaml.AliasEvent):
                    raise InputError(f"--config {name}: it has an alias (*{event.anchor}): write the value out")
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > DEEPEST:
                    raise InputError(f"--config {name}: nested too deep: it is damaged, or made to do harm")
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"--config {name}: not YAML: {' '.join(str(error).split())[:160]}") from None
