"""Where units begin, from the groups of tokens, and batches of captions of similar length."""

from collections.abc import Iterator, Sequence

from textgroup.text.tokenizer import Tokens
from textgroup.units import Begin

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


def begins_of(tokens: Tokens, owners: Sequence[int], groundable: Sequence[bool] | None) -> list[Begin]:
    """Where units begin: at words whose group is not that of the word before. A word has the group of its first token.

    owners: the group of each token, start and end of text included. groundable: for each token, whether its unit names
    something; None leaves that open.
    """
    begins: list[Begin] = []
    group = None
    for token, character in tokens.starts:
        if owners[token] != group:
            group = owners[token]
            begins.append((character, group, None if groundable is None else groundable[token]))
    return begins
