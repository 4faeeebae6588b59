"""Write docs/api.md, the public surface of the package, from its docstrings: `python docs/generate_api.py`."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import textgroup

PAGE = Path(__file__).with_name("api.md")
METHODS = (
    "segment",
    "segment_stream",
    "phrases",
    "encode_text",
    "encode_units",
    "encode_image",
    "similarity",
    "ground",
    "look_at",
    "heat_maps",
    "align",
    "object_points",
)
"""Methods of `TextGroup` that are meant to be used; the others serve the evaluation, and may change."""
HEAD = """\
# API

What `import textgroup` offers, and what will not change without a line in CHANGELOG.md. Everything else is an
implementation detail. This page is made from the docstrings by `python docs/generate_api.py`; a test compares the two.

Every call takes one thing or any iterable of things, and gives one result for each: `segment("a dog")` its units,
`segment(["a dog", "a cat"])` a list with those of each. What is neither is named in an `InputError`, with its number.
An `Image` is a path, the encoded bytes of a photograph, or a PIL image.
"""


SHORTER = (
    ("str | os.PathLike[str] | bytes | PIL.Image.Image", "Image"),
    ("textgroup.inference.grounder.", ""),
    ("textgroup.inference.textgroup.", ""),
    ("textgroup.inference.result.", ""),
    ("textgroup.inference.scene.", ""),
    ("textgroup.inference.segmenter.", ""),
    ("textgroup.units.", ""),
    ("collections.abc.", ""),
    ("pathlib._local.", ""),  # as Python 3.13 has it
    ("pathlib.", ""),
    ("numpy.", "np."),
    ("ForwardRef('np.ndarray | None')", "np.ndarray | None"),
)
"""What signatures spell out -> how the page has it."""


def page() -> str:
    """The whole page."""
    parts = [HEAD, _callable("textgroup.load", textgroup.load)]
    parts.append(_callable("textgroup.load_segmenter", textgroup.load_segmenter))
    parts.append(_callable("textgroup.load_grounder", textgroup.load_grounder))
    parts.append(f"## textgroup.TextSegmenter\n\n{_prose(textgroup.TextSegmenter)}")
    parts.append(f"## textgroup.Grounder\n\n{_prose(textgroup.Grounder)}")
    parts.append(f"## textgroup.TextGroup\n\n{_prose(textgroup.TextGroup)}")
    parts += [_callable(f"TextGroup.{name}", getattr(textgroup.TextGroup, name), level=3) for name in METHODS]
    parts += [
        _callable(f"textgroup.{kind.__name__}", kind)
        for kind in (textgroup.Unit, textgroup.Grounding, textgroup.Reference)
    ]
    parts.insert(-3, _result(textgroup.Units, "phrases", "to_dict"))
    parts.insert(
        -3, _result(textgroup.Phrases, "prompt", "tokens_positive", "in_prompt", "prompt_tokens_positive", "to_dict")
    )
    parts.append(f"## textgroup.InputError\n\n{_prose(textgroup.InputError)}")
    parts.append("## `textgroup.__version__`\n\nThe version of the package, as text.\n")
    return "\n".join(parts)


def _callable(name: str, called: Callable[..., Any], level: int = 2) -> str:
    signature = inspect.signature(called)
    parameters = [p for p in signature.parameters.values() if p.name not in ("self", "_cls")]
    shown = f"{name.rpartition('.')[2]}{signature.replace(parameters=parameters)}"
    for long, short in SHORTER:
        shown = shown.replace(long, short)
    return f"{'#' * level} {name}\n\n```python\n{shown}\n```\n\n{_prose(called)}"


def _result(kind: type, *members: str) -> str:
    """A class that calls give, and what of it is meant to be used."""
    described = "\n".join(f"- `{name}`: {' '.join(_prose(getattr(kind, name)).split())}" for name in members)
    return f"## textgroup.{kind.__name__}\n\n{_prose(kind)}\n{described}\n"


def _prose(documented: object) -> str:
    """The docstring, unwrapped: a line break inside a paragraph is a space."""
    paragraphs = (inspect.getdoc(documented) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
