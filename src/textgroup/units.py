"""What a user gets for each discovered unit of a caption."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A run of neighbouring tokens that the model put into the same group.

    `caption[start:end] == text` for the caption as it was given. A group that owns several separate runs
    gives several units with the same `group` number.
    """

    text: str
    start: int
    end: int
    group: int
