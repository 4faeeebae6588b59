"""The page of a run says where it stands, whatever its log holds."""

import json
from pathlib import Path
from typing import Any

import pytest

from textgroup.errors import InputError
from textgroup.report.sections import write_sections
from textgroup.training.runs.page import MOST_CURVES, MOST_POINTS, read_lines, run_sections, told_warnings

HOSTILE = '<script>alert("x")</script> $x_{ \ud800'


def write_run(where: Path, lines: list[Any]) -> Path:
    where.mkdir()
    (where / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (where / "config.yaml").write_text(f"out: '{HOSTILE.encode(errors='replace').decode()}'\n")
    return where


def test_curves_losses_with_their_validation_and_recalls_by_direction(tmp_path: Path) -> None:
    lines = [
        {"step": step, "total": 9 / step, "val_total": 10 / step, "entropy": 0.5, "val_i2t_r1": 1.0, "val_i2t_r5": 2.0}
        for step in (1, 2, 3)
    ]
    first, drawn, configuration = run_sections(write_run(tmp_path / "run", lines))
    assert first.title == "After step 3"
    assert {"cells": ["total", "3"]} in first.rows
    assert [panel.title for panel in drawn.panels] == [f"{t}, by step" for t in ("total", "entropy", "recall, i2t")]
    assert "out:" in configuration.text


def test_each_kind_of_warning_is_told_once_with_its_steps() -> None:
    lines = [{"step": step, "warnings": [f"leak: {step}%"] if step > 1 else []} for step in (1, 2, 3)]
    assert told_warnings(lines) == ["leak: 3% (at 2 of 3 logged steps, from step 2 to step 3)"]


def test_a_hostile_log_is_shown_escaped_and_bounded(tmp_path: Path) -> None:
    lines: list[Any] = [
        {"step": step, HOSTILE: step, "n": float("nan"), "big": 10**400, "odd": [1], "warnings": [HOSTILE]}
        for step in range(2 * MOST_POINTS)
    ]
    lines[0] |= {f"name {i}": 1 for i in range(2 * MOST_CURVES)}
    run = write_run(tmp_path / "run", lines)
    sections = run_sections(run)
    write_sections(tmp_path / "out.html", HOSTILE, sections)
    page = (tmp_path / "out.html").read_text()
    assert "<script" not in page
    assert "more figures of the log are not shown" in page
    assert len(sections[1].panels) <= MOST_CURVES
    assert max(len(panel.source) for panel in sections[1].panels) < 300_000


@pytest.mark.parametrize(
    ("log", "why"),
    [
        ("", "no step is logged yet"),
        ("[1]\n", "line 1 is none of a run's log"),
        ('{"step": 1}\n{"step": -4}\n', "line 2 is none of a run's log"),
        ('{"step": "x"}\n', "line 1 is none of a run's log"),
        ("[" * 100_000, "not a log of a run"),
    ],
)
def test_a_file_that_no_run_wrote_is_refused_in_one_line(tmp_path: Path, log: str, why: str) -> None:
    run = write_run(tmp_path / "run", [])
    (run / "log.jsonl").write_text(log)
    with pytest.raises(InputError, match=why):
        run_sections(run)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a log of a run"):
        read_lines(tmp_path / "log.jsonl")
