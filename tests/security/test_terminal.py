"""Captions and file names of strangers reach a terminal as text: no control sequence of theirs is obeyed."""

import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from tests.cli.checkpoints import write_backbone, write_checkpoint
from textgroup.cli import main
from textgroup.report import terminal
from textgroup.report.printable import json_line, one_line, printable
from textgroup.units import Unit

ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\x7f\u202egpj.exe"
"""Sets the window's title, clears the screen, colours, deletes, reverses."""
CAPTION = f"a man {ESCAPES} in a hat"
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("terminal")
    write_checkpoint(where / "run", ["a man in a hat"], write_backbone(where / "backbone"))
    (where / "images").mkdir()
    Image.new("RGB", (96, 96)).save(where / "images" / "good.png")
    (where / "images" / f"bad{ESCAPES}.png").write_bytes(b"no picture")
    return where


@given(st.text())
def test_what_is_printed_holds_no_control_and_json_still_says_all(text: str) -> None:
    assert not CONTROLS.search(printable(text))
    assert "\n" not in one_line(text)
    assert not CONTROLS.search(json_line({"caption": text}))
    assert json.loads(json_line({"caption": text})) == {"caption": text}


def test_plain_text_of_any_script_is_printed_as_it_is() -> None:
    for text in ("a man\tin\na hat", "שלום مرحبا", "👨‍👩‍👧 ไทย 한국어", "e\u0301\u200d\u200e"):
        assert printable(text) == text


@pytest.mark.filterwarnings("ignore:encode_text")  # the caption is longer than this small model reads
@pytest.mark.parametrize("command", ["segment", "score", "align", "ground", "segment-file"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_command_prints_a_control(
    folder: Path, tmp_path: Path, command: str, form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, image = ["-c", str(folder / "run")], str(folder / "images" / "good.png")
    (tmp_path / "captions.txt").write_text(CAPTION + "\n")
    words = {
        "segment": ["segment", CAPTION],
        "segment-file": ["segment", "--file", str(tmp_path / "captions.txt")],
        "score": ["score", image, CAPTION],
        "align": ["align", image, CAPTION],
        "ground": ["ground", image, CAPTION],
    }
    assert main([*words[command], *checkpoint, *form]) == 0
    printed = "".join(capsys.readouterr())
    assert not CONTROLS.search(printed)
    assert "\\u001b" in printed
    if form and command != "score":
        assert json.loads(printed.splitlines()[0])["caption"] == CAPTION


def test_names_of_skipped_images_are_printed_as_text(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, encoder = str(folder / "images"), f"backbone:{folder / 'backbone'}"
    assert main(["features", "--images", source, "--encoder", encoder, "--out", str(tmp_path / "f")]) == 0
    printed = "".join(capsys.readouterr())
    assert "bad\\u001b" in printed
    assert not CONTROLS.search(printed)


@pytest.mark.parametrize(
    "words",
    [
        ["segment", "-c", f"/nowhere{ESCAPES}", "a man"],
        ["segment", "--file", f"/nowhere{ESCAPES}"],
        [f"segm{ESCAPES}"],
        ["segment", f"--{ESCAPES}"],
        ["features", "--images", f"/nowhere{ESCAPES}", "--encoder", f"groupvit:/{ESCAPES}", "--out", "o"],
        ["train", "--config", f"/nowhere{ESCAPES}.yaml"],
        ["train", f"--data.captions{ESCAPES}", "x"],
        ["evaluate", "phrases", "--annotations", f"/nowhere{ESCAPES}", "--segmenter", "model"],
        ["evaluate", f"{ESCAPES}"],
    ],
)
def test_no_message_holds_a_control(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert not CONTROLS.search(captured.err + captured.out)


def test_on_a_terminal_no_colour_but_our_own_is_set() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, color_system="truecolor", width=200, highlight=False)
    console.print(terminal.colour_units([Unit(CAPTION, 0, len(CAPTION), 0)], console))
    terminal.table(CAPTION, [CAPTION, "b"], [[CAPTION, "[red]x[/red]"]], console)
    with terminal.TrainingBar(CAPTION, console).bar as bar:
        bar.refresh()
    terminal.TrainingBar(CAPTION, console).show(1, 2, {"total": 1.0}, 3.0, [CAPTION])
    printed = file.getvalue()
    assert "\x1b]0" not in printed
    assert "\x1b[2J" not in printed
    assert "[red]x[/red]" in printed, "brackets are text, not the markup of the library that prints"
    own = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", printed)
    assert not CONTROLS.search(own.replace("\r", ""))
