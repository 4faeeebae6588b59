"""Whole runs: they learn, they write what they say they write, they stop and go on."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.model import ModelConfig
from textgroup.config.run import LossConfig, OptimConfig
from textgroup.data.captions import CaptionData
from textgroup.data.statistics.cooccurrence import cooccurrence
from textgroup.errors import InputError
from textgroup.model.pretrained import load_model
from textgroup.training.build import Inputs, build_model
from textgroup.training.loop import train
from textgroup.training.runs import checkpoint
from textgroup.training.runs.log import read
from textgroup.training.runs.progress import Progress


def same(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_a_run_learns_both_losses_and_matches_images(tmp_path: Path) -> None:
    train(tiny_config(tmp_path / "run"), tiny_inputs())
    lines = read(tmp_path / "run" / "log.jsonl")
    first, last = lines[0], lines[-1]
    assert last["step"] == 40
    assert last["contrastive"] < 0.7 * first["contrastive"]
    assert last["reconstruction"] < 0.7 * first["reconstruction"]
    assert last["val_i2t_r5"] > 1.5 * 100 * 5 / 16  # well above chance
    for name in ("groups_in_use", "runs", "entropy", "biggest_share", "lr", "captions_per_second"):
        assert name in first, "monitors are there from the first step on"


def test_a_checkpoint_holds_the_trained_model_and_its_tokenizer(tmp_path: Path) -> None:
    inputs = tiny_inputs()
    model = train(tiny_config(tmp_path / "run"), inputs)
    loaded, tokenizer = load_model(tmp_path / "run")
    assert same(model, loaded)
    assert not loaded.training
    assert tokenizer.ids(["a red ring"]) == inputs.tokenizer.ids(["a red ring"])
    assert loaded.image_encoder == inputs.image_encoder
    names = sorted(p.name for p in (tmp_path / "run" / "last").iterdir())
    assert names == ["config.json", "model.safetensors", "tokenizer.json", "training.safetensors"]


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path) -> None:
    train(tiny_config(tmp_path / "run"), tiny_inputs())
    kept = sorted(p.name for p in (tmp_path / "run" / "checkpoints").iterdir())
    assert kept == ["000030", "000040"]
    assert str((tmp_path / "run" / "last").readlink()) == "checkpoints/000040"


def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(tmp_path: Path) -> None:
    inputs = tiny_inputs()
    unbroken = train(tiny_config(tmp_path / "a"), inputs)

    class Kill(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.step == 17:
            raise Kill

    with pytest.raises(Kill):
        train(tiny_config(tmp_path / "b"), inputs, progress=kill)
    resumed = train(tiny_config(tmp_path / "b"), inputs, resume=True)
    assert same(unbroken, resumed)
    steps = [line["step"] for line in read(tmp_path / "b" / "log.jsonl")]
    assert steps == sorted(set(steps)), "steps that were taken twice are logged once"
    assert steps[-1] == 40


def test_a_run_that_is_told_to_stop_saves_itself(tmp_path: Path) -> None:
    script = """
        import os, signal, sys
        from pathlib import Path
        from tests.training.tiny import tiny_config, tiny_inputs
        from textgroup.training.loop import Stopped, train
        def stop(progress):
            if progress.step == 13:
                os.kill(os.getpid(), signal.SIGTERM)
        try:
            train(tiny_config(Path(sys.argv[1])), tiny_inputs(), progress=stop)
        except Stopped as stopped:
            print(stopped)
    """
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "stopped at step 14 of 40" in done.stdout
    assert int(load_file(tmp_path / "run" / "last" / checkpoint.STATE)["step"]) == 14


def test_a_new_run_does_not_overwrite_an_old_one(tmp_path: Path) -> None:
    short = tiny_config(tmp_path / "run", optim=OptimConfig(batch_size=8, epochs=1, warmup_epochs=0))
    train(short, tiny_inputs())
    before = (tmp_path / "run" / "log.jsonl").read_text()
    with pytest.raises(InputError, match="already holds a run"):
        train(short, tiny_inputs())
    assert (tmp_path / "run" / "log.jsonl").read_text() == before


def test_resuming_nothing_or_something_else_is_told(tmp_path: Path) -> None:
    inputs = tiny_inputs()
    with pytest.raises(InputError, match="no checkpoint to resume"):
        train(tiny_config(tmp_path / "run"), inputs, resume=True)
    config = tiny_config(tmp_path / "run", optim=OptimConfig(batch_size=8, epochs=1, warmup_epochs=0))
    train(config, inputs)
    wider = replace(config, model=replace(config.model, embedding=9))
    with pytest.raises(InputError, match=r"model\.embedding was 8 and is 9"):
        train(wider, inputs, resume=True)


def test_a_log_line_that_a_kill_left_half_written_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(json.dumps({"step": 1}) + "\n" + '{"step": 2, "lo')
    assert read(tmp_path / "log.jsonl") == [{"step": 1}]


def test_captions_alone_train_without_heads_and_without_contrastive_loss(tmp_path: Path) -> None:
    inputs = tiny_inputs()
    texts = [("a red ring", "a blue star"), ("there is a pink kite",)] * 8
    alone = Inputs(inputs.tokenizer, CaptionData.build(texts, inputs.tokenizer))
    model = train(tiny_config(tmp_path / "run"), alone)
    assert model.image_head is None
    assert "contrastive" not in read(tmp_path / "run" / "log.jsonl")[-1]


def test_without_reconstruction_there_is_no_decoder(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "run")
    config = replace(config, model=replace(config.model, decoder=None))
    model = train(config, tiny_inputs())
    assert model.decoder is None
    assert "reconstruction" not in read(tmp_path / "run" / "log.jsonl")[-1]


def test_two_captions_of_an_image_come_to_be_alike(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "run", loss=LossConfig(paraphrase=1.0, written=0.5))
    train(config, tiny_inputs())
    lines = read(tmp_path / "run" / "log.jsonl")
    assert lines[-1]["paraphrase"] < 0.7 * lines[0]["paraphrase"]
    assert "val_paraphrase" not in lines[-1], "each caption is looked at alone"


def test_two_captions_of_an_image_need_images(tmp_path: Path) -> None:
    inputs = tiny_inputs()
    alone = Inputs(inputs.tokenizer, CaptionData.build([("a red ring",)], inputs.tokenizer))
    with pytest.raises(InputError, match=r"loss\.paraphrase compares two captions of an image: give data\.features"):
        train(tiny_config(tmp_path / "run", loss=LossConfig(paraphrase=1.0)), alone)
    single = CaptionData.build([("a red ring",)] * 4, inputs.tokenizer, np.ones((4, 8)), range(4))
    with pytest.raises(InputError, match="no image has two"):
        train(tiny_config(tmp_path / "run", loss=LossConfig(paraphrase=1.0)), replace(inputs, train=single))


def test_with_images_the_words_of_a_dynamic_model_begin_where_captions_put_them_together(tmp_path: Path) -> None:
    config, inputs = tiny_config(tmp_path), tiny_inputs()
    encoder = replace(config.model.encoder, kind="dynamic")
    config = replace(config, model=replace(config.model, encoder=encoder), loss=LossConfig())
    model = build_model(config, inputs)
    known = cooccurrence(inputs.train, len(inputs.tokenizer), encoder.width, config.seed)
    token = model.encoder.embedding.token.weight
    assert F.cosine_similarity(token, known)[known.any(dim=1)].min() > 0.8
    alone = build_model(config, replace(inputs, train=replace(inputs.train, pooled=None, rows=None)))
    assert F.cosine_similarity(alone.encoder.embedding.token.weight, known).abs().mean() < 0.3


def test_the_seed_decides_everything(tmp_path: Path) -> None:
    optim = OptimConfig(batch_size=8, epochs=2, warmup_epochs=0)
    a, b = (train(tiny_config(tmp_path / name, optim=optim), tiny_inputs()) for name in "ab")
    c = train(tiny_config(tmp_path / "c", optim=optim, seed=1), tiny_inputs())
    assert same(a, b)
    assert not same(a, c)


def test_a_loss_that_is_not_finite_stops_the_run_with_a_sentence(tmp_path: Path) -> None:
    optim = OptimConfig(batch_size=8, epochs=20, lr=1e9, lr_start=1e9, warmup_epochs=0, clip=1e9)
    with pytest.raises(InputError, match=r"lower optim\.lr"):
        train(tiny_config(tmp_path / "run", optim=optim), tiny_inputs())


def test_tensorboard_gets_the_figures_too(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    config = tiny_config(tmp_path / "run", optim=OptimConfig(batch_size=8, epochs=1, warmup_epochs=0))
    train(replace(config, log=replace(config.log, tensorboard=True)), tiny_inputs())
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


def test_the_paper_model_takes_a_step(tmp_path: Path) -> None:
    """Section 4.1's sizes, a few captions, on whatever this machine is."""
    optim = OptimConfig(batch_size=8, epochs=0.5, warmup_epochs=0)
    model = train(tiny_config(tmp_path / "run", model=ModelConfig(), optim=optim), tiny_inputs())
    assert model.encoder.config.width == 128
    assert len(model.encoder.before) == 6


@pytest.mark.parametrize("victim", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, victim: str) -> None:
    train(tiny_config(tmp_path / "run", optim=OptimConfig(batch_size=8, epochs=1, warmup_epochs=0)), tiny_inputs())
    file = tmp_path / "run" / "last" / victim
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError) as caught:
        load_model(tmp_path / "run")
    assert "\n" not in str(caught.value)
    file.unlink()
    with pytest.raises(InputError, match=f"{victim} missing"):
        load_model(tmp_path / "run")
