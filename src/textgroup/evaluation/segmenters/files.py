"""Units from a file as a segmenter, so that other people's output stands in our tables."""

import json
from collections.abc import Sequence
from typing import Any

from textgroup.data.sources.lines import numbered_lines
from textgroup.errors import InputError
from textgroup.evaluation.segmenters.request import Request
from textgroup.files import expand_user
from textgroup.units import Segmenter, Unit


def open_file(request: Request) -> Segmenter:
    """`file:UNITS.jsonl`: a line {"caption": ..., "units": [{"start": ..., "end": ...}, ...]} a caption."""
    path = expand_user(request.value)
    if not path.is_file():
        raise InputError(f"segmenter file:{path}: there is no such file")
    units_of: dict[str, list[Unit]] = {}
    for number, line in numbered_lines(path):
        if line.strip():
            caption, units = _parse_line(f"{path}:{number}", line)
            units_of[caption] = units

    def segment(captions: Sequence[str]) -> list[list[Unit]]:
        for caption in captions:
            if caption not in units_of:
                raise InputError(f"{path} has no line for the caption {caption[:60]!r}: every caption needs one")
        return [units_of[caption] for caption in captions]

    return segment


def _parse_line(where: str, line: str) -> tuple[str, list[Unit]]:
    try:
        record: Any = json.loads(line)
        caption, units = record["caption"], record["units"]
        if not isinstance(caption, str):
            raise TypeError("a caption is text")
        groups = [u["group"] for u in units] if any("group" in u for u in units) else range(len(units))
        parsed = [
            Unit(caption[u["start"] : u["end"]], u["start"], u["end"], group, u.get("groundable"))
            for u, group in zip(units, groups)
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f'{where}: not {{"caption": "...", "units": [{{"start": 0, "end": 5}}, ...]}} in one line'
        ) from None
    for unit in parsed:
        if not 0 <= unit.start < unit.end <= len(caption):
            raise InputError(
                f"{where}: unit {unit.start}..{unit.end} does not lie in a caption of {len(caption)} characters"
            )
        if not isinstance(unit.group, int) or unit.group < 0 or not isinstance(unit.groundable, bool | None):
            raise InputError(f"{where}: group must be a whole number from 0, groundable true, false or null")
    return caption, parsed
