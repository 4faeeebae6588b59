"""What the README tells a reader to run is run, in a folder with the files it names; what cannot be is looked up."""

import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from textgroup.cli import main
from textgroup.data.scenes.scene import render, scene

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
PYTHON = "".join(block for language, block in BLOCKS if language == "python")
SHELL = [block for language, block in BLOCKS if language != "python"]
(PICTURE,) = (block for block in SHELL if "PHOTO=" in block)
INLINE = sorted(set(re.findall(r"`(textgroup [^`]+)`", re.sub(r"^```.*?^```$", "", README, flags=re.M | re.S))))
SHORT = {
    "textgroup train --config units": "--units.teacher_steps 5 --units.steps 5 --tokenizer.vocabulary 600",
    "textgroup train --config photographs": "--optim.epochs 1 --optim.batch_size 4",
}
"""What makes a training one of seconds."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader works: `captions.txt`, `mine.txt`, and the folder `photos`, two captions a picture."""
    captions = [scene(0, i).caption for i in range(200)]
    (tmp_path / "captions.txt").write_text("A man in a blue hat holding a flag\ntwo cats\n")
    (tmp_path / "mine.txt").write_text("\n".join(captions))
    (tmp_path / "photos").mkdir()
    for i in range(1, 7):
        render(scene(0, i)).save(tmp_path / "photos" / f"{i}.jpg")
        (tmp_path / "photos" / f"{i}.txt").write_text(f"{captions[i]}\n{captions[i]} and nothing else\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "block",
    [pytest.param(b, marks=pytest.mark.slow if "textgroup train" in b else ()) for b in SHELL if b != PICTURE],
)
def test_every_command_does_what_the_readme_shows(
    block: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = re.findall(r"^\$ (.*\n)((?:[^$].*\n)*)", block, flags=re.MULTILINE)
    for command, shown in commands or [(line, None) for line in block.splitlines()]:
        capsys.readouterr()
        follow(command.strip(), monkeypatch)
        if shown is not None:
            assert capsys.readouterr().out == shown


def follow(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a line of the shell, or look up what it names."""
    program, *words = [os.path.expandvars(word) for word in shlex.split(command, comments=True)]
    if variable := re.match(r"(\w+)=\$\(python ", program + " "):
        monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        asked = f'{command}; printf "%s" "${variable[1]}"'
        told = subprocess.run(asked, shell=True, check=True, capture_output=True, text=True)
        monkeypatch.setenv(variable[1], told.stdout)
    elif program == "textgroup":
        shorter = next((more for start, more in SHORT.items() if command.startswith(start)), "")
        assert main([*words, *shorter.split()]) == 0, command
    elif program == "make":
        subprocess.run(["make", "--dry-run", *words], cwd=ROOT, check=True, capture_output=True)
    elif command.startswith("pip install"):
        assert [word for word in words if (ROOT / word).exists()] == ["constraints.txt", "."]
    else:
        pytest.fail(f"the README has a command that no test knows: {command}")


def test_python_gives_what_the_readme_shows() -> None:
    example = doctest.DocTestParser().get_doctest(PYTHON, {"__name__": "__main__"}, "README.md", "README.md", 0)
    assert len(example.examples) == PYTHON.count(">>> ") > 4
    said = io.StringIO()
    assert not doctest.DocTestRunner(verbose=False).run(example, out=said.write).failed, said.getvalue()


def test_the_first_picture_is_what_the_lines_below_it_draw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in PICTURE.splitlines():
        follow(command, monkeypatch)
    drawn, shown = (Image.open(path).convert("RGB") for path in ("overlay.png", ROOT / "docs" / "overlay.png"))
    assert drawn.size == shown.size
    differences = np.abs(np.asarray(drawn, dtype=float) - np.asarray(shown, dtype=float))
    assert differences.mean() < 0.2, "of 255, for another version of the libraries"


@pytest.mark.parametrize("command", INLINE)
def test_commands_within_the_text_and_their_options_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, *words = command.split()
    options = [word for word in words if word.startswith("--")]
    names = words[: words.index(options[0])] if options else words
    with suppress(SystemExit):  # argparse ends so, with status 0
        assert main([*names, "--help"]) == 0
    told = capsys.readouterr().out
    assert [option for option in options if option not in told and option != "--help"] == []
    if "--help" in options:
        assert main(words) == 0


@pytest.mark.parametrize("name", sorted(set(re.findall(r"--config (\w+)", README))))
def test_every_configuration_that_the_readme_names_is_shipped(name: str) -> None:
    assert (ROOT / "src" / "textgroup" / "config" / "shipped" / f"{name}.yaml").is_file()


ROWS = {
    "**the packaged model** | **97.2**": "| **the packaged model** (seed 0, `units.yaml`) |",
    "spaCy's noun chunks": "| spaCy's noun chunks (`en_core_web_sm` 3.8) |",
    "a supervised tagger": "| a supervised tagger and a grammar of noun phrases written by hand (`chunker:grammar`) |",
    "four equal cuts": "| four equal cuts |",
    "**the packaged model** | **76.2**": "| **the packaged model** (seed 0) |",
    "the same, shown another": "| the packaged model, shuffled images |",
    "the middle of the picture": "| centre |",
    "the whole picture": "| whole picture |",
}
"""How a row of the README begins, and the row of the page that it is from."""


def figures(row: str) -> list[list[float]]:
    """The numbers of each cell but the first: a value, and its interval where there is one."""
    return [[float(n) for n in re.findall(r"\d+\.\d+", cell)] for cell in row.split("|")[2:]]


@pytest.mark.parametrize("start", ROWS)
def test_figures_are_those_of_the_pages_that_measured_them(start: str) -> None:
    (shown,) = (line for line in README.splitlines() if line.startswith(f"| {start}"))
    pages = [(ROOT / "docs" / page).read_text().splitlines() for page in ("experiments.md", "grounding.md")]
    measured = figures(next(line for page in pages for line in page if line.startswith(ROWS[start])))
    for cell in filter(None, figures(shown)):
        fits = [len(m) >= len(cell) and all(abs(a - b) < 0.0501 for a, b in zip(cell, m)) for m in measured]
        assert any(fits), cell


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len(README.splitlines()) < 120
