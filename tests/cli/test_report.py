"""`textgroup report` as a person meets it."""

import re
from pathlib import Path

import pytest

from tests.cli.test_cli import refused
from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.cli import main
from textgroup.config.run import OptimConfig
from textgroup.training.loop import train

HOSTILE = "a red <script>alert(1)</script> ring $x_{"


def test_a_run_is_one_page_that_needs_no_other_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tiny_config(tmp_path / "run", optim=OptimConfig(batch_size=8, epochs=2, warmup_epochs=1)), tiny_inputs())
    out = tmp_path / "page.html"
    for _ in range(2):
        assert main(["report", str(tmp_path / "run"), "--out", str(out), "--caption", HOSTILE]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{out}: 4 sections"
    page = out.read_text()
    assert "<script" not in page
    assert "contrastive" in page
    assert "model:" in page, "the configuration"
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count('<span class="unit"') >= 1


def test_what_is_no_run_and_no_results_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", str(tmp_path / "page.html")]
    assert "no such directory" in refused(capsys, "report", str(tmp_path / "none"), *words)
    (tmp_path / "empty").mkdir()
    assert "neither a run (log.jsonl) nor results" in refused(capsys, "report", str(tmp_path / "empty"), *words)
    (tmp_path / "page.html").write_text("mine")
    assert "no page of TextGroup's" in refused(capsys, "report", str(tmp_path / "empty"), *words)
    assert (tmp_path / "page.html").read_text() == "mine"
