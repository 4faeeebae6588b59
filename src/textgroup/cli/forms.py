"""The forms in which `textgroup segment` gives the units of a caption: one line each."""

from collections.abc import Callable

from textgroup.inference.result import Units
from textgroup.report.printable import json_line, one_line, printable
from textgroup.report.terminal import plain_line

HELP = """\
formats, one line a caption, the same on a terminal and off it but for colour:
  line              a man | in | a blue hat            (on a terminal, what names something is in colour)
  marked            [a man] | in | [a blue hat]        what names something is in brackets
  phrases           a man . a blue hat .               a prompt for Grounding DINO or GLIP: only what names something
  tokens-positive   {"caption", "phrases", "tokens_positive": [[[0, 5]], [[9, 19]]], ...}   the phrases with their
                    characters, as MDETR and GLIP annotations have them; each occurrence its own
  json              {"caption", "units": [{"text", "start", "end", "group", "groundable"}, ...]}
of a table, tar or folder, JSON begins with "key": the name of the image, or the number of the row where there is none
"""


def marked(units: Units) -> str:
    """`[a man] | in | [a blue hat]`: what names something in brackets."""
    named = (one_line(unit.text) if unit.groundable is False else f"[{one_line(unit.text)}]" for unit in units)
    return " | ".join(named)


def phrases(units: Units) -> str:
    """`a man . a blue hat .`: the prompt of an open-vocabulary detector."""
    return printable(units.phrases.prompt)


def tokens_positive(units: Units) -> str:
    """The phrases with their characters in the caption, as annotations have them: JSON."""
    return json_line(units.phrases.to_dict())


def units_json(units: Units) -> str:
    """Every unit with its characters, group and mark: JSON."""
    return json_line(units.to_dict())


FORMS: dict[str, Callable[[Units], str]] = {
    "line": plain_line,
    "marked": marked,
    "phrases": phrases,
    "tokens-positive": tokens_positive,
    "json": units_json,
}
"""What `--format` takes. On a terminal `line` is `report.terminal.units_line`."""
