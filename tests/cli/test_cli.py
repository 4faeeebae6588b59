"""The commands as a person meets them: their help, and how they refuse."""

import contextlib
import subprocess
import sys

import pytest

from textgroup.cli import main


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must fail: status 2, one line on standard error, nothing on standard output."""
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("textgroup: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_help_is_quick_and_needs_no_torch() -> None:
    code = (
        "import sys; from textgroup.cli import main; assert main(['--help']) == 0; "
        "assert not {'torch', 'transformers', 'jsonargparse', 'matplotlib'} & set(sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "textgroup segment" in finished.stdout


COMMANDS = ["demo", "segment", "score", "align", "ground", "export", "features", "train", "evaluate"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main([command, "--help"])
    except SystemExit as stopped:
        status = stopped.code if isinstance(stopped.code, int) else 1
    assert status == 0
    assert "usage: textgroup" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        *("segment", "score", "align", "ground", "features", "train"),
        *("evaluate grounding", "evaluate ranking", "evaluate retrieval"),
    ],
)
def test_every_command_that_encodes_says_where(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        main([*command.split(), "--help"])
    assert "--device" in capsys.readouterr().out


def test_the_help_of_a_command_lists_what_it_leads_to(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["evaluate"], ["evaluate", "-h"]):
        assert main(words) == 0
        shown = capsys.readouterr().out
        assert all(f"textgroup evaluate {name} " in shown for name in ("phrases", "grounding", "ranking", "retrieval"))
    assert "evaluate phrase: there are phrases, " in refused(capsys, "evaluate", "phrase")
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"  textgroup {command} " in shown for command in COMMANDS)


def test_the_package_runs_as_a_module() -> None:
    finished = subprocess.run([sys.executable, "-m", "textgroup", "--version"], capture_output=True, text=True)
    assert finished.stdout.startswith("textgroup ")
    assert finished.returncode == 0


def test_train_without_captions_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--data.captions" in refused(capsys, "train", "--out", "runs/never")


def test_a_demo_of_no_steps_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--steps -5" in refused(capsys, "demo", "--steps", "-5")
