"""VALSE (Parcalabescu et al., 2022): an image, its caption, and a foil of it, checked by three annotators."""

from pathlib import Path

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name, json_field, json_files, json_text, records

VOTES = 2
"""Annotators of three who must have taken the caption, not the foil, for the true one; as the authors filter."""


def read_valse(path: Path) -> Probes:
    """One of the official files, or their directory; the name of the file is the category (`existence`, ...).

    Skipped and counted: rows with fewer than `VOTES` votes, and rows with an empty caption. A foil that equals its
    caption, as a few do, stays: it is a tie.
    """
    probes = Probes("valse")
    for file in json_files(path):
        for key, where, record in records(file):
            caption, foil = (json_text(record, name, where) for name in ("caption", "foil"))
            image = image_name(json_text(record, "image_file", where))
            votes = json_field(json_field(record, "mturk", dict, where), "caption", int, where)
            if votes < VOTES:
                probes.skip(file.stem, f"fewer than {VOTES} votes")
            elif caption and foil:
                probes.rows.append(Probe(key, file.stem, Pair(image, caption), Pair(image, foil)))
            else:
                probes.skip(file.stem, "no caption")
    return probes
