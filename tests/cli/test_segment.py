"""What `textgroup segment` prints: one line a caption, the same on a terminal and off it but for colour."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.inference.test_result import Terminal
from textgroup.cli import main

CAPTIONS = ["A man in a blue hat.", "", "A man and a man run."]
FORMATS = {
    "line": ["A man | in | a blue hat | .", "", "A man | and | a man | run | ."],
    "marked": ["[A man] | in | [a blue hat] | .", "", "[A man] | and | [a man] | run | ."],
    "phrases": ["a man . a blue hat .", "", "a man . a man ."],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "captions.txt").write_text("\n".join(CAPTIONS) + "\n")
    return tmp_path / "captions.txt"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["segment", *words]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_is_one_line_a_caption_from_the_command_line_and_from_a_file(
    form: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = FORMATS[form]
    assert printed(capsys, "--format", form, *filter(None, CAPTIONS)) == [lines[0], lines[2]]
    assert printed(capsys, "--format", form, "--file", str(file)) == lines
    assert main(["segment", "--format", form, "--file", str(file), "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out").read_text().splitlines() == lines


@pytest.mark.parametrize("given", ["arguments", "file"])
@pytest.mark.parametrize("form", [*FORMATS, "tokens-positive", "json"])
def test_a_terminal_changes_nothing_but_colour(
    form: str, given: str, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--format", form, *(["--file", str(file)] if given == "file" else CAPTIONS[:1])]
    expected = printed(capsys, *words)
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main(["segment", *words]) == 0
    seen = terminal.getvalue()
    assert ("\x1b[" in seen) == (form == "line")
    assert re.sub(r"\x1b\[[\d;]*m", "", seen).splitlines() == expected


@pytest.mark.parametrize("white", ["\n", "\r\n", "\x0b", "\x85", "\u2028", "  "])
@pytest.mark.parametrize("form", [*FORMATS, "json"])
def test_a_caption_is_a_line_whatever_white_space_is_in_it(
    form: str, white: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", "--format", form, f"A{white}man in a{white}blue hat."]) == 0
    shown = capsys.readouterr().out
    assert shown.endswith("\n")
    assert shown.count("\n") == 1
    if form != "json":
        assert len(shown.splitlines()) == 1
        assert "blue hat" in shown


def test_colours_never_go_to_a_file(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    out = tmp_path / "units.txt"
    assert main(["segment", "--file", str(file), "--format", "line", "--out", str(out)]) == 0
    assert out.read_text().splitlines() == FORMATS["line"]


def test_each_phrase_has_its_own_characters(capsys: pytest.CaptureFixture[str]) -> None:
    (record,) = map(json.loads, printed(capsys, "--format", "tokens-positive", CAPTIONS[2]))
    assert record["caption"] == CAPTIONS[2]
    assert record["tokens_positive"] == [[[0, 5]], [[10, 15]]]


def test_json_is_short_for_its_format_and_what_goes_to_a_file(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(capsys, "--format", "json", "--file", str(file))
    assert printed(capsys, "--json", "--file", str(file)) == lines
    assert main(["segment", "--file", str(file), "--out", str(tmp_path / "units.jsonl")]) == 0
    assert (tmp_path / "units.jsonl").read_text().splitlines() == lines
    assert [json.loads(line)["caption"] for line in lines] == CAPTIONS


def test_several_workers_print_the_same(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--file", str(file), "--format", "marked"]
    assert printed(capsys, *words, "--workers", "2") == FORMATS["marked"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers", "0", "a dog"], "--workers 0: give at least 1"),
        (["--workers", "many", "a dog"], "--workers: invalid int value: 'many'"),
        (["--format", "xml", "a dog"], "choose from"),
        (["--device", "banana", "a dog"], "device 'banana': not available"),
    ],
)
def test_what_makes_no_sense_is_told(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_file_given_as_a_caption_is_told_how_it_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(file.parent)
    assert main(["segment", "captions.txt"]) == 2
    assert "give --file captions.txt" in capsys.readouterr().err
    (file.parent / "a dog.txt").touch()
    assert printed(capsys, "a dog.txt") != [], "words are a caption"
    assert printed(capsys, "x" * 5000 + ".txt") != []


def test_help_shows_what_each_format_looks_like(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["segment", "--help"])
    shown = capsys.readouterr().out
    assert "a man . a blue hat ." in shown
    assert "[a man] | in | [a blue hat]" in shown
