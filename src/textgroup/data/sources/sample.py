"""What a source yields."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """An image with its captions; either may be absent.

    key: the name of the image: that of the tar member without its ending, path under the folder, path as the table
    writes it; number of the line (from 1) where there are captions only. captions: none of them blank.
    image: encoded bytes (tar, zip, column of a table), a path, or None. place: where it was read, for messages.
    """

    key: str
    captions: tuple[str, ...]
    image: bytes | Path | None
    place: str = field(default="", compare=False)
