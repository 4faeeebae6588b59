"""`textgroup ground` and `textgroup evaluate grounding`, as a person meets them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.checkpoints import write_backbone, write_checkpoint
from tests.cli.test_cli import refused
from tests.data.sources.test_boxes import annotation, thing
from tests.data.sources.test_boxes import write as write_boxes
from textgroup.cli import main
from textgroup.inference import scene
from textgroup.inference.heat import largest_cosine

CAPTIONS = {"11": "[/EN#1/people A man] rides [/EN#2/other a bike]", "12": "[/EN#3/animals A dog] sleeps"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs with captions and boxes, a third whose file is missing, and a checkpoint."""
    where = tmp_path_factory.mktemp("grounding")
    backbone = write_backbone(where / "backbone")
    write_checkpoint(where / "run", ["A man rides a bike", "A dog sleeps"], backbone)
    write_checkpoint(where / "blind", ["A man rides a bike"], None)
    (where / "images").mkdir()
    for i, name in enumerate(CAPTIONS):
        pixels = np.random.default_rng(i).integers(0, 256, (60, 90, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(where / "images" / f"{name}.jpg")
    (where / "others").mkdir()
    Image.new("RGB", (8, 8)).save(where / "others" / "99.jpg")
    entities = where / "entities"
    (entities / "Sentences").mkdir(parents=True)
    for name, text in {**CAPTIONS, "13": CAPTIONS["12"]}.items():
        (entities / "Sentences" / f"{name}.txt").write_text(text + "\n")
    (entities / "val.txt").write_text("11\n12\n13\n")
    boxes = annotation(thing(["1"], (0, 0, 100, 100)), thing(["2"], (100, 0, 200, 100)), thing(["3"], (0, 0, 20, 20)))
    write_boxes(entities, dict.fromkeys(("11", "12", "13"), boxes))
    return where


def test_ground_says_where_and_draws_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene, "ANSWERS", -1.0)  # the model is not trained
    photograph, out = folder / "images" / "11.jpg", tmp_path / "new" / "overlay.png"
    command = ["ground", "-c", str(folder / "run"), str(photograph), "A man rides a bike"]
    assert main([*command, "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert str(out) in lines[-1]
    assert all("%" in line for line in lines[:-1])
    with Image.open(out) as picture:
        assert picture.format == "PNG"
        assert picture.width > 300
    assert main([*command, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert " ".join(unit["text"] for unit in record["units"]) == record["caption"], "each word is in a unit, in order"
    for unit in record["units"]:
        heat, (x0, y0, x1, y1) = np.array(unit["heat"]), unit["box"]
        assert heat.shape == (3, 3), "96 pixels in patches of 32"
        assert largest_cosine(heat) == pytest.approx(unit["score"], abs=1e-3)
        assert 0 <= x0 < x1 <= 1
        assert 0 <= y0 < y1 <= 1


def test_ground_refuses_what_it_cannot_do(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photograph, run = str(folder / "images" / "11.jpg"), str(folder / "run")
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    assert "caption is empty" in refused(capsys, "ground", "-c", run, photograph, " ")
    assert "broken.jpg" in refused(capsys, "ground", "-c", run, str(tmp_path / "broken.jpg"), "A man")
    assert "nowhere.jpg" in refused(capsys, "ground", "-c", run, str(tmp_path / "nowhere.jpg"), "A man")
    assert "captions alone" in refused(capsys, "ground", "-c", str(folder / "blind"), photograph, "A man")
    assert "nowhere" in refused(capsys, "ground", "-c", run, photograph, "A man", "--encoder", "backbone:nowhere")
    into = refused(capsys, "ground", "-c", run, photograph, "A man", "--out", str(tmp_path / "broken.jpg" / "o.png"))
    assert "broken.jpg" in into


def evaluate(folder: Path, out: Path, *models: str, images: str = "images") -> list[str]:
    words = ["evaluate", "grounding", "--annotations", str(folder / "entities"), "--images", str(folder / images)]
    return [*words, *(word for model in models for word in ("--model", model)), "--out", str(out)]


def test_evaluate_grounding_stands_beside_the_baselines(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heats = tmp_path / "heats.jsonl"
    with heats.open("w") as file:
        for image, text, start, end, heat in [
            ("11", "A man rides a bike", 0, 5, [[1, 0]]),
            ("11", "A man rides a bike", 12, 18, [[0, 1]]),
            ("12", "A dog sleeps", 0, 5, [[1] + [0] * 9] + [[0] * 10] * 9),
        ]:
            line = {"image": image, "caption": text, "start": start, "end": end, "heat": heat}
            file.write(json.dumps(line) + "\n")
    model = f"model:{folder / 'run'}"
    assert main(evaluate(folder, tmp_path / "out", model, f"file:{heats}")) == 0
    captured = capsys.readouterr()
    assert "1 of 3 photographs with boxes are missing" in captured.err
    assert "2 photographs, 3 mentions" in captured.out
    records = {r["model"]: r for r in json.loads((tmp_path / "out" / "grounding.json").read_text())}
    blind = ["random point", "centre", "whole picture"]
    assert list(records) == [*blind, model, f"{model}, shuffled images", f"file:{heats}"]
    assert records["random point"]["pointing_mass"] == pytest.approx(100 * (0.5 + 0.5 + 0.02) / 3, abs=0.1)
    assert records[f"file:{heats}"]["pointing_mass"] == 100
    assert records[f"file:{heats}"]["unit_f1"] is None
    assert 0 <= records[model]["auc"] <= 100
    assert (tmp_path / "out" / "grounding.md").read_text().startswith("# Grounding\n")


def test_evaluate_grounding_refuses_what_it_cannot_do(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = f"model:{folder / 'run'}"
    assert "the packaged one" in refused(capsys, *evaluate(folder, tmp_path, "run"))
    assert "captions alone" in refused(capsys, *evaluate(folder, tmp_path, f"model:{folder / 'blind'}"))
    assert "none of 3 photographs" in refused(capsys, *evaluate(folder, tmp_path, model, images="others"))
    assert "no such file or folder" in refused(capsys, *evaluate(folder, tmp_path, model, images="nowhere"))
    assert "no Annotations" in refused(capsys, *evaluate(folder, tmp_path, model), "--boxes", str(folder / "images"))
    assert "test" in refused(capsys, *evaluate(folder, tmp_path, model), "--split", "test")
    assert not list(tmp_path.iterdir()), "nothing is written"
