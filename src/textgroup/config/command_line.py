"""A run's configuration from YAML files and command-line options, and back to YAML."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from textgroup.config.run import RunConfig
from textgroup.errors import InputError
from textgroup.files import local_or_hub

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

SHIPPED = Path(__file__).parent / "shipped"
"""The configurations that come with the package."""


def run_parser(prog: str = "textgroup train") -> "ArgumentParser":
    """The command-line parser of a `RunConfig`: `--config FILE` and one `--option` a field."""
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    parser = ArgumentParser(prog=prog, exit_on_error=False, description=RunConfig.__doc__)
    parser.add_argument("--config", action="config", help="YAML file; what follows on the line overrides it.")
    parser.add_class_arguments(RunConfig, None)
    return parser


def load_run(arguments: Sequence[str]) -> RunConfig:
    """A run from command-line words, such as ["--config", "configs/paper.yaml", "--optim.lr", "1e-3"]."""
    from jsonargparse import ArgumentError

    parser = run_parser()
    try:
        parsed = parser.parse_args(list(arguments))
        parsed.pop("config", None)
        return _with_home(RunConfig(**parser.instantiate(parsed).as_dict()))
    except (ArgumentError, TypeError, ValueError) as error:
        cause = error if isinstance(error, InputError) else error.__cause__  # a check of ours, wrapped by the parser
        raise InputError(" ".join(str(cause if isinstance(cause, InputError) else error).split())) from None


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
