"""`textgroup segment`: what it prints, where it writes, and what it refuses."""

import functools
import http.server
import json
import os
import threading
from pathlib import Path

import pytest

from tests.cli.test_cli import refused
from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.cli import main
from textgroup.config.run import OptimConfig
from textgroup.training.loop import train

ONE_EPOCH = OptimConfig(batch_size=8, epochs=1, warmup_epochs=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train(tiny_config(out, optim=ONE_EPOCH), tiny_inputs())
    return out


def test_segment_prints_the_units_separated_by_bars(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", "-c", str(run), "a red ring", "there is a star"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.replace(" | ", " ") for line in lines] == ["a red ring", "there is a star"]


def test_segment_speaks_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", "-c", str(run), "--json", "A red \u201cring\u201d"]) == 0
    segmented = json.loads(capsys.readouterr().out)
    assert segmented["caption"] == "A red \u201cring\u201d"
    for unit in segmented["units"]:
        assert segmented["caption"][unit["start"] : unit["end"]] == unit["text"]


def test_segment_writes_a_file_line_for_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    captions = ["a red ring", "", "a blue star , it is blue"] * 50
    (tmp_path / "captions.txt").write_text("\n".join(captions) + "\n")
    out = tmp_path / "units.jsonl"
    assert main(["segment", "-c", str(run), "--file", str(tmp_path / "captions.txt"), "--out", str(out)]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["caption"] for line in lines] == captions
    assert all(bool(line["units"]) == bool(line["caption"]) for line in lines)
    assert "50 empty lines" in capsys.readouterr().err
    assert list(tmp_path.glob(".*")) == []


def test_segment_reads_from_a_pipe_by_name(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As `--file <(command)` gives it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=["a red ring\na blue fish\n"], daemon=True)
    writer.start()
    assert main(["segment", "-c", str(run), "--file", str(pipe), "--json"]) == 0, capsys.readouterr().err
    writer.join()
    assert [json.loads(line)["caption"] for line in capsys.readouterr().out.splitlines()] == [
        "a red ring",
        "a blue fish",
    ]


def test_a_broken_file_leaves_the_old_output_alone(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "captions.txt").write_bytes(b"a red ring\n" * 5000 + b"\xff\xfe broken\n")
    out = tmp_path / "units.jsonl"
    out.write_text("what was there")
    error = refused(capsys, "segment", "-c", str(run), "--file", str(tmp_path / "captions.txt"), "--out", str(out))
    assert "captions.txt" in error
    assert out.read_text() == "what was there"
    assert list(tmp_path.glob(".*")) == []


def test_segment_says_when_most_words_of_captions_are_new_to_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", "a man in a blue hat", "Un hombre con un sombrero azul sostiene una bandera."]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    assert printed.err.startswith("textgroup: of 1 of 2 captions most words are new to this model")
    assert "train one on captions of yours" in printed.err
    assert main(["segment", "a man in a blue hat"]) == 0
    assert capsys.readouterr().err == ""


def test_segment_names_the_multilingual_model_where_it_knows_the_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    strange = [
        "Ein Mann mit einem blauen Hut hält eine Fahne.",
        "Un hombre con un sombrero azul sostiene una bandera.",
        "Žena sedí na lavičce v parku.",
    ]
    assert main(["segment", *strange]) == 0
    assert "(2 of them look like German, French or Czech: -c multilingual)" in capsys.readouterr().err
    assert main(["segment", "-c", "multilingual", *strange[:1]]) == 0
    assert capsys.readouterr().err == ""
    (tmp_path / "multilingual").mkdir()  # under this name there is something else
    assert main(["segment", *strange]) == 0
    assert "train one on captions of yours" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["part-{0..1}.csv", "part-*.csv", "URL/part-{0..1}.csv", "~/part-{0..1}.csv"])
def test_segment_reads_whatever_a_source_may_be(
    name: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(2):
        (tmp_path / f"part-{i}.csv").write_text(f"image,caption\n{i}.jpg,a ring {i}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source = name.replace("URL", f"http://127.0.0.1:{server.server_port}")
        assert main(["segment", "-c", str(run), "--file", source]) == 0
        server.shutdown()
    lines = capsys.readouterr().out.splitlines()
    assert [line.replace(" | ", " ") for line in lines] == ["a ring 0", "a ring 1"]


def test_segment_refuses_what_it_cannot_read(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.txt").write_text("")
    assert "captions or --file" in refused(capsys, "segment", "-c", str(run))
    assert "empty" in refused(capsys, "segment", "-c", str(run), " ")
    assert "nowhere.txt" in refused(capsys, "segment", "-c", str(run), "--file", "nowhere.txt")
    assert "no captions" in refused(capsys, "segment", "-c", str(run), "--file", str(tmp_path / "empty.txt"))
    assert str(tmp_path) in refused(capsys, "segment", "-c", str(tmp_path), "a ring")
    assert "nowhere" in refused(capsys, "segment", "-c", "nowhere", "a ring")
    assert "no command 'segmnt'" in refused(capsys, "segmnt")
    (tmp_path / "endless.txt").write_text("a ring " * 200_000)
    assert "line 1 is longer" in refused(capsys, "segment", "-c", str(run), "--file", str(tmp_path / "endless.txt"))
    (tmp_path / "one.txt").write_text("a ring")
    given = ["segment", "-c", str(run), "--file", str(tmp_path / "one.txt"), "--out"]
    assert "is a directory" in refused(capsys, *given, str(tmp_path))
    assert "one.txt" in refused(capsys, *given, str(tmp_path / "one.txt" / "below.jsonl"))
