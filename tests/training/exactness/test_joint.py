"""The image tower in the loop: gradients through both sides, the same however a batch is cut, kept by a checkpoint."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training.exactness.joint_runs import few, gradients, joint_config
from tests.training.exactness.test_gradcache import furthest
from tests.training.test_distributed import torchrun
from tests.training.test_loop import same
from textgroup.cli import main
from textgroup.config.run import LogConfig, OptimConfig, RunConfig
from textgroup.data.batches import Batch
from textgroup.model.pretrained import load_model
from textgroup.training import distributed
from textgroup.training.build import build_model
from textgroup.training.exactness import gradcache, joint
from textgroup.training.inputs import read_inputs
from textgroup.training.loop import train
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.runs.log import read
from textgroup.training.runs.progress import Progress
from textgroup.vision.encoders.open import open_encoder


def test_both_sides_learn_and_the_tower_too(config: RunConfig) -> None:
    config = replace(config, optim=OptimConfig(batch_size=8, epochs=60, warmup_epochs=2, lr=1.5e-3))
    config = replace(config, log=LogConfig(every=10, eval_every=1000, save_every=1000))
    inputs = read_inputs(config)
    train(config, inputs)
    last = read(Path(config.out) / "log.jsonl")[-1]
    assert last["contrastive"] < 0.8 * math.log(8), "guessing among eight costs log 8"
    assert last["val_i2t_r5"] > 1.5 * 100 * 5 / 16, "pictures are told apart, well above chance"
    assert inputs.tower is not None
    trained = open_encoder(f"groupvit:{config.out}/last/image_encoder", device="cpu")
    before = dict(inputs.tower.model.named_parameters())
    after = dict(trained._model.named_parameters())  # type: ignore[attr-defined]
    assert before.keys() == after.keys()
    still = [name for name in before if torch.equal(before[name], after[name])]
    assert not still, "tensors of the tower that never moved"


def test_captions_reach_every_parameter_of_the_tower(config: RunConfig) -> None:
    inputs = read_inputs(config)
    tower, model = inputs.tower, build_model(config, inputs)
    assert tower is not None
    with joint.encode_photographs(tower, inputs.train.batch(0, 16, 0), 1, None) as batch:
        compute(model, batch, objectives_for(config.loss), 1).total.backward()
    for name, p in tower.named_parameters():
        assert p.grad is not None, name
        if not name.endswith("k_proj.bias"):  # moves all logits of a query alike: softmax does not see it
            assert p.grad.abs().max() > 0, name


def whole_and_cut(config: RunConfig, chunk: int) -> float:
    """How far the gradients of a batch in chunks are from those of one graph, in float64, with all noise."""
    inputs = read_inputs(config)
    assert inputs.tower is not None
    tower, model = inputs.tower.double(), build_model(config, inputs).double().train()
    whole, cut = (_double(inputs.train.batch(0, 16, 0, size)) for size in (16, chunk))
    with joint.encode_photographs(tower, whole, 7, None) as batch:
        compute(model, batch, objectives_for(config.loss), 7).total.backward()
    theirs = gradients(model, tower)
    with joint.encode_photographs(tower, cut, 7, chunk) as batch:
        gradcache.backward(model, batch, objectives_for(config.loss), 7)
    return furthest(gradients(model, tower), theirs)


def _double(batch: Batch) -> Batch:
    return batch._replace(image=None if batch.image is None else batch.image.double())


@pytest.mark.parametrize("chunk", [1, 5, 15])  # 5 and 15 leave a short last chunk
def test_chunk_by_chunk_the_gradients_of_both_sides_are_the_whole_graphs(config: RunConfig, chunk: int) -> None:
    assert whole_and_cut(config, chunk) < 1e-10


def test_noise_drawn_anew_for_the_second_pass_would_be_seen(config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers' own noise, from the global generator, would make the chunks' gradients wrong."""
    monkeypatch.setattr("textgroup.model.noise.Noise.gumbel", lambda self, name, *shape: _fresh(len(self.rows), *shape))
    assert whole_and_cut(config, 5) > 0.01


def _fresh(*shape: int) -> torch.Tensor:
    return -torch.log(-torch.log(torch.rand(shape)))


