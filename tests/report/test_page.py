"""What people see: escaped, self-contained, coloured where colour shows."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest
from rich.console import Console

from textgroup.errors import InputError
from textgroup.report import figures, page, terminal
from textgroup.report.page import check_replaceable, write_page
from textgroup.units import Unit

PAGES = Path(page.__file__).parent
HOSTILE = '<script>alert("x")</script> & $y_{1}$'


def test_every_word_of_a_caption_is_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.html").write_text("<p title='{{ caption }}'>{{ caption }}</p>")
    monkeypatch.setattr("textgroup.report.page.__file__", str(tmp_path / "page.py"))
    write_page(tmp_path / "out.html", "page.html", {"caption": HOSTILE})
    assert "<script>" not in (tmp_path / "out.html").read_text()


def test_a_page_that_lacks_something_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(jinja2.UndefinedError):
        write_page(tmp_path / "out.html", "demo.html", {})
    assert list(tmp_path.iterdir()) == []


def test_only_pages_of_ours_are_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    check_replaceable(out)
    write_page(out, "base.html", {})
    check_replaceable(out)
    out.write_text("<p>TextGroup, says somebody")
    with pytest.raises(InputError, match="no page of TextGroup's: remove it, or give another name"):
        check_replaceable(out)
    with pytest.raises(InputError, match="is a directory"):
        check_replaceable(tmp_path)


@pytest.mark.parametrize("template", sorted({path.name for path in PAGES.glob("*.html")} - {"base.html", "parts.html"}))
def test_every_page_has_the_one_style_for_phones_dark_and_print(template: str) -> None:
    text = (PAGES / template).read_text()
    assert text.startswith('{% extends "base.html" %}')
    assert "<script" not in text
    base = (PAGES / "base.html").read_text()
    for words in ("width=device-width", "prefers-color-scheme: dark", "@media print"):
        assert words in base


def test_a_table_wraps_its_names_and_escapes_its_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parts.html").write_text((PAGES / "parts.html").read_text())
    (tmp_path / "page.html").write_text('{% from "parts.html" import grid %}{{ grid(columns, rows) }}')
    monkeypatch.setattr("textgroup.report.page.__file__", str(tmp_path / "page.py"))
    rows = [{"section": HOSTILE}, {"cells": [HOSTILE, HOSTILE], "note": HOSTILE}]
    write_page(tmp_path / "out.html", "page.html", {"columns": [HOSTILE, HOSTILE], "rows": rows})
    html = (tmp_path / "out.html").read_text()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 6
    assert 'colspan="2"' in html


def test_a_heat_map_takes_any_token_and_holds_no_script() -> None:
    url = figures.svg_url(figures.heat_map([HOSTILE, "\u4e00", "$", "\\", ""], np.eye(4, 5), [(0, 1), (3, 4)]))
    svg = base64.b64decode(url.removeprefix("data:image/svg+xml;base64,")).decode()
    assert svg.lstrip().startswith("<?xml")
    assert "<script" not in svg


def test_curves_draw_every_line() -> None:
    url = figures.svg_url(figures.curves([("loss", {"a": ([1, 2], [3, 4]), "b": ([1, 2], [4, 3])})]))
    svg = base64.b64decode(url.partition(",")[2]).decode()
    assert all(colour in svg for colour in figures.LINES[:2])


def printed(units: list[Unit], **console: Any) -> str:
    out = io.StringIO()
    shown = Console(file=out, **console)
    shown.print(terminal.colour_units(units, shown))
    return out.getvalue()


def test_units_are_coloured_on_a_terminal_and_separated_by_bars_elsewhere() -> None:
    units = [Unit("a [red] hat", 0, 11, 0), Unit("on", 12, 14, 9, groundable=False)]
    assert printed(units, force_terminal=False) == "a [red] hat | on\n"
    shown = printed(units, force_terminal=True, color_system="truecolor")
    assert re.match(r"\x1b\[30;48;[\d;]+ma \[red\] hat\x1b\[0m", shown), "brackets are no markup"
    assert shown.endswith("\x1b[0mon\n"), "what names nothing has no colour"


def test_each_kind_of_warning_is_printed_once_in_a_run() -> None:
    out = io.StringIO()
    bar = terminal.TrainingBar("run", Console(file=out, width=200))
    for step in range(1, 21):
        bar.show(step, 20, {"total": 1.0}, 100.0, [f"collapse: {step}", "leak: much"])
    assert out.getvalue().count("collapse") == 1
    assert out.getvalue().count("leak") == 1
    assert "step 20/20" in out.getvalue()


def test_off_a_terminal_a_line_of_progress_is_one_line() -> None:
    out = io.StringIO()
    bar = terminal.TrainingBar("a run with a long name", Console(file=out, width=40))
    with bar.bar:
        bar.show(20, 20, {"total": 1.0, "contrastive": 0.5, "reconstruction": 0.5}, 100.0, ["leak: " + "much " * 20])
    assert len(out.getvalue().splitlines()) == 2
