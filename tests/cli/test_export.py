"""`textgroup export` as a person meets it, and the way to the Hub and back, by local directories."""

import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import ModelCard

import textgroup
from tests.cli.checkpoints import write_checkpoint
from tests.cli.test_cli import refused
from tests.evaluation.test_page import phrase_record
from textgroup.cli import main
from textgroup.model.pretrained import FILES
from textgroup.model.textgroup import TextGroupModel

CAPTION = "A man rides a bike"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "run", [CAPTION, "A dog sleeps"], None)
    return tmp_path / "run"


def export(run: Path, out: Path, *words: str) -> int:
    return main(["export", "-c", str(run), "--out", str(out), *words])


def test_an_export_has_a_card_with_its_evaluation(run: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "phrases.json").write_text(json.dumps([phrase_record("model:run")]))
    words = ["--evaluation", str(tmp_path / "results"), "--license", "mit", "--data", "mine", "--limit", "short ones"]
    assert export(run, tmp_path / "shared", *words) == 0
    card = ModelCard.load(tmp_path / "shared" / "README.md")
    assert card.data.license == "mit"
    assert "# shared" in card.text
    assert "model:run" in card.text


def test_results_that_are_not_there_are_named_and_nothing_is_written(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("export", "-c", str(run), "--out", str(tmp_path / "shared"), "--evaluation", str(tmp_path / "none"))
    assert "none of phrases.json" in refused(capsys, *words)
    assert not (tmp_path / "shared").exists()


def test_what_is_uploaded_is_what_a_name_on_the_hub_loads(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`upload_folder` sends the directory; `load` asks for the files that it needs, and gets the same units."""
    assert export(run, tmp_path / "shared") == 0
    asked: list[Any] = []

    def snapshot(name: str, allow_patterns: list[str]) -> str:
        asked.extend([name, *allow_patterns])
        (tmp_path / "cache").mkdir()
        for file in FILES:
            shutil.copy(tmp_path / "shared" / file, tmp_path / "cache")
        return str(tmp_path / "cache")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert textgroup.load("me/units").segment(CAPTION) == textgroup.load(tmp_path / "shared").segment(CAPTION)
    assert asked[0] == "me/units"
    assert set(FILES) <= set(asked)


def test_the_weights_alone_are_read_by_from_pretrained(run: Path, tmp_path: Path) -> None:
    assert export(run, tmp_path / "shared") == 0
    alone, whole = TextGroupModel.from_pretrained(tmp_path / "shared"), textgroup.load(tmp_path / "shared").model
    assert all((alone.state_dict()[name] == value).all() for name, value in whole.state_dict().items())
