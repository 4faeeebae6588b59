"""A page of results: sections of text, tables, figures and captions, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from textgroup.report.figures import svg_url
from textgroup.report.page import write_page
from textgroup.units import Unit


class Panel(NamedTuple):
    """A figure of a page and what it shows."""

    title: str
    source: str

    @classmethod
    def of(cls, title: str, figure: Figure) -> "Panel":
        """The panel of a figure."""
        return cls(title, svg_url(figure))


@dataclass(frozen=True)
class Section:
    """A part of a page, in the order of its fields; what is empty is not shown.

    columns, rows: a table, its rows as `grid` of report/parts.html takes them. units: of captions. text: shown as it
    stands, folded away.
    """

    title: str
    intro: str = ""
    warnings: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    units: Sequence[Unit] = ()
    panels: Sequence[Panel] = ()
    text: str = ""


def plain_rows(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Rows of cells as a section takes them."""
    return [{"cells": list(row)} for row in rows]


def write_sections(path: Path, title: str, sections: Sequence[Section]) -> None:
    """Write the page, one file that needs no other."""
    write_page(path, "results.html", {"title": title, "sections": sections, "version": version("textgroup")})
