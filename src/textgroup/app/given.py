"""What the page takes: captions, examples, and pictures as a browser sends them; their limits."""

import base64
import binascii
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from PIL import Image

from textgroup.data.scenes.scene import render, scene
from textgroup.errors import InputError
from textgroup.experiments.demo_packaged import PHOTOGRAPH_CAPTION, photograph
from textgroup.vision.decode import FORMATS, MAX_PIXELS, decode

MAX_CAPTION = 500
"""Characters of a caption."""
MAX_UPLOAD = 10 << 20
"""Bytes of a picture as it is sent."""
LIMITS = (
    f"Captions up to {MAX_CAPTION} characters; pictures up to {MAX_UPLOAD >> 20} MiB and {MAX_PIXELS // 10**6} million "
    f"pixels ({', '.join(FORMATS)}). A picture of yours is not kept."
)
PHOTOGRAPH = "photograph"
SCENES = (0, 5, 6)
"""Numbers of the drawn scenes of seed 0: the first three of several objects and at most 90 characters."""
_SCENE_SIDE = 448


class Example(NamedTuple):
    """A picture with a caption of it, and another caption that is wrong."""

    picture: Image.Image
    caption: str
    other: str


@cache
def examples() -> dict[str, Example]:
    """The pictures that can be picked, by name: one photograph and drawn scenes."""
    found = {
        PHOTOGRAPH: Example(
            decode(photograph()), PHOTOGRAPH_CAPTION, "An old woman in a white hat stands in front of a car."
        )
    }
    for number, index in enumerate(SCENES, 1):
        drawn = scene(0, index)
        found[f"drawn scene {number}"] = Example(render(drawn, _SCENE_SIDE), drawn.caption, drawn.foils[0].caption)
    return found


def picture_given(sent: str | None, picked: str | None) -> Image.Image | None:
    """The picture that was sent, else the one that was picked, else None.

    sent: a `data:` address, as a browser makes it of a file. Raises `InputError`, and `BrokenImage` for what is no
    picture.
    """
    _check_texts(sent, picked)
    if sent:
        encoded = sent.partition(";base64,")[2]
        if len(encoded) * 3 // 4 > MAX_UPLOAD + 2:
            raise InputError(f"the picture has more than {MAX_UPLOAD >> 20} MiB: save it smaller")
        try:
            return decode(base64.b64decode(encoded, validate=True))
        except binascii.Error:
            raise InputError("the picture did not arrive whole: choose it again") from None
    if not picked:
        return None
    if picked not in examples():
        raise InputError(f"no picture {picked[:40]!r}: there are {', '.join(examples())}")
    return examples()[picked].picture


def captions_given(caption: str | None, other: str | None) -> Sequence[str]:
    """The caption, and the one to compare it with, if there is one. Raises `InputError`."""
    _check_texts(caption, other)
    captions = [text.strip() for text in (caption or "", other or "")]
    for text in captions:
        if len(text) > MAX_CAPTION:
            raise InputError(f"a caption of {len(text)} characters: give at most {MAX_CAPTION}")
    if not captions[0]:
        raise InputError("there is no caption: type one, or pick an example")
    return [text for text in captions if text]


def _check_texts(*given: object) -> None:
    """Raise `InputError` for what no browser sends from our page."""
    for value in given:
        if not isinstance(value, str | None):
            raise InputError(f"a {type(value).__name__} where a text belongs: use the fields of the page")
