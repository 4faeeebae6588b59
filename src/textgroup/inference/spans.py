"""Units of captions from the groups of their tokens, and batches of captions of similar length."""

from collections.abc import Iterator, Sequence

from textgroup.model.grouping.contract import Owners, TextGroups
from textgroup.text.tokenizer import Tokens
from textgroup.units import Unit, merge_tokens

TOKENS = 2048
"""Tokens encoded at once, padding included: memory does not depend on how long the longest caption of a stream is."""


def length_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of captions of these lengths, shortest first, in batches of at most `TOKENS` tokens with padding."""
    rows: list[int] = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if rows and (len(rows) + 1) * lengths[i] > TOKENS:
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows


def units_of(
    captions: Sequence[str], tokens: Sequence[Tokens], rows: Sequence[int], text: Owners | TextGroups
) -> Iterator[list[Unit]]:
    """The units of the captions `rows`, whose tokens `text` assigns to groups."""
    groundable_rows = [None] * len(rows) if text.groundable is None else text.groundable.tolist()  # (B, M)
    for i, owners, groundable in zip(rows, text.owner.tolist(), groundable_rows):
        yield units_from_owners(captions[i], tokens[i].spans, owners, groundable)


def units_from_owners(
    caption: str, spans: Sequence[tuple[int, int]], owners: Sequence[int], groundable: Sequence[bool] | None = None
) -> list[Unit]:
    """Runs of tokens of one group as spans of the caption; start and end of text are left out.

    spans: characters (start, end) of each token. owners: the group of each token, start and end included; what lies
    beyond the tokens is ignored. groundable: for each token, whether a unit that ends with it names something; None
    leaves that open.
    """
    inner = slice(1, len(spans) - 1)
    return merge_tokens(caption, spans[inner], owners[inner], None if groundable is None else groundable[inner])
