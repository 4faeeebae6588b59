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
    from textgroup.inference.grounder import Grounder
    from textgroup.inference.opening import load_grounder, load_segmenter
    from textgroup.inference.result import Phrases, Units
    from textgroup.inference.segmenter import TextSegmenter
    from textgroup.inference.textgroup import TextGroup, load

    __version__: str

__all__ = [
    "Grounder",
    "Grounding",
    "InputError",
    "Phrases",
    "Reference",
    "TextGroup",
    "TextSegmenter",
    "Unit",
    "Units",
    "__version__",
    "load",
    "load_grounder",
    "load_segmenter",
]

_LATER = {
    "TextGroup": "textgroup.inference.textgroup",
    "load": "textgroup.inference.textgroup",
    "Grounder": "textgroup.inference.grounder",
    "TextSegmenter": "textgroup.inference.segmenter",
    "load_grounder": "textgroup.inference.opening",
    "load_segmenter": "textgroup.inference.opening",
    "Phrases": "textgroup.inference.result",
    "Units": "textgroup.inference.result",
}
"""What takes time to import is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    """What is imported when it is first asked for."""
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(_LATER[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("textgroup")
    raise AttributeError(f"module 'textgroup' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
