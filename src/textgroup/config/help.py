"""`textgroup train --help`: the groups of fields with a line each, and the fields of a group in full."""

import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any, NamedTuple, get_args, get_type_hints

from textgroup.config.run import RunConfig
from textgroup.errors import InputError

OVERVIEW = """\
usage: textgroup train --config FILE [--FIELD VALUE ...] [--resume] [--device NAME]

Train a model as FILE says: YAML, or the name of a configuration that comes with textgroup, such as units or
flickr8k. A field on the command line overrides the file's: --optim.lr 1e-3; dashes do for underscores. A run writes
its configuration, log and checkpoints into the directory `out`.

  --resume        go on from the newest checkpoint of the run
  --device NAME   cpu or cuda (default: a GPU if there is one)
  --print_config  print every field as YAML, after the file and the command line, and exit
  --help NAME     the fields of a group (--help loss), or one field (--help loss.written), in full
"""
SEVERAL = "Several GPUs or machines: torchrun --nproc-per-node N --no-python textgroup train ... (docs/scaling.md)\n"
RUN = "run"
"""Name of the group of fields that stand by themselves."""


class Option(NamedTuple):
    """A field as the command line has it. values: its type in words. default: as YAML would have it."""

    name: str
    values: str
    default: str
    text: str


class Group(NamedTuple):
    """A configuration class: its dotted name, the first sentence of its docstring, and its fields."""

    name: str
    summary: str
    options: list[Option]


def train_help(name: str | None = None) -> str:
    """The overview, or the fields of the group or the field `name`. Raises `InputError` for an unknown name."""
    groups = list(_groups(RunConfig, ""))
    if name is None:
        rows = [
            (f"{group.name:<15} {group.summary}", ", ".join(_short_name(group, o) for o in group.options))
            for group in groups
        ]
        listed = "".join(f"  {head}\n{_wrapped(names, 18)}\n" for head, names in rows)
        return f"{OVERVIEW}\nGroups of fields:\n\n{listed}\n{SEVERAL}"
    chosen = [group for group in groups if group.name == name or group.name.startswith(f"{name}.")]
    options = [option for group in chosen for option in group.options]
    options = options or [option for group in groups for option in group.options if option.name == name]
    if not options:
        raise InputError(
            f"--help {name}: there is no such field; groups are {', '.join(group.name for group in groups)}"
        )
    head = f"{chosen[0].summary}\n\n" if chosen else ""
    return (
        head
        + "\n".join(
            f"  --{option.name} {option.values}   (default: {option.default})\n{_wrapped(option.text, 6)}"
            for option in options
        )
        + "\n"
    )


def field_names() -> list[str]:
    """Every field as the command line has it, such as `optim.lr`."""
    return [option.name for group in _groups(RunConfig, "") for option in group.options]


def _groups(kind: type[Any], prefix: str) -> Iterator[Group]:
    """A configuration class and those inside it, in the order of the fields."""
    from docstring_parser import parse_from_object

    parsed = parse_from_object(kind)
    text = {parameter.arg_name: " ".join((parameter.description or "").split()) for parameter in parsed.params}
    inner: list[Group] = []
    options = []
    for field in fields(kind):
        hint = get_type_hints(kind)[field.name]
        nested = next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind)), None)
        if nested is not None:
            inner += _groups(nested, f"{prefix}{field.name}.")  # type: ignore[arg-type]
        else:
            options.append(Option(prefix + field.name, _values_in_words(hint), _default(field), text[field.name]))
    yield Group(prefix.rstrip(".") or RUN, parsed.short_description or "", options)
    yield from inner


def _short_name(group: Group, option: Option) -> str:
    """The field's name within its group."""
    return option.name.removeprefix(f"{group.name}.")


def _values_in_words(hint: Any) -> str:
    """A type in words: NUMBER, TEXT, or the values to choose from."""
    names = {int: "WHOLE", float: "NUMBER", str: "TEXT", bool: "true|false", type(None): "null", ...: "..."}
    if hint in names:
        return names[hint]
    if isinstance(hint, str):
        return hint
    arguments = list(dict.fromkeys(_values_in_words(argument) for argument in get_args(hint)))
    origin = getattr(hint, "__origin__", None)
    return f"[{','.join(arguments)}]" if origin in (list, tuple) else "|".join(arguments)


def _default(field: "Field[Any]") -> str:
    """As YAML has it. Fields that are no configurations have plain defaults."""
    if isinstance(field.default, tuple):
        return f"[{', '.join(map(str, field.default))}]"
    words = {"None": "null", "True": "true", "False": "false"}
    return words.get(str(field.default), str(field.default))


def _wrapped(text: str, indent: int) -> str:
    width = min(110, max(60, shutil.get_terminal_size().columns))
    return textwrap.fill(text, width, initial_indent=" " * indent, subsequent_indent=" " * indent)
