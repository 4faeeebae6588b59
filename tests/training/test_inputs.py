"""What a run trains on: counted, shared with other runs, and made again when its sources have changed."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.tiny import tiny_config
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.config.run import DataConfig, LossConfig, RunConfig, TokenizerConfig, UnitsConfig
from textgroup.data.captions import CaptionData
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.model.grouping.contract import Grouping
from textgroup.model.grouping.dynamic import DynamicGroupTransformer
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.build import build_model
from textgroup.training.inputs import read_inputs
from textgroup.vision.store.writing import encode_features


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A store of pictures 0 to 5, of which 2 is broken, and captions of these and of 6, which the store lacks."""
    folder = write_images(tmp_path / "images", 6, broken=(2,))
    encode_features(read_samples(folder), TinyEncoder(), tmp_path / "store", source=str(folder))
    rows = [f"{n:04}.png,{text} {n}\n" for n in range(7) for text in ("a red picture", "picture")]
    (folder / "captions.csv").write_text("image,caption\n" + "".join(rows))
    return folder


def settings(tmp_path: Path, pictures: Path, **changes: object) -> RunConfig:
    data = DataConfig(captions=str(pictures / "captions.csv"), features=str(tmp_path / "store"), **changes)  # type: ignore[arg-type]
    config = tiny_config(tmp_path / "run", data=data, tokenizer=TokenizerConfig(vocabulary=540))
    return replace(config, image_encoder=TinyEncoder().identity()["encoder"])


def test_a_caption_without_its_image_stops_the_run_and_the_option_is_named(tmp_path: Path, pictures: Path) -> None:
    with pytest.raises(InputError, match=r"image '0006\.png' of .*captions\.csv.*data\.missing skip") as raised:
        read_inputs(settings(tmp_path, pictures))
    assert f"has those of {pictures}, such as '0000.png'" in str(raised.value), "so that one sees how names differ"


def test_a_store_that_is_not_there_is_told_with_its_field(tmp_path: Path, pictures: Path) -> None:
    given = {"val_captions": str(pictures / "captions.csv"), "val_features": str(tmp_path / "none"), "missing": "skip"}
    with pytest.raises(InputError, match=r"data\.val_features: .*none .*no manifest.*data\.val_captions null"):
        read_inputs(settings(tmp_path, pictures, **given))


def test_another_encoder_is_told_with_the_value_to_set(tmp_path: Path, pictures: Path) -> None:
    config = replace(settings(tmp_path, pictures), image_encoder="groupvit:elsewhere")
    with pytest.raises(InputError, match=f"set image_encoder to {TinyEncoder().identity()['encoder']}, or encode"):
        read_inputs(config)


def test_captions_without_image_are_skipped_and_counted_where_that_is_asked_for(tmp_path: Path, pictures: Path) -> None:
    config = settings(tmp_path, pictures, missing="skip")
    inputs = read_inputs(config)
    assert len(inputs.train) == 5
    assert len(inputs.train.starts) - 1 == 10
    told = inputs.counts["train"]
    assert told.startswith("14 captions = 10 used + 4 skipped (")
    assert "2: the image could not be read when it was encoded" in told
    assert "2: the feature store lacks the image" in told
    lines = (tmp_path / "run" / "tokens" / "train" / "skipped.jsonl").read_text().splitlines()
    assert [json.loads(line)["where"] for line in lines] == ["0002.png", "0006.png"]
    assert json.loads(lines[0]).keys() == {"where", "captions", "why"}, "as `textgroup features` writes it"
    assert read_inputs(config).counts == inputs.counts, "also when they are found, and not made"


