"""What a user gets for each discovered unit of a caption."""

from typing import NamedTuple


class Unit(NamedTuple):
    """A run of neighbouring tokens that the model put into the same group.

    `caption[start:end] == text` for the caption as it was given. A group that owns several separate runs
    gives several units with the same `group` number.

    groundable: whether the unit is one of those that name something, as far as the model can tell; None where
    it makes no such mark.
    """

    text: str
    start: int
    end: int
    group: int
    groundable: bool | None = None
