"""The tokens of another model's tokenizer that each unit has: for attention maps, masks and regional prompts."""

from collections.abc import Sequence
from typing import Any

from textgroup.errors import InputError
from textgroup.units import Unit


def token_indices(units: Sequence[Unit], offsets: Any) -> list[list[int]]:
    """For each unit the numbers of the tokens that have one of its characters, in order.

    offsets: for each token of the same caption its characters (start, end), as a fast tokenizer of `transformers` gives
    them, `tokenizer(caption, return_offsets_mapping=True).offset_mapping`, or `Encoding.offsets` of `tokenizers`; an
    array or tensor (M, 2) does too. Numbers count from the first token, be it a special one, so they index what the
    model gives. Special tokens and padding have no characters, and are in no unit. A unit that was cut off has none.
    Raises `InputError` for what is no such list.
    """
    spans = _checked(offsets)
    return [
        [i for i, (start, end) in enumerate(spans) if max(start, unit.start) < min(end, unit.end)] for unit in units
    ]


def _checked(offsets: Any) -> list[tuple[int, int]]:
    rows = offsets.tolist() if hasattr(offsets, "tolist") else offsets
    try:
        spans = [(start, end) for start, end in rows]
    except (TypeError, ValueError):
        spans = None
    if spans is None or not all(isinstance(place, int) for span in spans for place in span):
        shown = " ".join(repr(rows).split())[:40]
        raise InputError(
            f"token_indices: offsets is {shown}: give one caption's (start, end) for each token; of a batch, one row"
        )
    return spans
