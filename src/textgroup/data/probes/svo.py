"""SVO-Probes (Hendricks & Nematzadeh, 2021): a sentence and two images, one with another subject, verb or object.

`svo_probes.csv` as published by google-deepmind/svo_probes; images lie under their ids.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name
from textgroup.data.sources.lines import numbered_lines
from textgroup.errors import InputError

FLAGS = {"subj_neg": "subject", "verb_neg": "verb", "obj_neg": "object"}
"""Column that is true where the worse image differs in this -> category."""
COLUMNS = ("sentence", "pos_image_id", "neg_image_id", *FLAGS)
"""The columns that are read; triplets and URLs are not needed once the images are there."""
_TRUTH = {"true": True, "1": True, "false": False, "0": False, "": False}


def read_svo(path: Path) -> Probes:
    """The rows whose images differ in exactly one of subject, verb and object, each once.

    Skipped and counted: rows that differ in none or several ("mixed", as in the official count), rows without a
    sentence or without an image id, and repetitions of a row. A missing URL does not matter.
    """
    probes = Probes("svo")
    seen: set[tuple[str, str]] = set()
    for where, row in _read_rows(path):
        changed = [category for column, category in FLAGS.items() if _parse_flag(row[column], column, where)]
        category = changed[0] if len(changed) == 1 else "mixed"
        sentence = " ".join(row["sentence"].split())
        better, worse = (_image_id(row[column]) for column in ("pos_image_id", "neg_image_id"))
        number = f"{sentence}|{better}|{worse}"
        if category == "mixed":
            probes.skip(category, "not exactly one of subject, verb, object")
        elif not sentence:
            probes.skip(category, "no sentence")
        elif not (better and worse):
            probes.skip(category, "no image id")
        elif (category, number) in seen:
            probes.skip(category, "repeated")
        else:
            seen.add((category, number))
            probes.rows.append(Probe(number, category, Pair(better, sentence), Pair(worse, sentence)))
    return probes


def _read_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    number = 0

    def lines() -> Iterator[str]:
        nonlocal number
        for number, line in numbered_lines(path):  # noqa: B007 (the closure keeps count)
            yield line + "\n"

    reader = csv.DictReader(lines(), strict=True)
    try:
        columns = reader.fieldnames or []
        if missing := [column for column in COLUMNS if column not in columns]:
            listed = ", ".join(map(repr, columns[:20])) or "none"
            raise InputError(f"{path}: no column {missing[0]!r}; there are {listed}")
        for row in reader:
            if None in row or None in row.values():
                raise InputError(f"{path}:{number}: not as many fields as the first row has ({len(columns)})")
            yield f"{path}:{number}", row
    except csv.Error as error:
        raise InputError(f"{path}:{number}: not CSV ({error})") from None


def _parse_flag(text: str, column: str, where: str) -> bool:
    truth = _TRUTH.get(text.strip().lower())
    if truth is None:
        raise InputError(f"{where}: {column} is {text.strip()[:40]!r}, neither True nor False")
    return truth


def _image_id(text: str) -> str:
    """The name of an image id, also if a table program wrote it as 12.0."""
    return image_name(text.strip().removesuffix(".0"))
