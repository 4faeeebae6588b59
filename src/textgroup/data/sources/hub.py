"""Data sets of the Hugging Face Hub, or in a directory, through `datasets`: streamed; no code of theirs is run."""

from collections.abc import Iterator
from typing import Any

from textgroup.data.sources.count import Count
from textgroup.data.sources.members import Wanted
from textgroup.data.sources.records import Record, samples_of_records
from textgroup.data.sources.sample import Sample
from textgroup.errors import InputError
from textgroup.files import expand_user

HUB = "datasets:"
"""What begins the name of a data set."""


def read_hub(text: str, split: str | None, wanted: Wanted, count: Count) -> Iterator[Sample]:
    """The samples of "datasets:NAME", NAME on the Hub or a directory, with the columns of a table.

    split: "train" if it is None. Raises `InputError`.
    """
    name = text.removeprefix(HUB)
    return samples_of_records(_records(name, split or "train"), text, wanted, count)


def _records(name: str, split: str) -> Iterator[Record]:
    try:
        from datasets import Image, load_dataset
    except ImportError:
        raise InputError(f"{HUB}{name}: to read data sets by name, install pip install 'textgroup[hub]'") from None
    try:
        stream: Any = load_dataset(
            str(expand_user(name)) if name.startswith("~") else name, split=split, streaming=True
        )
        for column, feature in (stream.features or {}).items():
            if isinstance(feature, Image):
                stream = stream.cast_column(column, Image(decode=False))
        for number, values in enumerate(stream, 1):
            yield Record(f"{HUB}{name}#{split}: row {number}", number, values)
    except InputError:
        raise
    except Exception as error:  # whatever the Hub's client and the readers of each format raise
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{HUB}{name}#{split}: it cannot be had ({said})") from None
