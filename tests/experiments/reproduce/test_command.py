"""The command, from nothing to its pages, at a size of seconds."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from textgroup.cli import main
from textgroup.config.run import RunConfig
from textgroup.experiments.reproduce import command
from textgroup.experiments.reproduce.jobs import SHOWS, plan
from textgroup.experiments.reproduce.scenes import Scenes, Sizes
from textgroup.experiments.reproduce.tables import rows_for
from textgroup.training.build import Inputs

TINY = Sizes(train=260, test=12, encoder_steps=2, oracle_steps=3, steps=3, units_steps=2)


class OneFails(Scenes):
    """A scale of which one row cannot be trained."""

    def __init__(self, row: str) -> None:
        super().__init__(TINY)
        self._fails = row

    def inputs(self, config: RunConfig, row: str, encoder: Path) -> Inputs:
        if row == self._fails:
            raise ValueError("no luck")
        return super().inputs(config, row, encoder)


def test_a_tiny_run_writes_everything_names_what_failed_and_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "open_scale", lambda *_: OneFails("fixed"))
    words = ["reproduce", "table1", "figure2", "--out", str(tmp_path), "--jobs", "2"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "fixed, seed 0: failed: ValueError: no luck" in printed
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["failed"] == {"fixed, seed 0": "ValueError: no luck"}
    seeing = {"recipe/baseline", "recipe", "dynamic"}
    oracle = {f"{row}@oracle" for row in (*seeing, "fixed")}
    assert set(results["rows"]) == {"groupvit", *seeing, *oracle}
    assert {"ari", "best_iou", "svo/overall", "tiou"} <= set(results["rows"]["groupvit"])
    page = (tmp_path / "results.html").read_text()
    assert "no luck" in page and "81.68" not in page and "89.0" in page  # table 1 alone
    assert not re.search(r'(src|href)="(?!data:)', page)  # nothing is loaded from elsewhere
    assert (tmp_path / "figure2-recipe-1.svg").is_file() and (tmp_path / "figure2-recipe-1.png").is_file()
    assert "| recipe/baseline |" in (tmp_path / "results.md").read_text()

    before = (tmp_path / "results.json").read_bytes()
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "9 runs at the scale scenes, 8 of them done before" in printed
    assert (tmp_path / "results.json").read_bytes() == before

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_all", interrupt)
    (tmp_path / "results.json").unlink()
    assert main(words) == 130
    assert "interrupted: they have what was done" in capsys.readouterr().out
    assert json.loads((tmp_path / "results.json").read_text())["rows"] == results["rows"]


def test_without_the_object_encoder_what_needs_it_is_not_begun_and_the_rest_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "open_scale", lambda *_: OneFails("groupvit"))
    assert main(["reproduce", "objects", "figure2", "--out", str(tmp_path), "--jobs", "2"]) == 0
    assert "groupvit, seed 0: failed: ValueError: no luck" in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text())
    assert set(results["rows"]) == {"dynamic@oracle", "dynamic/alignment@oracle"}
    not_begun = "not begun: the object encoder failed"
    assert results["failed"] == {
        "groupvit, seed 0": "ValueError: no luck",
        "recipe, seed 0": not_begun,
        "fixed, seed 0": not_begun,
    }
    begun = {folder.name.rpartition("-0-")[0] for folder in (tmp_path / "scenes").iterdir()}
    assert begun == {"groupvit", "dynamic-oracle", "dynamic-alignment-oracle"}


def test_what_only_shows_results_is_there_under_that_name() -> None:
    assert all((Path(command.__file__).parent / name).is_file() for name in SHOWS)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["reproduce", "all", "--seeds", "3", "--dry-run", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"\d+ runs at the scale scenes, 0 of them done before\nabout \d+ minutes", printed)
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["table9"], "no table 'table9': there are table1"),
        (["table1", "--seeds", "0"], "--seeds 0"),
        (["table1", "--scale", "paper"], "7 of 7 data sets are missing: data/gcc3m-train (Conceptual Captions"),
        (["table1", "--scale", "flickr8k", "--data", "nowhere"], "nowhere has no flickr8k/flickr8k-train-"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *words, "--out", str(tmp_path)]) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1


def test_a_run_is_known_by_what_decides_its_result(tmp_path: Path) -> None:
    rows = rows_for(["table1"])
    jobs = plan(Scenes(TINY), rows, [0, 1], tmp_path)
    assert len({job.folder for job in jobs}) == len(jobs)
    again = plan(Scenes(TINY), rows, [0, 1], tmp_path)
    assert [job.folder for job in again] == [job.folder for job in jobs]
    longer = plan(Scenes(replace(TINY, oracle_steps=4, steps=4)), rows, [0, 1], tmp_path)
    assert not {job.folder for job in longer} & {job.folder for job in jobs}


def test_clusters_are_of_the_baselines_tokens(tmp_path: Path) -> None:
    jobs = plan(Scenes(TINY), rows_for(["table3"]), [0], tmp_path)
    of_baseline = next(job for job in jobs if job.name == "recipe/baseline")
    assert {"kmeans:4", "spectral:4", "meanshift"} < set(of_baseline.rows)
    assert {"recipe/untrained", "left-entropy", "equal:4"} == set(jobs[-1].rows)
