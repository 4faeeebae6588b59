"""The forms in which `textgroup segment` gives the units of a caption: one line each."""

import json
from collections.abc import Callable

from textgroup.inference.result import Units
from textgroup.report.terminal import one_line, plain_line


def coloured(units: Units) -> str:
    """`line` on a terminal: each unit on a colour, those that name nothing on none."""
    return str(units)


def line(units: Units) -> str:
    """`a man | in | a blue hat`."""
    return plain_line(units)


def marked(units: Units) -> str:
    """`[a man] | in | [a blue hat]`: what names something in brackets."""
    named = (one_line(unit.text) if unit.groundable is False else f"[{one_line(unit.text)}]" for unit in units)
    return " | ".join(named)


def phrases(units: Units) -> str:
    """`a man . a blue hat .`: the prompt of an open-vocabulary detector."""
    return units.phrases.prompt


def tokens_positive(units: Units) -> str:
    """The phrases with their characters in the caption, as annotations have them: JSON."""
    return json.dumps(units.phrases.to_dict(), ensure_ascii=False)


def units_json(units: Units) -> str:
    """Every unit with its characters, group and mark: JSON."""
    return json.dumps(units.to_dict(), ensure_ascii=False)


FORMS: dict[str, Callable[[Units], str]] = {
    "line": line,
    "marked": marked,
    "phrases": phrases,
    "tokens-positive": tokens_positive,
    "json": units_json,
}
"""What `--format` takes."""
