"""Units as HTML for a notebook; every character of a caption is escaped."""

from collections.abc import Sequence
from html import escape

from textgroup.report.colours import colour_of
from textgroup.units import Unit

UNIT = "border: 1px solid #8886; border-radius: .25em; padding: .1em .3em"
"""Style of a unit, on a light page and on a dark one."""


def units_html(units: Sequence[Unit]) -> str:
    """Units one after the other, each on its group's colour; those that name nothing have none."""
    return f'<div style="line-height: 2">{" ".join(map(_unit_html, units))}</div>'


def _unit_html(unit: Unit) -> str:
    colour = "" if unit.groundable is False else f"; background: {colour_of(unit.group)}; color: #000"
    return f'<span style="{UNIT}{colour}">{escape(unit.text)}</span>'
