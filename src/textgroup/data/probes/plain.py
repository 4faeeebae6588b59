"""Probes of your own, as JSON lines."""

from pathlib import Path

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name, json_field, json_lines, json_text
from textgroup.errors import InputError

WORSE = ("worse_caption", "worse_image")


def read_plain(path: Path) -> Probes:
    """A line is {"image", "caption", "worse_caption"} or {"image", "caption", "worse_image"}.

    It may also have "category" and "id"; without an id, a row is known by its number, from 1. Raises `InputError` for
    a row with neither or both of the two, an empty caption, and an id that comes twice in a category.
    """
    probes = Probes("jsonl")
    seen: set[tuple[str, str]] = set()
    for number, (where, record) in enumerate(json_lines(path), 1):
        given = [name for name in WORSE if name in record]
        if len(given) != 1:
            raise InputError(f"{where}: give one of {' and '.join(WORSE)}, not {'both' if given else 'none'}")
        category = json_text(record, "category", where) if "category" in record else "all"
        row = str(json_field(record, "id", (int, str), where)) if "id" in record else str(number)
        image, caption, worse = (json_text(record, name, where) for name in ("image", "caption", given[0]))
        if not (image and caption and worse):
            raise InputError(f"{where}: image, caption or {given[0]} is empty")
        if (category, row) in seen:
            raise InputError(f"{where}: the id {row!r} comes twice in category {category!r}")
        seen.add((category, row))
        better = Pair(image_name(image), caption)
        other = Pair(better.image, worse) if given == ["worse_caption"] else Pair(image_name(worse), caption)
        probes.rows.append(Probe(row, category, better, other))
    return probes
