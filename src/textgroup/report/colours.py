"""The colours of groups: the same on the terminal, in a notebook and in the report."""

COLOURS = ("#8ecae6", "#ffd166", "#a7e8a0", "#f4acb7", "#cdb4db", "#ffb385", "#d9d9d9", "#b7e4c7")
"""One a group, light enough for black letters; after the last, the first again."""


def colour_of(group: int) -> str:
    """The colour of a group."""
    return COLOURS[group % len(COLOURS)]
