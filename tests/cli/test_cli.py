"""The commands as a person meets them: what they print, where they write, how they refuse."""

import contextlib
import csv
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.checkpoints import write_backbone
from tests.data.sources.test_samples import write_tar
from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.cli import main
from textgroup.config.run import OptimConfig
from textgroup.model.late_interaction import NULL
from textgroup.training.loop import train

ONE_EPOCH = OptimConfig(batch_size=8, epochs=1, warmup_epochs=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train(tiny_config(out, optim=ONE_EPOCH), tiny_inputs())
    return out


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("weights") / "backbone")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures of plain colours, one of them broken, and a table of captions."""
    where = tmp_path_factory.mktemp("photographs")
    with (where / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "caption"])
        for i, colour in enumerate(["red", "green", "blue"] * 4):
            Image.new("RGB", (100 + i, 96), colour).save(where / f"{i}.png")
            table.writerow([f"{i}.png", f"a {colour} picture, number {i}"])
            table.writerow([f"{i}.png", f"everything is {colour}"])
    (where / "5.png").write_bytes(b"not a picture")
    return where


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must fail: status 2, one line on standard error, nothing on standard output."""
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("textgroup: ")
    assert captured.err.count("\n") == 1
    return captured.err


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


def test_a_device_that_is_not_there_is_told(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("score", "align", "ground"):
        said = refused(capsys, command, str(photographs / "0.png"), "a dog", "--device", "banana")
        assert "device 'banana': not available" in said
    said = refused(
        capsys, "evaluate", "retrieval", *["-c", "x", "--features", "x", "--captions", "x", "--device", "cuda"]
    )
    assert "--device cuda: with -c" in said


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


def test_features_train_score_and_retrieval_on_photographs(
    photographs: Path, backbone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, table, out = tmp_path / "features", photographs / "captions.csv", tmp_path / "run"
    encode = ["features", "--images", str(table), "--encoder", f"backbone:{backbone}", "--out", str(store)]
    assert main(encode) == 0
    printed = capsys.readouterr().out
    assert "11 images" in printed
    assert "5.png" in printed, "a skipped image is named"
    assert main(encode) == 0, "a complete store is left as it is"

    words = ["train", "--config", "configs/flickr8k.yaml", "--out", str(out)]
    words += ["--image_encoder", "backbone:backbone", "--data.captions", str(table), "--data.features", str(store)]
    words += ["--data.val_captions", str(table), "--data.val_features", str(store), "--tokenizer.vocabulary", "600"]
    words += ["--model.encoder.width", "16", "--model.encoder.heads", "2", "--optim.batch_size", "4"]
    words += ["--optim.epochs", "3", "--optim.warmup_epochs", "1"]
    assert main(words) == 0, capsys.readouterr().err
    assert (out / "last" / "model.safetensors").is_file()
    assert main([*words, "--resume"]) == 0, "a finished run that is resumed is finished"
    capsys.readouterr()

    score = ["score", "-c", str(out), str(photographs / "0.png"), "a red picture", "everything is blue", "--json"]
    assert main(score) == 0
    scores = json.loads(capsys.readouterr().out)["scores"]
    assert {s["caption"] for s in scores} == {"a red picture", "everything is blue"}
    assert scores[0]["cosine"] >= scores[1]["cosine"]

    retrieve = ["evaluate", "retrieval", "-c", str(out), "--captions", str(table), "--features", str(store), "--json"]
    assert main(retrieve) == 0
    recall = json.loads(capsys.readouterr().out)
    assert (recall["images"], recall["captions"]) == (11, 22)
    assert 0 <= recall["text_to_image"]["r1"] <= recall["text_to_image"]["r10"] <= 100

    align = ["align", "-c", str(out), str(photographs / "0.png"), "a red picture", "everything is blue"]
    assert main([*align, "--json"]) == 0
    aligned = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["caption"] for line in aligned] == ["a red picture", "everything is blue"]
    for unit in (unit for line in aligned for unit in line["units"]):
        best = int(np.argmax(unit["cosines"]))
        assert len(unit["cosines"]) == 9, "3 x 3 patches of 32 pixels"
        assert unit["object"] == (best if unit["cosines"][best] > NULL else None)
        assert (unit["point"] is None) == (unit["object"] is None)
    assert main(align) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(len(line["units"]) for line in aligned)
    places = [re.fullmatch(r"(?:none|object \d+ +\d+% +\d+%) +[+-]\d\.\d{3}  .+", line) for line in lines]
    assert all(places), "each object has a place"
    assert "a caption is empty" in refused(capsys, *align, " ")
    for term in ("alignment", "grounding"):
        said = refused(
            capsys, *words, f"--loss.{term}", "1", "--loss.paraphrase", "0", "--out", str(tmp_path / "never")
        )
        assert "--groups" in said
        assert f"loss.{term} to 0" in said

    assert "5.png" in refused(capsys, "score", "-c", str(out), str(photographs / "5.png"), "a red picture")
    assert "nowhere.png" in refused(capsys, "score", "-c", str(out), "nowhere.png", "a red picture")
    words[words.index("backbone:backbone")] = "groupvit:nvidia/groupvit-gcc-yfcc"
    words[words.index(str(out))] = str(tmp_path / "other")
    assert "was made by backbone:" in refused(capsys, *words)


def test_scoring_without_an_image_side_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "captions.txt").write_text("a red ring\na blue star\nthere is a fish\n" * 10)
    out = tmp_path / "run"
    variant = "configs/variants/no_contrastive.yaml"
    words = ["train", "--config", "configs/paper.yaml", "--config", variant, "--out", str(out)]
    words += ["--tokenizer.source", "null"]
    words += ["--tokenizer.vocabulary", "600", "--data.captions", str(tmp_path / "captions.txt")]
    words += ["--model.encoder.width", "16", "--model.encoder.heads", "2", "--model.encoder.layers_before", "1"]
    words += ["--optim.batch_size", "8", "--optim.epochs", "1", "--optim.warmup_epochs", "0"]
    assert main(words) == 0, capsys.readouterr().err
    capsys.readouterr()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "x.png")
    assert "captions alone" in refused(capsys, "score", "-c", str(out), str(tmp_path / "x.png"), "a red ring")


