"""The demo, small: it trains both models, prints, and writes a page that stands by itself."""

import re
import signal
from pathlib import Path

import pytest

from textgroup.cli import main
from textgroup.experiments import demo
from textgroup.training import loop


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(demo, "TRAIN_SCENES", 700)
    monkeypatch.setattr(demo, "HELD_OUT_SCENES", 30)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_demo_shows_both_recipes_beside_the_equal_split(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--steps", "12", "--out", "report.html"]) == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    for words in ("before", "after", "the paper's recipe", "equal split in 4", "tIoU", "report.html"):
        assert words in printed
    page = (small / "report.html").read_text()
    assert page.count("data:image/svg+xml;base64,") == 2 * demo.EXAMPLES + 3, "two maps an example, and three curves"
    assert page.count("data:image/png;base64,") == demo.EXAMPLES + 1, "a scene an example, and the photograph"
    row = re.search(r"equal split in 4</t[dh]>(.*?)</tr>", page, re.DOTALL)
    assert row, "the equal split stands in the table"
    assert row[1].count("<td") == 4, "tIoU, P, R, F1, as its head says"
    assert not re.search(r'(src|href)="(?!data:|https://arxiv\.org)', page), "the page needs no other file"
    assert main(["segment", "-c", "runs/demo/scenes", "a small red ring"]) == 0
    assert "small" in capsys.readouterr().out


def test_an_interrupted_demo_says_so_in_one_line(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = loop.take_step

    def interrupted(*arguments: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return step(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "take_step", interrupted)
    assert main(["demo", "--steps", "3"]) == 130
    assert capsys.readouterr().err.strip().endswith("textgroup: interrupted")
    assert not (small / "report.html").exists()


def test_a_second_demo_replaces_the_first_and_nothing_else(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small / "runs" / "scenes").mkdir(parents=True)
    for name in ("config.yaml", "log.jsonl"):
        (small / "runs" / "scenes" / name).write_text("of a run of one's own")
    for _ in range(2):
        assert main(["demo", "--steps", "2"]) == 0, capsys.readouterr().err
    assert (small / "report.html").is_file()
    assert (small / "runs" / "scenes" / "log.jsonl").read_text() == "of a run of one's own"
    assert "The next demo replaces it, and the models in runs/demo" in capsys.readouterr().out


def test_a_report_that_is_somebody_elses_is_left_alone(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small / "report.html").write_text("<p>mine")
    assert main(["demo", "--steps", "2"]) == 2
    captured = capsys.readouterr()
    assert captured.err == (
        "textgroup: --out report.html is there and is no page of TextGroup's: remove it, or give another name\n"
    )
    assert captured.out == "", "it is said before the work"


def test_the_equal_split_in_four_does_not_solve_the_scenes() -> None:
    from textgroup.data.scenes.scene import scenes
    from textgroup.text.tokenizer import CaptionTokenizer

    captions = [scene.caption for scene, _ in zip(scenes(0), range(500))]
    held_out = demo.HeldOut.make(0, 500, CaptionTokenizer.train(captions, 1024))
    assert 100 * held_out.score_equal(4).tiou < 65


@pytest.mark.slow
def test_units_form_under_the_shipped_setting_and_the_papers_leaks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the demo claims: above every equal split, no warning; the paper's recipe leaks at this size."""
    monkeypatch.chdir(tmp_path)
    inputs, held_out = demo.scene_inputs(1)
    ours, paper = (
        demo.train_outcome(title, demo.shipped_config(name, inputs, seed=1), inputs, held_out)
        for name, title in demo.RUNS
    )
    best_split = max(held_out.score_equal(pieces).tiou for pieces in range(1, 9))
    assert held_out.score(ours.model).tiou > best_split
    assert ours.history[-1].warnings == []
    assert any("leak" in warning for warning in paper.history[-1].warnings)
