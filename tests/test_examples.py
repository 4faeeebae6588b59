"""The notebooks of examples/ run from top to bottom, on a CPU, and are committed without output."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from textgroup.cli import main

EXAMPLES = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


def code(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def run(source: str, scope: dict[str, Any]) -> None:
    """A cell as Jupyter runs it: Python, or a line of the shell behind `!`, which is a command of ours."""
    if source.startswith("!"):
        program, *words = shlex.split(source.removeprefix("!").replace("\\\n", " "))
        assert program == "textgroup"
        assert main(words) == 0, source
    else:
        exec(source, scope)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_committed_without_output(notebook: Path) -> None:
    assert [cell for cell in code(notebook) if cell["outputs"] or cell["execution_count"] is not None] == []


@pytest.mark.slow
def test_own_data_leads_from_a_folder_of_pictures_to_an_overlay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {"__name__": "__main__"}
    for cell in code(EXAMPLES / "own_data.ipynb"):
        run("".join(cell["source"]).replace("PICTURES = 60", "PICTURES = 20"), scope)
    assert scope["PICTURES"] == 20
    told = capsys.readouterr()
    assert "features/drawings: 20 images, 1376 wide, 0 skipped" in told.out
    assert "train: 20 captions, all used" in told.err
    assert (tmp_path / "drawings" / "0.txt").read_text() in "".join(code(EXAMPLES / "own_data.ipynb")[3]["source"])
    assert (tmp_path / "overlay.png").stat().st_size > 10_000
    assert scope["model"].model.image_encoder["encoder"] == "backbone:packaged"
