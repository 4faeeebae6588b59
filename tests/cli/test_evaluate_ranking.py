"""`textgroup evaluate ranking`, and `retrieval` for models of others, as a person meets them."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli.checkpoints import write_backbone, write_checkpoint
from tests.cli.test_cli import refused
from tests.data.probes.examples import write_pictures, write_svo
from tests.evaluation.two_towers import write_clip
from textgroup.cli import main
from textgroup.config.model import DecoderConfig

COLOURS = ("red", "lime", "blue")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with captions, three benchmarks, a random checkpoint with its backbone, and a random CLIP."""
    where = tmp_path_factory.mktemp("ranking")
    backbone = write_backbone(where / "backbone")
    for name, decoder in (("run", DecoderConfig()), ("mute", None)):
        write_checkpoint(where / name, [f"a {colour} picture" for colour in COLOURS], backbone, decoder)
    write_clip(where / "clip")
    pictures = {f"{i}.png": colour for i, colour in enumerate(COLOURS, 1)}
    images = write_pictures(where / "images", pictures | {"4.png": "text"})
    with (images / "captions.csv").open("w", newline="") as file:
        rows = [(name, f"a {colour} picture{end}") for name, colour in pictures.items() for end in ("", " again")]
        csv.writer(file).writerows([("image", "caption"), *rows])
    write_svo(where / "svo.csv")
    plain = {"image": "1.png", "caption": "a red picture", "worse_caption": "a blue picture"}
    (where / "mine.jsonl").write_text(json.dumps(plain))
    return where


@pytest.mark.filterwarnings("ignore:encode_text")  # a caption is longer than the small model reads
def test_ranking_compares_models_on_the_rows_whose_images_are_there(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "ranking", "--probe", f"svo:{folder / 'svo.csv'}", "--probe", f"jsonl:{folder / 'mine.jsonl'}"]
    words += ["--model", f"model:{folder / 'run'}", "--model", f"transformers:{folder / 'clip'}", "--blind"]
    words += ["--images", str(folder / "images"), "--fit-on", str(folder / "images" / "captions.csv")]
    assert main([*words, "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    captured = capsys.readouterr()
    assert "svo: 7 rows left out" in captured.err
    assert "paper: ours, K=4" in captured.out
    content = json.loads((tmp_path / "out" / "ranking.json").read_text())
    run = f"model:{folder / 'run'}"
    assert {f["model"] for f in content["figures"]} == {
        run,
        f"{run}, blind",
        f"{run}, blind, a token",
        f"transformers:{folder / 'clip'}",
    }
    assert content["thresholds"].keys() == {run, f"transformers:{folder / 'clip'}"}
    overall = [f for f in content["figures"] if (f["benchmark"], f["category"]) == ("svo", "overall")]
    assert {f["rows"] for f in overall} == {3}
    blind = next(f for f in overall if f["model"] == f"{run}, blind")
    assert (blind["score"], blind["ties"]) == (50, 3), "one caption for two images: nothing to see without them"
    for figure in content["figures"]:
        assert figure["ci95"][0] <= figure["score"] <= figure["ci95"][1]
        assert ("difference" in figure) == (figure["model"] != run)
    lines = (tmp_path / "out" / "ranking_rows.jsonl").read_text().splitlines()
    assert [json.loads(line)["benchmark"] for line in lines] == ["svo"] * 3 + ["jsonl"]

    again = ["--only", str(tmp_path / "out" / "ranking_rows.jsonl"), "--out", str(tmp_path / "again")]
    assert main([*words, *again]) == 0
    assert (tmp_path / "again" / "ranking_rows.jsonl").read_text().splitlines() == lines


def test_ranking_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "ranking", "--help"])
    assert stopped.value.code == 0
    assert "usage: textgroup evaluate ranking" in capsys.readouterr().out


