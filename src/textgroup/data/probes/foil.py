"""FOIL-COCO (Shekhar et al., 2017): an image, its caption, and the caption with one noun replaced.

`foilv1.0_test_2017.json`, in the layout of COCO's captions: a caption and its foil are two annotations with the
same `foil_id`; in the true one the words are "ORIG".
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from textgroup.data.probes.rows import MAX_FILE, Pair, Probe, Probes, image_name, json_field, json_object, json_text
from textgroup.files import read_json_value

ORIGINAL = "ORIG"
"""`target_word` of the true captions."""
CATEGORY = "foil"


class _Annotation(NamedTuple):
    pair: str
    image: str
    caption: str


def read_foil(path: Path) -> Probes:
    """A row for each foil that has its original.

    Skipped and counted: a foil without an original and an original without a foil, annotations that say both
    (`foil` true, word "ORIG"), empty captions, pairs of two images, and repetitions.
    """
    probes = Probes("foil")
    originals: dict[str, _Annotation] = {}
    foils: list[_Annotation] = []
    for is_foil, marked, annotation in _read_annotations(path):
        if is_foil == marked:
            probes.skip(CATEGORY, "foil and ORIG contradict each other")
        elif not annotation.caption:
            probes.skip(CATEGORY, "no caption")
        elif is_foil:
            foils.append(annotation)
        elif annotation.pair in originals:
            probes.skip(CATEGORY, "repeated")
        else:
            originals[annotation.pair] = annotation
    _pair_up(probes, originals, foils)
    return probes


def _pair_up(probes: Probes, originals: dict[str, _Annotation], foils: list[_Annotation]) -> None:
    paired: set[str] = set()
    for foil in foils:
        original = originals.get(foil.pair)
        if original is None:
            probes.skip(CATEGORY, "foil without an original")
        elif original.image != foil.image:
            probes.skip(CATEGORY, "foil of another image")
        elif foil.pair in paired:
            probes.skip(CATEGORY, "repeated")
        else:
            paired.add(foil.pair)
            better, worse = Pair(original.image, original.caption), Pair(foil.image, foil.caption)
            probes.rows.append(Probe(foil.pair, CATEGORY, better, worse))
    with_foil = {foil.pair for foil in foils}
    for _ in originals.keys() - with_foil:
        probes.skip(CATEGORY, "original without a foil")


def _read_annotations(path: Path) -> Iterator[tuple[bool, bool, _Annotation]]:
    """Whether it is a foil, whether it is marked as an original, and what it says."""
    content = json_object(read_json_value(path, MAX_FILE), str(path))
    names = {}
    for image in json_field(content, "images", list, str(path)):
        image = json_object(image, f"{path}: an image")
        number = json_field(image, "id", int, f"{path}: an image")
        names[number] = image_name(json_text(image, "file_name", f"{path}: image {number}"))
    for number, record in enumerate(json_field(content, "annotations", list, str(path))):
        where = f"{path}: annotation {number}"
        record = json_object(record, where)
        image = json_field(record, "image_id", int, where)
        annotation = _Annotation(
            pair=str(json_field(record, "foil_id", (int, str), where)),
            image=names.get(image, f"{image:012}"),
            caption=json_text(record, "caption", where),
        )
        yield json_field(record, "foil", bool, where), json_text(record, "target_word", where) == ORIGINAL, annotation
