"""Boxes of Flickr30k Entities' phrases: `Annotations/<image id>.xml`, in a directory or a zip.

    <annotation><size><width>500</width><height>375</height></size>
      <object><name>494</name><bndbox><xmin>235</xmin><ymin>25</ymin><xmax>356</xmax><ymax>312</ymax></bndbox></object>
      <object><name>495</name><nobndbox>1</nobndbox></object></annotation>

A name is the chain of a phrase (`entities.Phrase.chain`); an object may have several names, a name several objects.
"""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from textgroup.data.sources.zips import open_zip
from textgroup.errors import InputError
from textgroup.files import expand_user

MAX_FILE = 1 << 20
"""Bytes of one file; the largest official one has about 20 kB."""
FOLDER = "Annotations"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Boxes:
    """By image and chain, (n, 4): x0, y0, x1, y1 as shares of width and height. skipped: a line for each."""

    of_image: dict[str, dict[str, np.ndarray]]
    skipped: list[str] = field(default_factory=list)


def read_boxes(where: str | Path) -> Boxes:
    """All boxes under `where`: the directory or zip that holds `Annotations/`, or that directory itself.

    Chains without a box (`nobndbox`, `scene`) have no entry. Skipped and named: a file that is no annotation, a box
    without an area. Raises `InputError` for a damaged archive, and if no file has a box.
    """
    path = expand_user(where)
    boxes = Boxes({})
    if path.is_dir():
        folder = path / FOLDER if (path / FOLDER).is_dir() else path
        for file in sorted(folder.glob("*.xml")):
            with file.open("rb") as opened:
                _add(boxes, file.stem, opened.read(MAX_FILE + 1))
    elif path.is_file():
        with open_zip(f"boxes {where}", str(path)) as archive:
            for name in sorted(archive.namelist()):
                if re.search(rf"(^|/){FOLDER}/[^/]+\.xml$", name):
                    with archive.open(name) as member:
                        _add(boxes, Path(name).stem, member.read(MAX_FILE + 1))
    if not boxes.of_image:
        what = f" ({boxes.skipped[0]})" if boxes.skipped else ""
        raise InputError(f"boxes {where}: no {FOLDER}/*.xml with a box in it{what}; give the directory or the zip")
    return boxes


def _add(boxes: Boxes, image: str, content: bytes) -> None:
    """Add the boxes of one file."""
    try:
        if len(content) > MAX_FILE:
            raise ValueError(f"longer than {MAX_FILE:,} bytes")
        if b"<!" in content:  # a document type can define entities that explode
            raise ValueError("it defines a document type")
        root = ET.fromstring(content)
        size = np.array([_number(root, "size/width"), _number(root, "size/height")] * 2)
        if not (size > 0).all():
            raise ValueError("width and height must be above 0")
        by_chain: dict[str, list[np.ndarray]] = {}
        for thing in root.iter("object"):
            if (corners := thing.find("bndbox")) is None:
                continue
            box = np.clip(np.array([_number(corners, corner) for corner in _CORNERS]) / size, 0, 1)
            if not (box[2:] > box[:2]).all():
                boxes.skipped.append(f"{image}.xml: a box without an area")
                continue
            for name in thing.findall("name"):
                by_chain.setdefault((name.text or "").strip(), []).append(box)
    except (ET.ParseError, ValueError, RecursionError) as error:
        boxes.skipped.append(f"{image[:40]}.xml: not an annotation ({error})")
        return
    if by_chain:
        boxes.of_image[image] = {chain: np.stack(rows) for chain, rows in by_chain.items()}


def _number(node: ET.Element, name: str) -> float:
    text = node.findtext(name)
    value = float(text) if text is not None else float("nan")
    if not np.isfinite(value):
        raise ValueError(f"no number in {name}")
    return value