def test_blind_alone_needs_no_image(folder: Path, tmp_path: Path) -> None:
    words = ["evaluate", "ranking", "--model", f"model:{folder / 'run'}", "--probe", f"jsonl:{folder / 'mine.jsonl'}"]
    assert main([*words, "--blind", "--out", str(tmp_path)]) == 0
    figures = json.loads((tmp_path / "ranking.json").read_text())["figures"]
    assert [figure["model"].partition(", ")[2] for figure in figures] == ["blind", "blind, a token"]


def test_ranking_refuses_what_it_cannot_do(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refusal(
        *more: str, model: str = f"model:{folder / 'run'}", probe: str = f"jsonl:{folder / 'mine.jsonl'}"
    ) -> str:
        given = ["--model", model, "--probe", probe, "--out", str(tmp_path / "out"), *more]
        return refused(capsys, "evaluate", "ranking", *given)

    images = ("--images", str(folder / "images"))
    assert "--images, or --blind" in refusal()
    assert "none of the models has a decoder" in refusal("--blind", model=f"model:{folder / 'mute'}")
    assert "a kind comes twice" in refusal(*images, "--probe", f"jsonl:{folder / 'mine.jsonl'}")
    assert "KIND one of" in refusal(*images, probe="svo")
    assert "take model[:PATH]" in refusal(*images, model="run")
    assert "give --probe svo" in refusal(*images, "--fit-on", str(folder / "images" / "captions.csv"))
    assert "device 'abacus'" in refusal(*images, "--device", "abacus")
    assert "batch-size" in refusal(*images, "--batch-size", "0")
    assert "no such file or folder" in refusal("--images", str(tmp_path / "nowhere"))
    (tmp_path / "out").write_text("a file")
    assert "give a directory" in refusal(*images)
    assert (tmp_path / "out").read_text() == "a file"


def test_retrieval_takes_any_model_and_reads_the_images_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = str(folder / "images" / "captions.csv")
    for model in (f"transformers:{folder / 'clip'}", f"model:{folder / 'run'}"):
        assert main(["evaluate", "retrieval", "--model", model, "--captions", captions, "--json"]) == 0
        recall = json.loads(capsys.readouterr().out)
        assert (recall["images"], recall["captions"]) == (3, 6)
    assert main(["evaluate", "retrieval", "--model", model, "--captions", captions, "--first", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["captions"] == 3


def test_retrieval_wants_either_a_store_or_the_images(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions, store = str(folder / "images" / "captions.csv"), str(tmp_path / "store")
    backbone = f"backbone:{folder / 'backbone'}"
    assert main(["features", "--images", captions, "--encoder", backbone, "--out", store]) == 0
    capsys.readouterr()
    words = ["evaluate", "retrieval", "--captions", captions, "--json"]
    assert main([*words, "-c", str(folder / "run"), "--features", store]) == 0
    assert json.loads(capsys.readouterr().out)["captions"] == 6
    assert "-c with --features" in refused(capsys, *words, "-c", str(folder / "run"))
    assert "--encoder" in refused(capsys, *words, "-c", str(folder / "run"), "--features", store, "--encoder", backbone)
    assert "-c with --features" in refused(capsys, *words, "--model", "groupvit", "--features", store)
    assert "required" in refused(capsys, *words)
    (tmp_path / "twice.csv").write_text("image,caption\n" + "".join(f"{folder}/images/{i}.png,a\n" for i in (1, 2, 1)))
    twice = ["evaluate", "retrieval", "--captions", str(tmp_path / "twice.csv"), "--json"]
    (tmp_path / "same").mkdir()
    encode = ["features", "--images", str(tmp_path / "twice.csv"), "--encoder", backbone]
    assert main([*encode, "--out", str(tmp_path / "same" / "store")]) == 0
    capsys.readouterr()
    stored = ["-c", str(folder / "run"), "--features", str(tmp_path / "same" / "store")]
    for model in (["--model", f"model:{folder / 'run'}"], stored):  # rows of an image need not be adjacent
        assert main([*twice, *model]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["images"], found["captions"]) == (2, 3)
