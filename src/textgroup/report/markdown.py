"""Tables for Markdown pages."""

import html
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in GitHub's Markdown. Cells are text: a name with `|`, a tag or a line break stays in its cell."""
    lines = [map(plain, columns), ["---"] * len(columns), *(map(plain, row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def plain(text: str) -> str:
    """Text that Markdown shows as it is: `<`, `|` and line breaks are escaped."""
    return html.escape(" ".join(text.splitlines()), quote=False).replace("|", "\\|")
