"""NegCLIP's hard negatives (Yuksekgonul et al., 2023): COCO captions with the same words in a wrong order.

Its TSV has `filepath`, `title` and `neg_caption`, a list written as Python writes it.
"""

import ast
from pathlib import Path

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name
from textgroup.data.sources.count import Count
from textgroup.data.sources.delimited import find_layout, read_rows
from textgroup.data.sources.members import Wanted
from textgroup.errors import InputError

CATEGORY = "negclip"


def read_negclip(path: Path) -> Probes:
    """A row for each negative caption. Skipped and counted: rows that cannot be read, and captions that are empty."""
    probes = Probes("negclip")
    count = Count()
    layout = find_layout(str(path), ".tsv", Wanted(True, "filepath", "title"))
    if layout is None or "neg_caption" not in layout.names:
        raise InputError(
            f"{path}: no column 'neg_caption'; there are {', '.join(map(repr, layout.names if layout else []))}"
        )
    for where, number, values in read_rows(str(path), layout, count):
        better = Pair(image_name(values["filepath"].strip()), values["title"].strip())
        for i, negative in enumerate(_negatives(values["neg_caption"], where)):
            if better.caption and negative:
                probes.rows.append(Probe(f"{number}/{i}", CATEGORY, better, Pair(better.image, negative)))
            else:
                probes.skip(CATEGORY, "no caption")
    for why, times in count.skipped.items():
        probes.skipped[CATEGORY, why] += times
    return probes


def _negatives(text: str, where: str) -> list[str]:
    try:
        captions = ast.literal_eval(text.strip() or "[]")
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        captions = None
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise InputError(f"{where}: neg_caption is {text[:40]!r}, not a list of captions")
    return [caption.strip() for caption in captions]
