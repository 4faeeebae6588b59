"""TextGroup: the units of a caption, grounded in the picture (arXiv 2511.11262).

import textgroup
model = textgroup.load("runs/flickr8k")
model.segment(["A man in a blue hat holding a flag"])
"""

from typing import TYPE_CHECKING, Any

from textgroup.errors import InputError
from textgroup.units import Reference, Unit

if TYPE_CHECKING:
    from textgroup.inference import TextGroup, load

__all__ = ["InputError", "Reference", "TextGroup", "Unit", "load"]


def __getattr__(name: str) -> Any:
    if name in ("TextGroup", "load"):  # torch is imported when it is needed, not before
        from textgroup import inference

        return getattr(inference, name)
    raise AttributeError(f"module 'textgroup' has no attribute {name!r}")
