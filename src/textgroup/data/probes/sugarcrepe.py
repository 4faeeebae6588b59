"""SugarCrepe (Hsieh et al., 2023): a COCO photograph, its caption, and a fluent caption that is wrong."""

from pathlib import Path

from textgroup.data.probes.rows import Pair, Probe, Probes, image_name, json_files, json_text, records


def read_sugarcrepe_plus(path: Path) -> Probes:
    """SugarCrepe++ (Dumpala et al., 2024), which has a second true caption: a row for each, above the same wrong one.

    Skipped and counted: rows with an empty caption.
    """
    probes = Probes("sugarcrepe++")
    for file in json_files(path):
        for key, where, record in records(file):
            negative = json_text(record, "negative_caption", where)
            image = image_name(json_text(record, "filename", where))
            for name in ("caption", "caption2"):
                if (caption := json_text(record, name, where)) and negative:
                    probes.rows.append(Probe(f"{key}/{name}", file.stem, Pair(image, caption), Pair(image, negative)))
                else:
                    probes.skip(file.stem, "no caption")
    return probes


def read_sugarcrepe(path: Path) -> Probes:
    """One of the official files, or their directory; the name of the file is the category (`add_att`, ...).

    Skipped and counted: rows with an empty caption.
    """
    probes = Probes("sugarcrepe")
    for file in json_files(path):
        for key, where, record in records(file):
            caption, negative = (json_text(record, name, where) for name in ("caption", "negative_caption"))
            image = image_name(json_text(record, "filename", where))
            if caption and negative:
                probes.rows.append(Probe(key, file.stem, Pair(image, caption), Pair(image, negative)))
            else:
                probes.skip(file.stem, "no caption")
    return probes
