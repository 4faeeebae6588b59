"""What Tab offers, asked as argcomplete's function in bash and zsh asks."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("argcomplete", reason="completion needs argcomplete: pip install 'textgroup[completion]'")
BIN = Path(sys.executable).parent


def offered(line: str, folder: Path, shell: str = "bash") -> set[str]:
    """What stands on file descriptor 8 when Tab is pressed at the end of the line."""
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_SHELL": shell}
    where = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "_ARGCOMPLETE_STDOUT_FILENAME": "out"}
    command = [sys.executable, "-m", "textgroup"]
    run = subprocess.run(command, cwd=folder, env=os.environ | asked | where, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    out = folder / "out"
    told = out.read_text().split("\n") if out.exists() else []
    out.unlink(missing_ok=True)
    return {word.strip() for word in told if word}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("textgroup se", {"segment"}),
        ("textgroup evaluate r", {"ranking", "retrieval"}),
        ("textgroup segment --fo", {"--format"}),
        ("textgroup segment --format p", {"phrases"}),
        ("textgroup export -c run --on", {"--onnx"}),
        ("textgroup train --loss.gr", {"--loss.grounding", "--loss.grounded"}),
        ("textgroup train --config un", {"units", "units_multilingual"}),
        ("textgroup segment --file mi", {"mine.txt"}),
        ("textgroup nonsense --o", set()),
    ],
)
def test_tab_offers_commands_options_values_and_files(line: str, expected: set[str], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    assert offered(line, tmp_path) == expected


def test_in_zsh_each_offer_has_its_help(tmp_path: Path) -> None:
    told = dict(offer.split(":", 1) for offer in offered("textgroup segment --f", tmp_path, "zsh"))
    assert told.keys() == {"--file", "--format"}
    assert "one a line" in told["--file"]


def test_nothing_is_run_while_tab_is_pressed(tmp_path: Path) -> None:
    assert offered("textgroup demo ", tmp_path) >= {"--out", "--steps"}
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_asks_nothing_is_imported_for_it() -> None:
    code = "import sys; from textgroup.cli import main; main(['--help']); sys.exit('argcomplete' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL).returncode == 0


def test_bash_completes_after_the_line_of_the_readme(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    line = 'eval "$(register-python-argcomplete textgroup)"'
    assert f"`{line}`" in readme
    program = tmp_path / "textgroup"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m textgroup "$@"\n')
    program.chmod(0o755)
    press_tab = (
        "COMP_LINE='textgroup gr' COMP_POINT=12 COMP_TYPE=9; _python_argcomplete textgroup; echo ${COMPREPLY[@]}"
    )
    settings = os.environ | {"PATH": f"{tmp_path}:{BIN}:{os.environ['PATH']}"}
    command = ["bash", "-c", f"{line}; {press_tab}"]
    assert subprocess.run(command, env=settings, capture_output=True, text=True).stdout.split() == ["ground"]