def test_train_refuses_a_wrong_column_by_listing_those_there_are(
    photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--config", "configs/flickr8k.yaml", "--out", str(tmp_path / "run"), "--data.features", "null"]
    words += ["--data.captions", str(photographs / "captions.csv"), "--data.caption_column", "text"]
    words += ["--data.val_captions", "null", "--data.val_features", "null"]
    error = refused(capsys, *words)
    assert "text" in error
    assert "'image', 'caption'" in error
    assert not (tmp_path / "run").exists()


def test_train_without_captions_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--data.captions" in refused(capsys, "train", "--out", "runs/never")


def test_features_are_shared_among_the_processes_that_torchrun_starts(
    backbone: Path,
    photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, numbers in (("a", (0, 1, 2, 3)), ("b", (4, 5, 6))):
        write_tar(tmp_path / f"{name}.tar", {f"{i}.png": (photographs / f"{i}.png").read_bytes() for i in numbers})
    given = ["features", "--images", f"{tmp_path}/{{a,b}}.tar", "--encoder", f"backbone:{backbone}"]
    given += ["--out", str(tmp_path / "store")]
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert "2 shards for 3 processes: start at most 2" in refused(capsys, *given)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(given) == 0
    assert "process 0 of 2 is done" in capsys.readouterr().out
    monkeypatch.setenv("RANK", "1")
    assert main(given) == 0
    assert "6 images" in capsys.readouterr().out  # of seven one is broken


def test_a_demo_of_no_steps_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--steps -5" in refused(capsys, "demo", "--steps", "-5")
