"""The page of results shows each file's figures with their intervals, and examples of ranking by seed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textgroup.data.probes.rows import Pair, Probe
from textgroup.errors import InputError
from textgroup.evaluation.grounding.benchmark import FIGURES
from textgroup.evaluation.page import EXAMPLES, evaluation_sections
from textgroup.evaluation.phrases.tiou import FIGURES as PHRASE_FIGURES
from textgroup.evaluation.ranking.accuracy import Scores, pairwise
from textgroup.evaluation.ranking.report import records
from textgroup.report.sections import write_sections

HOSTILE = "<script>alert('x')</script>"


def phrase_record(name: str, **more: Any) -> dict[str, Any]:
    averages = dict.fromkeys(PHRASE_FIGURES, 50.0)
    ci95 = {figure: [40.0, 60.0] for figure in PHRASE_FIGURES}
    counts = {"split": "val", "n_captions": 1000, "captions_per_second": 10.0}
    return {"segmenter": name, **counts, **averages, "ci95": ci95, **more}


def grounding_record(name: str) -> dict[str, Any]:
    by_type = {"pointing_mass_by_type": {HOSTILE: {"score": 12.5, "n_phrases": 8}}}
    figures = {**dict.fromkeys(FIGURES, 30.0), "auc": None, "ci95": {"pointing_mass": [20.0, 40.0]}}
    return {"model": name, "n_images": 2, "n_phrases": 8, **figures, **by_type}


def ranking_content(name: str) -> dict[str, Any]:
    rows = [Probe(str(i), "verb", Pair(f"{i}.jpg", "a dog runs"), Pair(f"{i}.jpg", "a dog sleeps")) for i in range(4)]
    first, second = (
        pairwise(model, "svo", rows, Scores(np.array(better), np.zeros(4)))
        for model, better in ((name, [1.0, 1, 1, -1]), ("other", [1.0, -1, -1, -1]))
    )
    skipped = [{"benchmark": "svo", "category": "verb", "why": HOSTILE, "rows": 3}]
    return {"figures": records([*first, *second]), "skipped": skipped, "thresholds": {}, "seconds": {}}


def ranking_rows(margins: list[float]) -> str:
    lines = (
        {"benchmark": "svo", "category": "verb", "id": f"{i}{HOSTILE}", "scores": {"model": [margin, 0.0]}}
        for i, margin in enumerate(margins)
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_every_file_of_results_has_its_tables_escaped(tmp_path: Path) -> None:
    difference = {"from": HOSTILE} | {f: {"value": 1.0, "ci95": [-1.0, 3.0]} for f in PHRASE_FIGURES}
    contents: dict[str, Any] = {
        "phrases.json": [phrase_record(HOSTILE), phrase_record("second", difference=difference)],
        "grounding.json": [grounding_record(HOSTILE)],
        "ranking.json": ranking_content(HOSTILE),
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "ranking_rows.jsonl").write_text(ranking_rows([0.5, -0.5]))
    write_sections(tmp_path / "out.html", HOSTILE, evaluation_sections(tmp_path))
    page = (tmp_path / "out.html").read_text()
    assert "<script" not in page
    for words in ("1,000 captions", "paper: Table 3", "[40.00, 60.00]", "12.5 (8)", "75.0", "Ranking: rows left out"):
        assert words in page
    assert "-50.0" in page, "the second model gets half as many rows right as the first"


def test_the_worst_and_best_rows_are_shown_and_others_by_seed(tmp_path: Path) -> None:
    margins = [float(i) for i in range(-20, 20)] + [float("nan")]
    (tmp_path / "ranking_rows.jsonl").write_text(ranking_rows(margins))
    (section,) = evaluation_sections(tmp_path, seed=0)
    shown = [row["cells"][2] for row in section.rows if "cells" in row]
    assert shown[:EXAMPLES] == [f"{margin:+.4f}" for margin in (-20, -19, -18, -17, -16)]
    assert shown[EXAMPLES : 2 * EXAMPLES] == [f"{margin:+.4f}" for margin in (19, 18, 17, 16, 15)]
    assert section.rows[0] == {"section": f"worst {EXAMPLES} of 40"}
    assert evaluation_sections(tmp_path, seed=0)[0].rows == section.rows
    assert evaluation_sections(tmp_path, seed=1)[0].rows[-EXAMPLES:] != section.rows[-EXAMPLES:]


def test_a_seed_decides_between_rows_that_are_alike(tmp_path: Path) -> None:
    (tmp_path / "ranking_rows.jsonl").write_text(ranking_rows([1.0] * 50))
    worst = [[row["cells"][0] for row in evaluation_sections(tmp_path, seed)[0].rows[1:6]] for seed in (0, 1)]
    assert worst[0] != worst[1]


@pytest.mark.parametrize("name", ["phrases.json", "grounding.json", "ranking.json"])
@pytest.mark.parametrize("content", ["{}", "[]", "[1]", '{"figures": 3}', "[" * 100_000, "nonsense"])
def test_a_file_that_the_command_did_not_write_is_refused_in_one_line(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=name):
        evaluation_sections(tmp_path)


@pytest.mark.parametrize("line", ["1", "{}", '{"benchmark": 1, "category": 2, "id": 3, "scores": {"m": [1]}}', "["])
def test_a_damaged_row_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "ranking_rows.jsonl").write_text(ranking_rows([1.0]) + line + "\n")
    with pytest.raises(InputError, match="line 2 is no row"):
        evaluation_sections(tmp_path)
