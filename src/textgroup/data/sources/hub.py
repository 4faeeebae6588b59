"""Data sets of the Hugging Face Hub, or in a directory, through `datasets`: streamed; no code of theirs is run."""

from collections.abc import Iterator
from typing import Any

from textgroup.data.sources.count import Count
from textgroup.data.sources.members import MAX_IMAGE, Wanted
from textgroup.data.sources.records import Record, samples_of_records
from textgroup.data.sources.sample import Sample
from textgroup.data.sources.streams import open_stream
from textgroup.errors import InputError
from textgroup.files import expand_user

HUB = "datasets:"
"""What begins the name of a data set."""


def read_hub(text: str, split: str | None, wanted: Wanted, count: Count) -> Iterator[Sample]:
    """The samples of "datasets:NAME", NAME on the Hub or a directory, with the columns of a table.

    split: "train" if it is None. Raises `InputError`.
    """
    name = text.removeprefix(HUB)
    return samples_of_records(_records(name, split or "train", wanted), text, wanted, count)


def _records(name: str, split: str, wanted: Wanted) -> Iterator[Record]:
    try:
        from datasets import Image, load_dataset
    except ImportError:
        raise InputError(f"{HUB}{name}: to read data sets by name, install pip install 'textgroup[hub]'") from None
    try:
        stream: Any = load_dataset(
            str(expand_user(name)) if name.startswith("~") else name, split=split, streaming=True
        )
        images: list[str] = []
        for column, feature in (stream.features or {}).items():
            if isinstance(feature, Image):
                stream = stream.cast_column(column, Image(decode=False))
                images.append(column)
        for number, values in enumerate(stream, 1):
            for column in images if wanted.images else ():
                values[column] = _with_bytes(values[column])
            yield Record(f"{HUB}{name}#{split}: row {number}", number, values)
    except InputError:
        raise
    except Exception as error:  # whatever the Hub's client and the readers of each format raise
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{HUB}{name}#{split}: it cannot be had ({said})") from None


def _with_bytes(image: Any) -> Any:
    """An image with its bytes, where it has only the place of its file."""
    if not isinstance(image, dict) or image.get("bytes") is not None or not image.get("path"):
        return image
    with open_stream(image["path"]) as file:
        return {**image, "bytes": file.read(MAX_IMAGE + 1)}
