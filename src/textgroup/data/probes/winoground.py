"""Winoground (Thrush et al., 2022): two images and two captions of the same words, to be told apart both ways."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name, json_field, json_lines, json_text, records


def read_winoground(path: Path) -> Probes:
    """`examples.jsonl`, or the directory that holds it: see `_read_both_ways`."""
    lines = json_lines(path / "examples.jsonl" if path.is_dir() else path)
    return _read_both_ways("winoground", lines, ("0", "1"))


def read_colorswap(path: Path) -> Probes:
    """ColorSwap (Burapacheep et al., 2024): the same questions, of two colours that are exchanged.

    Its .json, a list of objects, or a .jsonl, with `image_1`, `image_2`, `caption_1`, `caption_2`.
    """
    if path.suffix == ".jsonl":
        return _read_both_ways("colorswap", json_lines(path), ("1", "2"))
    return _read_both_ways("colorswap", ((where, record) for _, where, record in records(path)), ("1", "2"))


def _read_both_ways(name: str, lines: Iterable[tuple[str, dict[str, Any]]], ends: tuple[str, str]) -> Probes:
    """ends: of the names of the fields, such as `image_0` and `image_1`.

    Four rows an example, with ids such as "7/text/0": the right caption for each image ("text"), the right image
    for each caption ("image").
    Skipped and counted: examples with an empty caption, and repetitions of an id.
    """
    probes = Probes(name)
    seen: set[str] = set()
    for where, record in lines:
        number = str(json_field(record, "id", (int, str), where))
        images = [image_name(json_text(record, f"image_{end}", where)) for end in ends]
        captions = [json_text(record, f"caption_{end}", where) for end in ends]
        if not all(captions) or number in seen:
            for category in ("text", "image"):
                probes.skip(category, "repeated" if number in seen else "no caption")
            continue
        seen.add(number)
        for i in (0, 1):
            right = Pair(images[i], captions[i])
            probes.rows.append(Probe(f"{number}/text/{i}", "text", right, Pair(images[i], captions[1 - i])))
            probes.rows.append(Probe(f"{number}/image/{i}", "image", right, Pair(images[1 - i], captions[i])))
    return probes
