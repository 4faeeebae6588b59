"""Checking the photographs that the public calls are given, as `given.py` does with captions."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from PIL import Image as PILImage

from textgroup.errors import InputError
from textgroup.inference.given import Given, check_given
from textgroup.vision.decode import BrokenImage

Image = str | os.PathLike[str] | bytes | PILImage.Image
"""A photograph: its path, its encoded bytes, or a PIL image."""


def images_given(given: Image | Iterable[Image], call: str) -> Given[Image]:
    """One photograph or an iterable of photographs. Raises `InputError` that names the item that is none."""
    single = _is_image(given)
    return Given(check_given(given, call, "images", "a path, encoded bytes or a PIL image", _is_image), single)


def one_image(given: Image, call: str) -> Image:
    """One photograph. Raises `InputError` for several, and for what is none."""
    if not images_given(given, call).single:
        raise InputError(f"{call}: several images: give one image")
    return given


def identity(image: Image) -> object:
    """A hashable value that is equal for images that are surely the same."""
    return id(image) if isinstance(image, PILImage.Image) else image


@contextmanager
def numbered(given: Given[Image], number: int) -> Iterator[None]:
    """In the block, an image that cannot be decoded is named with its number, if it is one of several."""
    try:
        yield
    except BrokenImage as error:
        raise error if given.single else BrokenImage(f"images[{number}]: {error}") from None


def _is_image(item: object) -> bool:
    return isinstance(item, (str, bytes, os.PathLike, PILImage.Image))
