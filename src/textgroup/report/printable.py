"""Text of strangers, printed: nothing in it moves the cursor, changes colours or reverses what follows."""

import json
import re
from typing import Any

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it, but for line ends and tabs."""


def printable(text: object) -> str:
    """The text with each control character as its code, such as \\u001b: for whatever a person reads."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", str(text))


def one_line(text: object) -> str:
    """`printable`, in one line: for messages."""
    return printable(" ".join(str(text).split()))


def json_line(values: Any) -> str:
    """JSON in one line. Its text is the text as given, whatever shows it: JSON itself writes controls as codes."""
    return printable(json.dumps(values, ensure_ascii=False))
