"""What a run that trains its image tower reads, what it refuses, and what it does not go on from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.data.sources.test_samples import write_tar
from tests.training.exactness.joint_runs import SMALL
from tests.training.tiny import COLOURS, IDENTITY, SHAPES, tiny_config, tiny_inputs
from textgroup.config.run import OptimConfig, RunConfig
from textgroup.errors import InputError
from textgroup.training.build import Inputs
from textgroup.training.exactness import joint
from textgroup.training.inputs import read_inputs
from textgroup.training.loop import train
from textgroup.vision.encoders.tower import ImageTower


def test_a_frozen_run_reads_no_photographs_and_has_no_tower(tmp_path: Path) -> None:
    inputs = tiny_inputs()
    assert inputs.tower is None
    model = train(tiny_config(tmp_path / "run", optim=OptimConfig(batch_size=8, epochs=2, warmup_epochs=1)), inputs)
    assert not (tmp_path / "run" / "last" / "image_encoder").exists()
    assert model.image_encoder == IDENTITY
    batch = inputs.train.batch(0, 8, 0)
    with joint.encode_photographs(None, batch, 1, None) as seen:
        assert seen is batch


def test_photographs_are_packed_once_and_a_broken_one_is_named(
    config: RunConfig, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = read_inputs(config)
    assert "1 of 17 photographs are skipped, such as broken.png" in capsys.readouterr().err
    assert len(inputs.train) == 16
    monkeypatch.setattr("textgroup.training.inputs.pack", lambda *_: pytest.fail("packed a second time"))
    again = read_inputs(config)
    first, second = (given.train.batch(0, 16, 0).image for given in (inputs, again))
    assert torch.equal(first, second)  # type: ignore[arg-type]


def test_a_row_of_the_store_is_the_picture_with_its_caption(config: RunConfig, pictures: Path) -> None:
    inputs = read_inputs(config)
    assert inputs.tower is not None
    batch = inputs.train.batch(0, 16, 0)
    images = iter(batch.image)  # type: ignore[arg-type]
    for chunk in batch.chunks:
        for ids, mask in zip(chunk.ids, chunk.mask):
            caption = inputs.tokenizer.decode(ids[mask].tolist())
            colour = next(word for word in COLOURS if word in caption)
            shape = next(word for word in SHAPES if word in caption)
            wanted = inputs.tower.transform(pictures.with_name(f"{colour}-{shape}.png"))
            assert np.array_equal(next(images).numpy(), wanted), caption


def test_shards_will_do_as_well_as_tables(config: RunConfig, pictures: Path, tmp_path: Path) -> None:
    members = {}
    for colour in COLOURS:
        members[f"{colour}.png"] = pictures.with_name(f"{colour}-ring.png").read_bytes()
        members[f"{colour}.txt"] = f"a {colour} ring".encode()
    write_tar(tmp_path / "a.tar", members)
    data = replace(config.data, captions=str(tmp_path / "a.tar"), val_captions=None)
    inputs = read_inputs(replace(config, data=data))
    assert inputs.train.pooled is not None
    assert inputs.train.pooled.shape == (4, 3, 32, 32)


def test_captions_without_photographs_are_refused(config: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("a red ring\na blue star\n")
    data = replace(config.data, captions=str(tmp_path / "captions.txt"), val_captions=None)
    with pytest.raises(InputError, match=r"captions\.txt: 1 has no photograph, and image_encoder trainable needs one"):
        read_inputs(replace(config, data=data))
    assert not (Path(config.out) / "tokens" / "train_photographs").exists()


def test_features_beside_a_trained_tower_are_refused(config: RunConfig) -> None:
    with pytest.raises(InputError, match=r"set data\.features and data\.val_features to null"):
        replace(config, data=replace(config.data, features="features/train"))


def test_weights_that_are_not_there_are_named(config: RunConfig) -> None:
    with pytest.raises(InputError, match="no directory /nowhere/groupvit"):
        read_inputs(replace(config, image_encoder="trainable:/nowhere/groupvit"))


def test_a_frozen_run_does_not_go_on_jointly_nor_a_joint_one_frozen(config: RunConfig, tmp_path: Path) -> None:
    short = OptimConfig(batch_size=8, epochs=2, warmup_epochs=1)
    inputs = read_inputs(config)
    train(replace(config, optim=short), inputs)
    frozen = Inputs(inputs.tokenizer, tiny_inputs().train, None, IDENTITY)
    with pytest.raises(InputError, match="trained with a trainable image_encoder, not a frozen one"):
        train(replace(config, optim=short), frozen, resume=True)
    train(tiny_config(tmp_path / "frozen", optim=short), tiny_inputs())
    with pytest.raises(InputError, match="trained with a frozen image_encoder, not a trainable one"):
        train(replace(config, optim=short, out=str(tmp_path / "frozen")), inputs, resume=True)


def test_a_tower_of_another_size_does_not_go_on(config: RunConfig, tmp_path: Path) -> None:
    short = replace(config, optim=OptimConfig(batch_size=8, epochs=2, warmup_epochs=1))
    train(short, read_inputs(short))
    ImageTower.random(0, **{**SMALL, "intermediate_size": 96}).model.save_pretrained(tmp_path / "larger")  # type: ignore[arg-type]
    other = replace(short, image_encoder=f"trainable:{tmp_path / 'larger'}")
    with pytest.raises(InputError, match="another size than this run's tower"):
        train(other, read_inputs(other), resume=True)
