"""From photographs to features, a trained run, scores and retrieval."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.checkpoints import write_backbone
from tests.cli.test_cli import refused
from tests.data.sources.test_samples import write_tar
from textgroup.cli import main
from textgroup.model.late_interaction import NULL


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


def test_a_device_that_is_not_there_is_told(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("score", "align", "ground"):
        said = refused(capsys, command, str(photographs / "0.png"), "a dog", "--device", "banana")
        assert "device 'banana': not available" in said
    said = refused(
        capsys, "evaluate", "retrieval", *["-c", "x", "--features", "x", "--captions", "x", "--device", "cuda"]
    )
    assert "--device cuda: with -c" in said


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