def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(tmp_path: Path, pictures: Path, start: Path) -> None:
    config = joint_config(tmp_path / "a", pictures, start)
    config = replace(config, optim=OptimConfig(batch_size=8, epochs=4, warmup_epochs=1, lr=5e-3, chunk=3))
    config = replace(config, data=replace(config.data, val_captions=None), log=LogConfig(every=2, save_every=3))
    inputs = read_inputs(config)
    unbroken = train(config, inputs)

    class Kill(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.step == 5:
            raise Kill

    broken = replace(config, out=str(tmp_path / "b"))
    with pytest.raises(Kill):
        train(broken, inputs, progress=kill)
    resumed = train(broken, inputs, resume=True)
    assert same(unbroken, resumed)
    towers = [open_encoder(f"groupvit:{tmp_path / run}/last/image_encoder", device="cpu") for run in "ab"]
    assert towers[0].identity()["weights"] == towers[1].identity()["weights"]
    assert same(towers[0]._model, towers[1]._model)  # type: ignore[attr-defined]


def test_a_run_resumed_from_the_first_towers_weights_would_be_seen(config: RunConfig, start: Path) -> None:
    """What makes the test above one of the tower: it moves at every step."""
    short = replace(config, optim=replace(config.optim, epochs=2, warmup_epochs=1))
    train(short, read_inputs(short))
    identity = load_model(config.out)[0].image_encoder
    assert identity is not None
    assert identity["weights"] != open_encoder(f"groupvit:{start}", device="cpu").identity()["weights"]


def test_a_checkpoint_carries_its_tower_to_score_and_retrieval_and_export(
    config: RunConfig, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(config, optim=OptimConfig(batch_size=8, epochs=5, warmup_epochs=1))
    train(config, read_inputs(config))
    last = read(Path(config.out) / "log.jsonl")[-1]
    score = ["score", str(pictures.with_name("red-fish.png")), "a red fish", "a blue ring", "--json", "-c"]
    assert main([*score, config.out]) == 0
    first = json.loads(capsys.readouterr().out)["scores"]
    assert main(["export", "-c", config.out, "--out", str(tmp_path / "shared")]) == 0
    capsys.readouterr()
    assert main([*score, str(tmp_path / "shared")]) == 0, "the exported checkpoint finds its own tower"
    for one, other in zip(first, json.loads(capsys.readouterr().out)["scores"]):
        assert one["cosine"] == pytest.approx(other["cosine"], abs=0.02)  # text side in half precision

    store, captions = str(tmp_path / "features"), str(pictures)
    tower = f"groupvit:{config.out}/last/image_encoder"
    assert main(["features", "--images", captions, "--encoder", tower, "--out", store]) == 0
    capsys.readouterr()
    for words in (["-c", config.out, "--features", store], ["--model", f"model:{config.out}"]):
        assert main(["evaluate", "retrieval", *words, "--captions", captions, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["images"] == 16, "the broken one is left out"
        assert found["image_to_text"]["r5"] == pytest.approx(last["val_i2t_r5"], abs=6.3)  # features in 16 bits: a tie


def test_two_processes_shares_give_the_gradients_of_one(config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tower's part of it: each share's vectors and noise are those of the whole batch."""
    inputs = read_inputs(config)
    assert inputs.tower is not None
    with joint.encode_photographs(inputs.tower, inputs.train.batch(0, 16, 0), 7, None) as batch:
        whole = batch.image
        assert batch.image is not None
        (batch.image * torch.arange(16)[:, None]).sum().backward()
    theirs = gradients(inputs.tower)
    for number in (0, 1):
        share = inputs.train.batch(0, 16, 0, None, (number, 2))
        with joint.encode_photographs(inputs.tower, share, 7, 3) as batch:
            assert batch.image is not None
            assert whole is not None
            assert torch.allclose(batch.image, whole[number::2], atol=1e-5)
            (batch.image * share.positions[:, None]).sum().backward()  # type: ignore[index]
    assert furthest(gradients(inputs.tower), theirs) < 1e-4
    assert distributed.world_size() == 1


@pytest.mark.slow
def test_two_processes_train_a_tower_as_one_does(tmp_path: Path, pictures: Path, start: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from tests.training.exactness.joint_runs import few
        from textgroup.training import distributed
        from textgroup.training.inputs import read_inputs
        from textgroup.training.loop import train
        with distributed.join_processes("cpu") as place:
            config = few(*map(Path, sys.argv[1:]))
            train(config, read_inputs(config), device=place)
    """
    torchrun(script, str(tmp_path / "two"), str(pictures), str(start))
    config = few(tmp_path / "one", pictures, start)
    train(config, read_inputs(config), device="cpu")
    one, two = (read(tmp_path / name / "log.jsonl") for name in ("one", "two"))
    assert len(one) == len(two) == 6
    for mine, theirs in zip(one, two):
        assert theirs["contrastive"] == pytest.approx(mine["contrastive"], rel=1e-3)
    places = (start, *(tmp_path / name / "last" / "image_encoder" for name in ("one", "two")))
    towers = [open_encoder(f"groupvit:{place}", device="cpu")._model for place in places]  # type: ignore[attr-defined]
    before, mine, theirs = (torch.cat([p.flatten() for p in tower.parameters()]) for tower in towers)
    assert (mine - theirs).norm() < 0.05 * (mine - before).norm(), "Adam takes whole steps along what is rounding alone"
