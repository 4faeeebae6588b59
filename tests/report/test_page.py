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

from textgroup.report import figures, terminal
from textgroup.report.page import write_page
from textgroup.units import Unit

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
