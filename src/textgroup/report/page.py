"""One self-contained HTML file; every word that comes from data is escaped by the template."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from textgroup.files import atomic_write
from textgroup.report.colours import COLOURS


def write_page(path: Path, template: str, content: Mapping[str, Any]) -> None:
    """Fill the template `template` of this folder with `content`, and write the whole page to `path`."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template(template).render(colours=COLOURS, **content)
    with atomic_write(path) as partial:
        partial.write_text(html, encoding="utf-8")
