"""Sources on the command line: what a command says of what it read, and of what it cannot read."""

import csv
import json
from pathlib import Path

import pytest

from tests.cli.checkpoints import write_backbone
from tests.cli.test_cli import refused
from tests.data.sources.test_samples import picture, write, write_tar
from textgroup.cli import main


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("weights") / "backbone")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A table with columns of its own names, one caption of which is blank."""
    for i in range(3):
        write(tmp_path / f"{i}.jpg", picture())
    with (tmp_path / "photos.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["photo", "said"], *([f"{i}.jpg", said] for i, said in enumerate(["a", "b", " "]))])
    return tmp_path / "photos.csv"


def test_features_end_with_a_count_and_write_down_all_that_was_skipped(
    tmp_path: Path, backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = {f"v1.{i}.jpg": picture() for i in range(4)} | {"README": b"x", "broken.png": b"no picture"}
    tar, out = write_tar(tmp_path / "a.tar", members), tmp_path / "store"
    words = ["features", "--images", str(tar), "--encoder", f"backbone:{backbone}", "--out", str(out)]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "5 samples with 4 images and 0 captions; 2 of 6 skipped" in said.err
    assert "1 x an image that cannot be decoded, such as broken" in said.err
    whys = [json.loads(line)["why"] for line in (out / "skipped.jsonl").read_text().splitlines()]
    assert len(whys) == 2
    assert main(words) == 0  # complete: nothing is read, and the list stays
    assert len((out / "skipped.jsonl").read_text().splitlines()) == 2
    capsys.readouterr()
    assert "broken (" in refused(capsys, *words[:-1], str(tmp_path / "strict"), "--strict")


def test_two_shards_with_the_same_keys_are_named_before_anything_is_encoded(
    tmp_path: Path, backbone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        write_tar(tmp_path / f"{name}.tar", {"0.jpg": picture()})
    words = ["--encoder", f"backbone:{backbone}", "--out", str(tmp_path / "store")]
    said = refused(capsys, "features", "--images", f"{tmp_path}/{{a,b}}.tar", *words)
    assert f"{tmp_path}/b.tar begins with the key '0', as {tmp_path}/a.tar does" in said


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["segment", "--file", "{}"], "--caption-column"),
        (
            ["features", "--images", "{}", "--encoder", "backbone:{w}", "--out", "x", "--image-column", "z"],
            "--image-column",
        ),
        (["evaluate", "retrieval", "--model", "x", "--captions", "{}"], "--caption-column"),
        (["train", "--out", "x", "--image_encoder", "null", "--data.captions", "{}"], "--data.caption_column"),
    ],
)
def test_a_wrong_column_names_the_file_and_the_option_of_the_command(
    words: list[str],
    option: str,
    photos: Path,
    backbone: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(photos.parent)
    monkeypatch.setattr("textgroup.evaluation.open_model.open_dual_encoder", lambda *given, **named: object())
    said = refused(capsys, *(word.format(photos, w=backbone) for word in words))
    assert f"{photos}" in said
    assert "there are 'photo', 'said'" in said
    assert f"with {option}" in said


@pytest.mark.parametrize("more", [["--json"], ["--format", "tokens-positive", "--workers", "2"]])
def test_units_of_a_table_say_whose_they_are(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = write(tmp_path / "a.csv", 'image,caption\nx/1.jpg,a dog\nx/1.jpg,a "cat"\nx/2.jpg,\nx/3.jpg,a bird\n')
    plain = write(tmp_path / "b.csv", "caption\na dog\na cat\n")
    expected = {pictures: [("x/1.jpg", "a dog"), ("x/1.jpg", 'a "cat"'), ("x/3.jpg", "a bird")]}
    expected |= {plain: [("2", "a dog"), ("3", "a cat")]}
    for source, pairs in expected.items():
        assert main(["segment", "--file", str(source), *more]) == 0
        records = map(json.loads, capsys.readouterr().out.splitlines())
        assert [(record["key"], record["caption"]) for record in records] == pairs


def test_segment_reads_the_captions_of_a_table_not_its_rows(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["segment", "--file", str(photos), "--caption-column", "said", "--json"]) == 0
    said = capsys.readouterr()
    assert [json.loads(line)["caption"] for line in said.out.splitlines()] == ["a", "b"]
    assert "1 of 3 skipped" in said.err
    rows = write(photos.parent / "t.txt", "1.jpg;a dog;red\n2.jpg;a cat;blue\n")
    assert "looks like a row of a table" in refused(capsys, "segment", "--file", str(rows))


def test_an_unquoted_pattern_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tars = [str(write_tar(tmp_path / f"{name}.tar", {"1.jpg": picture()})) for name in "abc"]
    for words in (
        ["features", "--encoder", "groupvit", "--out", "x", "--images", *tars],
        ["train", "--out", "x", "--data.captions", *tars],
        ["evaluate", "retrieval", "-c", "x", "--features", "y", "--captions", *tars],
    ):
        assert "several files after one option; quote the pattern, such as '*.tar'" in refused(capsys, *words)


def test_a_home_directory_is_known_everywhere(
    tmp_path: Path, backbone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "weights").symlink_to(backbone)
    write_tar(tmp_path / "a.tar", {"1.jpg": picture()})
    assert main(["features", "--images", "~/a.tar", "--encoder", "backbone:~/weights", "--out", "~/store"]) == 0
    assert (tmp_path / "store" / "manifest.json").is_file()
    capsys.readouterr()
    write(tmp_path / "t.txt", "a dog\n")
    assert main(["segment", "--file", "~/t.txt", "--json"]) == 0
    capsys.readouterr()
    for words in (
        ["segment", "--file", "~no-such-user/x"],
        ["features", "--images", "~no-such-user/x", "--encoder", "groupvit"],
    ):
        assert "write the path in full" in refused(capsys, *words, "--out", "~no-such-user/x")
