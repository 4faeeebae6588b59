"""What'sUp (Kamath et al., 2023): where one thing is relative to another, one true preposition among false ones.

Its controlled files are lists of {"image_path", "caption_options"}, the first option being true; those on COCO and
Visual Genome lists of [image id, true caption, false caption].
"""

from pathlib import Path
from typing import Any

from textgroup.data.probes.rows import MAX_FILE, Pair, Probe, Probes, image_name, json_field, json_files, json_text
from textgroup.errors import InputError
from textgroup.files import read_json_value


def read_whatsup(path: Path) -> Probes:
    """One of the official files, or their directory; the name of the file is the category.

    A row for each false caption. Skipped and counted: captions that are empty or equal the true one.
    """
    probes = Probes("whatsup")
    for file in json_files(path):
        content = read_json_value(file, MAX_FILE)
        if not isinstance(content, list):
            raise InputError(f"{file}: not a list: not a file of What'sUp")
        for number, entry in enumerate(content):
            image, captions = _entry(entry, f"{file}: entry {number}", file.stem)
            for i, worse in enumerate(captions[1:]):
                if not captions[0] or not worse or worse == captions[0]:
                    probes.skip(file.stem, "no caption, or twice the same")
                else:
                    pairs = Pair(image, captions[0]), Pair(image, worse)
                    probes.rows.append(Probe(f"{number}/{i}", file.stem, *pairs))
    return probes


def _entry(entry: Any, where: str, category: str) -> tuple[str, list[str]]:
    """The image and its captions, the true one first."""
    if isinstance(entry, dict):
        options = json_field(entry, "caption_options", list, where)
        image = image_name(json_text(entry, "image_path", where))
    elif isinstance(entry, list) and len(entry) == 3 and isinstance(entry[0], int | str):
        options = entry[1:]
        image = f"{int(entry[0]):012}" if category.startswith("coco") and str(entry[0]).isdecimal() else str(entry[0])
    else:
        raise InputError(f"{where}: neither an image with caption_options nor [image id, true caption, false caption]")
    if len(options) < 2 or not all(isinstance(option, str) for option in options):
        raise InputError(f"{where}: give a true caption and at least a false one, all of them text")
    return image, [option.strip() for option in options]