def test_captions_alone_are_all_used_but_for_blank_ones(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("a red ring\na blue star\n")
    assert read_inputs(captions_alone(tmp_path)).counts == {"train": "2 captions, all used"}
    (tmp_path / "c.txt").write_text("a red ring\n\na blue star\n")
    (told,) = read_inputs(captions_alone(tmp_path, tokens=str(tmp_path / "other"))).counts.values()
    assert told.startswith("3 captions = 2 used + 1 skipped (1: a blank caption; ")


def captions_alone(tmp_path: Path, source: str = "c.txt", tokens: str | None = None) -> RunConfig:
    data = DataConfig(captions=f"{tmp_path}/{source}", tokens=tokens)
    config = tiny_config(tmp_path / "run", data=data, tokenizer=TokenizerConfig(vocabulary=540))
    return replace(config, image_encoder=None)


def test_captions_that_were_replaced_are_tokenised_again_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.txt").write_text("a red ring\n")
    read_inputs(captions_alone(tmp_path))
    assert capsys.readouterr().err == ""
    (tmp_path / "c.txt").write_text("a red ring\na blue star\n")
    assert len(read_inputs(captions_alone(tmp_path)).train) == 2
    assert "is made again, because of other files" in capsys.readouterr().err


@pytest.mark.slow
def test_runs_that_share_tokens_and_begin_together_have_the_same(tmp_path: Path) -> None:
    """Each process reads its inputs as soon as all are ready."""
    captions = [" ".join(np.random.default_rng(n).choice(list("abcdefgh"), 6)) for n in range(3000)]
    (tmp_path / "c.txt").write_text("\n".join(captions) + "\n")
    script = (
        "import sys, pickle, warnings; from textgroup.training.inputs import read_inputs; "
        "config = pickle.load(open(sys.argv[1], 'rb')); print('ready', flush=True); input(); "
        "warnings.simplefilter('ignore'); print(read_inputs(config).train.digest(), flush=True)"
    )
    processes = []
    for name in "abc":
        config = replace(captions_alone(tmp_path, tokens=str(tmp_path / "tokens")), out=str(tmp_path / name))
        (tmp_path / f"{name}.pickle").write_bytes(pickle.dumps(config))
        command = [sys.executable, "-c", script, str(tmp_path / f"{name}.pickle")]
        processes.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], answers
    assert len({out for out, _ in answers}) == 1
    assert sorted(path.name for path in (tmp_path / "tokens").iterdir()) == [".lock", "train"]


def test_tokens_that_may_only_be_read_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.txt").write_text("a red ring\n")
    config = captions_alone(tmp_path, tokens=str(tmp_path / "tokens"))
    read_inputs(config)
    (tmp_path / "tokens" / ".lock").unlink()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert len(read_inputs(config).train) == 1
    assert not (tmp_path / "tokens" / ".lock").exists()


def test_translations_are_read_and_given_to_what_learns_to_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = translated(tmp_path)
    heard: list[list[str]] = []

    def learn_to_cut(self: Grouping, captions: CaptionData, tokenizer: CaptionTokenizer, *given: Any) -> None:
        heard.extend([tokenizer.decode(data.caption(n)) for n in range(len(data))] for data in given[-1])

    monkeypatch.setattr(DynamicGroupTransformer, "learn_to_cut", learn_to_cut)
    inputs = read_inputs(config)
    build_model(config, inputs)
    assert heard == [["a man", "a dog"], ["un homme", "un chien"]]
    (tmp_path / "en.txt").write_text("a man\na cat\n")
    assert read_inputs(config).digest() != inputs.digest(), "a run that goes on notices other translations"


def translated(tmp_path: Path, **changes: object) -> RunConfig:
    for name, text in (("en.txt", "a man\na dog\n"), ("fr.txt", "un homme\nun chien\n")):
        (tmp_path / name).write_text(text)
    config = tiny_config(tmp_path / "run", image_encoder=None, tokenizer=TokenizerConfig(vocabulary=540))
    config = replace(config, loss=LossConfig())
    units = replace(config.units, translations=[str(tmp_path / "en.txt"), str(tmp_path / "fr.txt")])
    data = replace(config.data, captions=str(tmp_path / "fr.txt"))
    model = replace(config.model, encoder=replace(config.model.encoder, kind="dynamic"))
    return replace(config, **{"units": units, "data": data, "model": model, **changes})  # type: ignore[arg-type]


def test_translations_that_nothing_learns_from_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"units\.translations \['x'\] has one source"):
        UnitsConfig(translations=["x"])
    with pytest.raises(InputError, match=r"units\.translations .*fr\.txt is not in data\.captions: add it there"):
        translated(tmp_path, data=DataConfig(captions=["en.txt"]))
    with pytest.raises(InputError, match=r"router packaged has learned to cut already: set units\.translations"):
        translated(tmp_path, router="packaged")
    fixed = translated(tmp_path, model=tiny_config(tmp_path / "run").model)
    with pytest.raises(InputError, match=r"units\.translations with model\.encoder\.kind grouping, which does"):
        read_inputs(fixed)
