"""Files as nobody writes them by mistake: mutations of a good one."""

import json
from typing import Any

from hypothesis import strategies as st

WRONG: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 3, 77, 10**6, 10**9, 10**30, -(10**30), 0.5, -0.5, 1e300, 1e400, float("nan")),
    *("", "x", "../../../etc/passwd", "\ud800", "\x1b[2J", "a" * 10_000, "1", "null"),
    *([], [[]], [1, "x"], {}, {"a": {}}, [0] * 1000, [None] * 3, ["a", "b"]),
]
DEEP = ("[" * 100_000, '{"a":' * 100_000, "[" * 500 + "]" * 500)


@st.composite
def mutated_json(draw: st.DrawFn, good: bytes) -> bytes:
    """Damage of a JSON file: one to three values replaced, removed or added somewhere; or its bytes."""
    kind = draw(st.sampled_from(("values", "values", "values", "bytes", "deep")))
    if kind == "deep":
        return draw(st.sampled_from(DEEP)).encode()
    if kind == "bytes":
        return draw(mutated_bytes(good))
    values = json.loads(good)
    for _ in range(draw(st.integers(1, 3))):
        values = _mutate(draw, values)
    return json.dumps(values).encode()


def _mutate(draw: st.DrawFn, value: Any) -> Any:
    """A value with one place changed; the deeper it is, the likelier."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 7)) == 0:
        return draw(st.sampled_from(WRONG))
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    key = draw(st.sampled_from(keys[:50]))
    changed = dict(value) if isinstance(value, dict) else list(value)
    match draw(st.sampled_from(("into", "into", "into", "remove", "add"))):
        case "into":
            changed[key] = _mutate(draw, value[key])
        case "remove":
            del changed[key]
        case "add" if isinstance(changed, dict):
            changed["added"] = draw(st.sampled_from(WRONG))
        case "add":
            changed.insert(key, draw(st.sampled_from(WRONG)))
    return changed


@st.composite
def mutated_bytes(draw: st.DrawFn, good: bytes) -> bytes:
    """The file cut short, with bytes overwritten, or with something behind it."""
    data = bytearray(good[: draw(st.integers(0, len(good)))] if draw(st.booleans()) else good)
    for _ in range(draw(st.integers(0, 4))):
        if data:
            # half of the time in the first bytes, where lengths and headers stand
            place = draw(st.integers(0, min(len(data), 400) - 1) | st.integers(0, len(data) - 1))
            data[place] = draw(st.integers(0, 255))
    return bytes(data) + draw(st.sampled_from((b"", b"", b"\x00", b"{}", b"\xff" * 100)))
