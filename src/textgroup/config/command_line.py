"""A run's configuration from YAML files and command-line options, and back to YAML."""

import re
from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import yaml

from textgroup.config.files import check_config_files
from textgroup.config.run import RunConfig
from textgroup.errors import InputError
from textgroup.files import local_or_hub

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

KINDS = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "NoneType": "null"}
LONGEST = 300
"""Characters of the parser's own messages."""
SHIPPED = Path(__file__).parent / "shipped"
"""The configurations that come with the package."""


def run_parser(prog: str = "textgroup train") -> "ArgumentParser":
    """The command-line parser of a `RunConfig`: `--config FILE` and one `--option` a field."""
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = ArgumentParser(prog=prog, exit_on_error=False, description=RunConfig.__doc__)
    parser.add_argument(
        "--config",
        action="config",
        help="YAML file, or the name of one that comes with textgroup; what follows on the line overrides it.",
    )
    parser.add_class_arguments(RunConfig, None)
    return parser


def load_run(arguments: Sequence[str]) -> RunConfig:
    """A run from command-line words, such as ["--config", "paper", "--optim.lr", "1e-3"]. Raises `InputError`."""
    from jsonargparse import ArgumentError

    words = _normalised(arguments)
    check_config_files(words)
    parser = run_parser()
    try:
        parsed = parser.parse_args(words)
        parsed.pop("config", None)
        _require_sections(RunConfig, parsed)
        return _with_home(RunConfig(**parser.instantiate(parsed).as_dict()))
    except (ArgumentError, TypeError, ValueError, ArithmeticError) as error:
        cause = error if isinstance(error, InputError) else error.__cause__  # a check of ours, wrapped by the parser
        raise InputError(str(cause) if isinstance(cause, InputError) else _shortened(str(error))) from None


def _require_sections(kind: Any, parsed: Any, prefix: str = "") -> None:
    """Raise `InputError` for a section that is null, as one of YAML is whose fields are all commented out."""
    kinds = get_type_hints(kind)
    for name in (field.name for field in fields(kind) if is_dataclass(kinds[field.name])):
        if parsed[name] is None:
            raise InputError(f"{prefix}{name} is null: give some of its fields, or leave it out")
        _require_sections(kinds[name], parsed[name], f"{prefix}{name}.")


def _shortened(message: str) -> str:
    """The parser's message in one line: the field, what it must be, and its value, where it says these."""
    text = " ".join(message.split())
    names, wanted = re.findall(r'Parser key "([^"]+)"', text), re.findall(r"Expected a <class '(\w+)'>", text)
    value = re.search(r"(?:Got|Given) value: (.{1,40})", text)
    if not (names and wanted and value):
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    if len(names) > 1 and wanted[-1] == "NoneType":  # of a group of fields that may be null
        wanted = wanted[:-1]
    in_order = sorted(dict.fromkeys(wanted), key="NoneType".__eq__)  # null last: versions of the parser differ
    kinds = " or ".join(KINDS.get(kind, kind) for kind in in_order)
    return f"{'.'.join(names)} must be {kinds}, not {value[1].split(' - Expected')[0]}"


def _normalised(arguments: Sequence[str]) -> list[str]:
    """The words, with the file of a shipped configuration in place of its name, and fields spelt with underscores:
    `--data.image-column` is `--data.image_column`, as the other commands have dashes."""
    words: list[str] = []
    for word in arguments:
        option, equals, value = word.partition("=")
        if word.startswith("--"):
            option = "--" + option[2:].replace("-", "_")
            words.append(option + equals + (_config_file(value) if equals and option == "--config" else value))
        else:
            words.append(_config_file(word) if words and words[-1] == "--config" else word)
    return words


def _config_file(name: str) -> str:
    """The file that `--config` names, or the shipped configuration. Raises `InputError` if there is neither."""
    if Path(name).exists() and not Path(name).is_dir():
        return name
    shipped = {file.stem: file for folder in (SHIPPED / "variants", SHIPPED) for file in folder.glob("*.yaml")}
    if name in shipped:
        return str(shipped[name])
    names = ", ".join(sorted(shipped))
    raise InputError(f"--config {name}: there is no such file; the configurations that come with textgroup are {names}")


def _with_home(config: RunConfig) -> RunConfig:
    """The run with the `~` of its paths in full; sources are expanded where they are read."""

    def full(where: str | None) -> str | None:
        kind, colon, path = (where or "").rpartition(":")  # as in backbone:~/weights
        return where if where is None else kind + colon + local_or_hub(path)

    data = config.data
    return replace(
        config,
        out=local_or_hub(config.out),
        image_encoder=full(config.image_encoder),
        router=full(config.router),
        tokenizer=replace(config.tokenizer, source=full(config.tokenizer.source)),
        data=replace(
            data, features=full(data.features), val_features=full(data.val_features), tokens=full(data.tokens)
        ),
    )


def save_run(config: RunConfig, path: Path) -> None:
    """Write a run as YAML that `--config` reads back."""
    path.write_text(yaml.safe_dump(to_dict(config), sort_keys=False), encoding="utf-8")


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration as plain dicts, lists and numbers."""
    return {name: _tuples_as_lists(value) for name, value in asdict(config).items()}


def _tuples_as_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tuples_as_lists(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value
