"""One self-contained HTML file; every word that comes from data is escaped by the template."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from textgroup.errors import InputError
from textgroup.files import atomic_write
from textgroup.report.colours import COLOURS

GENERATOR = "TextGroup"
"""What our pages say they were made by (`report/base.html`)."""
HEAD = 400
"""Bytes of a page in which that stands."""


def check_replaceable(path: Path) -> None:
    """Raise `InputError` unless a page may be written to `path`: nothing is there, or a page that we made."""
    if path.is_dir():
        raise InputError(f"--out {path} is a directory: give the name of a file, such as {path / 'report.html'}")
    if not path.exists():
        return
    mark = f'name="generator" content="{GENERATOR}"'
    if path.is_file():
        with path.open("rb") as file:
            if mark.encode() in file.read(HEAD):
                return
    raise InputError(f"--out {path} is there and is no page of TextGroup's: remove it, or give another name")


def write_page(path: Path, template: str, content: Mapping[str, Any]) -> None:
    """Fill the template `template` of this folder with `content`, and write the whole page to `path`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template(template).render(colours=COLOURS, generator=GENERATOR, **content)
    with atomic_write(path) as partial:
        partial.write_text(html, encoding="utf-8", errors="backslashreplace")
