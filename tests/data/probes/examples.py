"""Official files in small, with the odd rows that the real ones have; texts and pictures are our own."""

import csv
import json
from pathlib import Path
from typing import Any

from PIL import Image

SVO_HEADER = ["sentence", "pos_triplet", "neg_triplet", "pos_url", "neg_url", "pos_image_id", "neg_image_id"]
SVO_HEADER += ["subj_neg", "verb_neg", "obj_neg"]
SVO_ROWS = [
    # sentence, positive and negative triplet, URLs, ids, flags
    ["A fox carries a star", "fox,carry,star", "owl,carry,star", "http://a/1", "http://a/2", 1, 2, True, False, False],
    ["A fox carries a star", "fox,carry,star", "fox,drop,star", "http://a/1", "http://a/3", 1, 3, False, True, False],
    ["A fox carries a star", "fox,carry,star", "fox,drop,star", "http://a/1", "http://a/3", 1, 3, False, True, False],
    ["A fox drops a star", "fox,drop,star", "fox,carry,star", "http://a/3", "http://a/1", "3.0", 1, False, True, False],
    ["A fox carries a star", "fox,carry,star", "fox,carry,kite", "http://a/1", "", 1, 4, False, False, True],  # no URL
    ["An owl, a fox", "owl,meet,fox", "[]", "http://a/2", "http://a/9", 2, 9, False, False, True],  # the link is dead
    ["", "fox,carry,star", "owl,carry,star", "http://a/1", "http://a/2", 1, 2, True, False, False],
    ["A fox sleeps", "fox,sleep,bed", "owl,eat,pie", "http://a/1", "http://a/2", 1, 2, True, True, False],
    ["A fox sleeps", "fox,sleep,bed", "fox,sleep,bed", "http://a/1", "http://a/2", 1, 2, False, False, False],
    ["A fox sleeps", "fox,sleep,bed", "owl,sleep,bed", "http://a/1", "", 1, "", True, False, False],
]


def write_svo(path: Path, rows: list[list[Any]] = SVO_ROWS, header: list[str] = SVO_HEADER) -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        table.writerows(rows)
    return path


def annotation(number: int, pair: int, image: int, caption: str, words: tuple[str, str] | None) -> dict[str, Any]:
    """words: target and foil; None for a true caption."""
    target, foil = words or ("ORIG", "ORIG")
    return {
        "id": number,
        "foil_id": pair,
        "image_id": image,
        "caption": caption,
        "target_word": target,
        "foil_word": foil,
        "foil": words is not None,
    }


FOIL_IMAGES = [{"id": 7, "file_name": "COCO_val2014_000000000007.jpg"}]
FOIL_ANNOTATIONS = [
    annotation(70, 1, 7, "A fox on a rug.", None),
    annotation(70, 1, 7, "A fox on a boat.", ("rug", "boat")),
    annotation(71, 2, 8, "An owl by a lamp.", None),  # image 8 is not in the list of images
    annotation(71, 2, 8, "An owl by a bench.", ("lamp", "bench")),
    annotation(72, 3, 7, "A fox on a sled.", ("rug", "sled")),  # no original
    annotation(73, 4, 7, "Two foxes.", None),  # no foil
    annotation(70, 1, 7, "A fox on a rug.", None),  # a second time
    annotation(70, 1, 7, "A fox on a boat.", ("rug", "boat")),
    annotation(74, 5, 7, "A fox asleep.", None) | {"foil": True},  # says both
    annotation(75, 6, 7, "A fox, far away.", None),
    annotation(75, 6, 8, "A dog, far away.", ("fox", "dog")),  # of another image
    annotation(76, 7, 7, " ", None),
]


def write_foil(path: Path, annotations: list[dict[str, Any]] = FOIL_ANNOTATIONS) -> Path:
    path.write_text(json.dumps({"info": {}, "images": FOIL_IMAGES, "annotations": annotations}))
    return path


def write_pictures(folder: Path, names: dict[str, str]) -> Path:
    """A plain picture of each colour, by file name; the colour "text" writes a file that is no picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, colour in names.items():
        if colour == "text":
            (folder / name).write_text("this is not a picture")
        else:
            Image.new("RGB", (40, 36), colour).save(folder / name)
    return folder


def write_json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
