"""The image tower in the loop: gradients through both sides, the same however a batch is cut, kept by a checkpoint."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.data.sources.test_samples import write_tar
from tests.evaluation.two_towers import GROUPVIT
from tests.training.exactness.test_gradcache import furthest
from tests.training.test_distributed import torchrun
from tests.training.test_loop import same
from tests.training.tiny import COLOURS, IDENTITY, SHAPES, tiny_config, tiny_inputs
from textgroup.cli import main
from textgroup.config.run import LogConfig, OptimConfig, RunConfig, TokenizerConfig
from textgroup.data.batches import Batch
from textgroup.errors import InputError
from textgroup.model.pretrained import load_model
from textgroup.training import distributed
from textgroup.training.build import Inputs, build_model
from textgroup.training.exactness import gradcache, joint
from textgroup.training.inputs import read_inputs
from textgroup.training.loop import train
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.runs.log import read
from textgroup.training.runs.progress import Progress
from textgroup.vision.encoders.open import open_encoder
from textgroup.vision.encoders.tower import ImageTower

SMALL = {**GROUPVIT, "patch_size": 8}
PAINT = {"red": (220, 30, 30), "blue": (30, 30, 220), "green": (20, 180, 40), "pink": (250, 150, 190)}


def picture(colour: str, shape: str) -> Image.Image:
    """A colour in a place of its shape's own: four quarters for four shapes."""
    pixels = np.full((36, 36, 3), 235, np.uint8)
    y, x = divmod(SHAPES.index(shape), 2)
    pixels[18 * y : 18 * y + 18, 18 * x : 18 * x + 18] = PAINT[colour]
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen pictures of one coloured thing, each with two captions, and a broken one: a table."""
    folder = tmp_path_factory.mktemp("pictures")
    lines = ["image\tcaption"]
    for colour in COLOURS:
        for shape in SHAPES:
            picture(colour, shape).save(folder / f"{colour}-{shape}.png")
            lines += [f"{colour}-{shape}.png\ta {colour} {shape}"]
            lines += [f"{colour}-{shape}.png\tthere is a {shape} , it is {colour}"]
    (folder / "broken.png").write_bytes((folder / "red-ring.png").read_bytes()[:60])
    (folder / "captions.tsv").write_text("\n".join([*lines, "broken.png\ta green ring"]) + "\n")
    return folder / "captions.tsv"


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights that a run begins with."""
    where = tmp_path_factory.mktemp("start") / "groupvit"
    ImageTower.random(0, **SMALL).model.save_pretrained(where)
    return where


@pytest.fixture
def config(tmp_path: Path, pictures: Path, start: Path) -> RunConfig:
    return joint_config(tmp_path / "run", pictures, start)


def joint_config(out: Path, pictures: Path, start: Path) -> RunConfig:
    config = tiny_config(out, image_encoder=f"trainable:{start}", tokenizer=TokenizerConfig(vocabulary=560))
    captions = str(pictures)
    return replace(config, data=replace(config.data, captions=captions, val_captions=captions))


def gradients(*modules: torch.nn.Module) -> dict[str, torch.Tensor]:
    found = {}
    for number, module in enumerate(modules):
        found |= {f"{number} {name}": p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}
        module.zero_grad()
    return found


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


def few(out: Path, pictures: Path, start: Path) -> RunConfig:
    """Six steps in chunks, every one in the log."""
    config = joint_config(out, pictures, start)
    config = replace(config, optim=OptimConfig(batch_size=8, epochs=3, warmup_epochs=1, lr=5e-3, chunk=3))
    return replace(config, log=LogConfig(every=1, save_every=100))


@pytest.mark.slow
def test_two_processes_train_a_tower_as_one_does(tmp_path: Path, pictures: Path, start: Path) -> None:
    script = """
        import sys
        from pathlib import Path
        from tests.training.exactness.test_joint import few
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
