"""TextGroup: the units of a caption, grounded in the picture (arXiv 2511.11262).

import textgroup
model = textgroup.load()
model.segment("A man in a blue hat holding a flag")

Public is what `__all__` names, and the methods of `TextGroup` that docs/api.md lists; all else may change.
"""

from typing import TYPE_CHECKING, Any

from textgroup.errors import InputError
from textgroup.units import Grounding, Reference, Unit

if TYPE_CHECKING:
    from textgroup.inference.result import Phrases, Units
    from textgroup.inference.textgroup import TextGroup, load

    __version__: str

__all__ = ["Grounding", "InputError", "Phrases", "Reference", "TextGroup", "Unit", "Units", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """What takes time to import is imported when it is first asked for."""
    if name in ("TextGroup", "load"):
        from textgroup.inference import textgroup as inference

        return getattr(inference, name)
    if name in ("Phrases", "Units"):
        from textgroup.inference import result

        return getattr(result, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("textgroup")
    raise AttributeError(f"module 'textgroup' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
