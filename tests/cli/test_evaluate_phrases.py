"""`textgroup evaluate phrases` as a person meets it."""

import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.cli import main
from textgroup.config.run import OptimConfig
from textgroup.training.loop import train

FILES = {
    "val.txt": "11\n12\n13\n",
    "Sentences/11.txt": "[/EN#1/people A man] rides [/EN#2/vehicles a bike]\n[/EN#1/people A man] waits\n",
    "Sentences/12.txt": "[/EN#7/animals Two dogs] run\n[/EN#7/animals two dogs broken\n",
    "Sentences/13.txt": "It rains\n",
}
KEYS = [
    *("segmenter", "split", "n_captions", "n_phrases", "tiou", "precision", "recall", "f1", "strict_tiou"),
    *("exact_precision", "exact_recall", "exact_f1", "units_per_caption", "count_error"),
    *("count_correlation", "matched_pairs", "unmatched_gold", "captions_per_second", "ci95"),
]


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    path = tmp_path / "entities.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    return path


def evaluate(annotations: Path, *words: str) -> int:
    return main(["evaluate", "phrases", "--annotations", str(annotations), *words])


def refused(capsys: pytest.CaptureFixture[str], annotations: Path, *words: str) -> str:
    assert evaluate(annotations, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("textgroup: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_it_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "phrases", "--help"])
    printed = capsys.readouterr().out
    assert "usage: textgroup evaluate phrases" in printed
    assert "left-entropy:THRESHOLD" in printed


def test_it_prints_a_table_and_writes_the_results(
    annotations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three captions with four phrases of two words each, so single words have an IoU of 1/2 with theirs."""
    units = tmp_path / "units.jsonl"
    with units.open("w") as file:
        for caption, spans in {
            "A man rides a bike": [(0, 5), (12, 18)],
            "A man waits": [(0, 5)],
            "Two dogs run": [],
        }.items():
            record = {"caption": caption, "units": [{"start": a, "end": b} for a, b in spans]}
            file.write(json.dumps(record) + "\n")
    out = tmp_path / "new" / "results"
    words = ["--tokenizer", "words", "--segmenter", "singletons", "--segmenter", f"file:{units}", "--out", str(out)]
    assert evaluate(annotations, *words) == 0
    captured = capsys.readouterr()
    assert "3 captions" in captured.out
    assert "singletons" in captured.out
    assert "12.txt, line 2" in captured.err, "what was skipped is named"
    singletons, ours = json.loads((out / "phrases.json").read_text())
    assert list(singletons) == KEYS
    assert list(ours) == [*KEYS, "difference"]
    assert (singletons["split"], singletons["n_captions"], singletons["n_phrases"]) == ("val", 3, 4)
    assert singletons["tiou"] == pytest.approx(50)
    assert singletons["units_per_caption"] == pytest.approx((5 + 3 + 3) / 3, abs=1e-4)
    assert (singletons["matched_pairs"], singletons["unmatched_gold"]) == (4, 0)
    assert ours["segmenter"] == f"file:{units}"
    assert ours["tiou"] == pytest.approx((100 + 100 + 0) / 3, abs=1e-4)
    assert ours["exact_recall"] == pytest.approx(75)
    assert ours["exact_precision"] == pytest.approx(100)
    assert (ours["matched_pairs"], ours["unmatched_gold"]) == (3, 1)
    low, high = ours["ci95"]["tiou"]
    assert low <= ours["tiou"] <= high
    assert ours["difference"]["from"] == "singletons"
    assert ours["difference"]["tiou"]["value"] == pytest.approx(ours["tiou"] - 50, abs=1e-3)
    page = (out / "phrases.md").read_text()
    assert "| paper: Table 3, text group transformer, K=4 | 76.42 | 87.25 | 85.83 | 83.72 |" in page
    assert "Differences from singletons" in page
    assert sorted(p.name for p in out.iterdir()) == ["phrases.json", "phrases.md"]


def test_what_segment_writes_scores_as_the_checkpoint_does(annotations: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(tiny_config(run, optim=OptimConfig(batch_size=8, epochs=1, warmup_epochs=0)), tiny_inputs())
    (tmp_path / "captions.txt").write_text("Two dogs run\nA man rides a bike\nA man waits\n")
    units = tmp_path / "units.jsonl"
    assert main(["segment", "-c", str(run), "--file", str(tmp_path / "captions.txt"), "--out", str(units)]) == 0
    words = ["--segmenter", f"model:{run}", "--segmenter", f"file:{units}", "--out", str(tmp_path / "out")]
    assert evaluate(annotations, *words) == 0, "without --tokenizer, the checkpoint's tokens are compared"
    _, copy = json.loads((tmp_path / "out" / "phrases.json").read_text())
    difference = copy.pop("difference")
    assert difference.pop("from") == f"model:{run}"
    assert all(figure == {"value": 0, "ci95": [0, 0]} for figure in difference.values())


def test_the_same_command_gives_the_same_intervals(annotations: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        words = [
            "--tokenizer",
            "words",
            "--segmenter",
            "random:2",
            "--segmenter",
            "equal:2",
            "--out",
            str(tmp_path / name),
        ]
        assert evaluate(annotations, *words) == 0
    one, two = (json.loads((tmp_path / name / "phrases.json").read_text()) for name in ("one", "two"))
    for record in one + two:
        del record["captions_per_second"]
    assert one == two


def test_odd_names_of_files_do_not_break_the_results(annotations: Path, tmp_path: Path) -> None:
    captions = ("A man rides a bike", "A man waits", "Two dogs run")
    units = tmp_path / "a|b\udcff[" / "x].jsonl"  # a byte that is not UTF-8; what looks like markup
    units.parent.mkdir()
    units.write_text("".join(json.dumps({"caption": caption, "units": []}) + "\n" for caption in captions))
    words = ["--tokenizer", "words", *2 * ["--segmenter", f"file:{units}"], "--out", str(tmp_path / "out")]
    assert evaluate(annotations, *words) == 0
    assert json.loads((tmp_path / "out" / "phrases.json").read_text())[0]["segmenter"] == f"file:{units}"
    assert "a\\|b\\udcff[/x].jsonl** | 0.00 [0.00, 0.00] |" in (tmp_path / "out" / "phrases.md").read_text()


def test_a_terminal_without_the_letters_shows_their_codes(
    annotations: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = tmp_path / "é.jsonl"
    units.write_text('{"caption": "A man rides a bike", "units": []}\n')
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert evaluate(annotations, "--tokenizer", "words", "--segmenter", f"file:{units}", "--limit", "1") == 0
    assert "\\xe9.jsonl" in terminal.buffer.getvalue().decode()  # type: ignore[attr-defined]


def test_limit_and_drop_notvisual(annotations: Path, tmp_path: Path) -> None:
    words = ["--tokenizer", "words", "--segmenter", "equal:1", "--out", str(tmp_path / "out")]
    assert evaluate(annotations, *words, "--limit", "1", "--drop-notvisual") == 0
    (record,) = json.loads((tmp_path / "out" / "phrases.json").read_text())
    assert (record["n_captions"], record["n_phrases"]) == (1, 2)


def test_it_refuses_in_one_line(annotations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--tokenizer", "words", "--segmenter"]
    assert "no test.txt" in refused(capsys, annotations, *words, "equal:2", "--split", "test")
    assert "no segmenter 'magic'" in refused(capsys, annotations, *words, "magic")
    assert "--limit 0" in refused(capsys, annotations, *words, "equal:2", "--limit", "0")
    assert "give a directory" in refused(capsys, annotations, *words, "equal:2", "--out", str(annotations))
    assert "give a directory" in refused(capsys, annotations, *words, "equal:2", "--out", str(annotations / "out"))
    (tmp_path / "out" / "phrases.md").mkdir(parents=True)
    assert "phrases.md in it" in refused(capsys, annotations, *words, "equal:2", "--out", str(tmp_path / "out"))
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["phrases.md"], "not one of the two alone"
    assert "--tokenizer" in refused(capsys, annotations, "--segmenter", "equal:2")
    assert "nowhere" in refused(capsys, annotations, "--segmenter", "equal:2", "--tokenizer", "nowhere")
    assert "nowhere" in refused(capsys, tmp_path / "nowhere", *words, "equal:2")
    bare = tmp_path / "bare"
    (bare / "Sentences").mkdir(parents=True)
    (bare / "val.txt").write_text("1\n")
    (bare / "Sentences" / "1.txt").write_text("It rains\n")
    assert "none of the 1 captions has a phrase" in refused(capsys, bare, *words, "equal:2")
    assert "--segmenter" in refused(capsys, annotations, "--tokenizer", "words")
    whole = annotations.read_bytes()
    annotations.write_bytes(whole[: len(whole) // 2])
    assert "not a whole zip" in refused(capsys, annotations, *words, "equal:2")


def test_a_run_that_fails_leaves_the_old_results(
    annotations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "phrases.json").write_text("what was there")
    (tmp_path / "units.jsonl").write_text('{"caption": "A man waits", "units": []}\n')
    words = ["--tokenizer", "words", "--segmenter", f"file:{tmp_path / 'units.jsonl'}", "--out", str(tmp_path)]
    assert evaluate(annotations, *words) == 2
    assert "no line for the caption 'A man rides a bike'" in capsys.readouterr().err
    assert (tmp_path / "phrases.json").read_text() == "what was there"
