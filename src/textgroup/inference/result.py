"""What `segment` gives: the units of one caption, as a list that can be printed, shown in a notebook and handed on."""

from collections.abc import Iterable
from typing import Any

from textgroup.report.inline import units_html
from textgroup.report.terminal import plain_line, units_line
from textgroup.units import Unit


class Units(list[Unit]):
    """The units of a caption, in reading order: a list of `Unit` that knows its caption.

    `print(units)` shows `a man | in | a blue hat`, in a terminal on the colours of the groups, without a colour what
    names nothing. A notebook shows the same as HTML.
    """

    __slots__ = ("caption",)

    def __init__(self, caption: str, units: Iterable[Unit] = ()) -> None:
        super().__init__(units)
        self.caption = caption

    @property
    def phrases(self) -> "Phrases":
        """The units that name something."""
        return Phrases(self.caption, (unit for unit in self if _names_something(unit)))

    def to_dict(self) -> dict[str, Any]:
        """{"caption": text, "units": [{"text", "start", "end", "group", "groundable"}, ...]}, for JSON."""
        return {"caption": self.caption, "units": [unit._asdict() for unit in self]}

    def __str__(self) -> str:
        return units_line(self)

    def __format__(self, spec: str) -> str:
        """The line without colours, wherever it goes: a text that is put together may end in a file."""
        return format(plain_line(self), spec)

    def _repr_html_(self) -> str:
        return units_html(self)


class Phrases(list[Unit]):
    """The units of a caption that name something, in reading order: what an open-vocabulary detector is asked for.

    A phrase that occurs twice is there twice, each with its own characters. Of a model that does not mark what names
    something (`Unit.groundable` is None) it is every unit with a letter or a digit.
    """

    __slots__ = ("caption",)

    def __init__(self, caption: str, phrases: Iterable[Unit] = ()) -> None:
        super().__init__(phrases)
        self.caption = caption

    @property
    def prompt(self) -> str:
        """`a man . a blue hat .`, as Grounding DINO and GLIP read it: in lower case, each phrase ended by a full stop.

        A full stop or question mark inside a phrase, at which they would cut it, is left out. Without phrases: "".
        """
        return " ".join(f"{_prompt_text(unit)} ." for unit in self)

    @property
    def tokens_positive(self) -> list[list[list[int]]]:
        """For each phrase its [[start, end]] in the caption, in characters, as MDETR and GLIP annotations have it."""
        return [[[unit.start, unit.end]] for unit in self]

    @property
    def in_prompt(self) -> list[Unit]:
        """The phrases as they stand in `prompt`, with its characters: for `token_indices` of a detector's tokenizer."""
        placed, start = [], 0
        for unit in self:
            text = _prompt_text(unit)
            placed.append(unit._replace(text=text, start=start, end=start + len(text)))
            start += len(text) + len(" . ")
        return placed

    @property
    def prompt_tokens_positive(self) -> list[list[list[int]]]:
        """`tokens_positive` for a detector that reads `prompt` in place of the caption."""
        return [[[unit.start, unit.end]] for unit in self.in_prompt]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: "caption", "phrases" (texts), "tokens_positive", "prompt", "prompt_tokens_positive"."""
        return {
            "caption": self.caption,
            "phrases": [unit.text for unit in self],
            "tokens_positive": self.tokens_positive,
            "prompt": self.prompt,
            "prompt_tokens_positive": self.prompt_tokens_positive,
        }


def _names_something(unit: Unit) -> bool:
    if unit.groundable is None:
        return any(map(str.isalnum, unit.text))
    return unit.groundable


def _prompt_text(unit: Unit) -> str:
    """Grounding DINO cuts its prompt at full stops and question marks, and wants lower case."""
    return " ".join(unit.text.lower().replace(".", " ").replace("?", " ").split())
