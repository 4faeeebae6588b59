"""`textgroup export --onnx`: what each file computes is what PyTorch computes."""

import functools
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import textgroup
from tests.inference.onnx.captions import captions
from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.cli import main
from textgroup.config.run import OptimConfig
from textgroup.data.batches import pad
from textgroup.experiments.demo_packaged import photograph
from textgroup.inference.onnx.cutter import SEGMENTER
from textgroup.inference.onnx.grounder import IMAGE, SPANS
from textgroup.inference.onnx.parts import TEXT, Part
from textgroup.inference.onnx.session import open_session
from textgroup.inference.onnx.smaller import halve, strip
from textgroup.inference.onnx.write import INT8, TOLERANCE, _quiet, _write_fitting, check, export_onnx
from textgroup.model.packaged import PACKAGED
from textgroup.training.loop import train

SHORT = OptimConfig(batch_size=8, epochs=2, warmup_epochs=1)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged model."""
    out = tmp_path_factory.mktemp("onnx") / "packaged"
    assert export_onnx(None, out) == {}
    return out


@pytest.mark.slow
def test_the_packaged_segmenter_is_what_the_command_writes_of_the_packaged_model(exported: Path) -> None:
    assert (exported / SEGMENTER).read_bytes() == (PACKAGED / SEGMENTER).read_bytes()
    assert {file.name for file in exported.iterdir()} == {SEGMENTER, INT8, TEXT, SPANS, IMAGE, "tokenizer.json"}


@pytest.mark.slow
def test_captions_and_their_units_have_the_vectors_of_pytorch(exported: Path) -> None:
    model, session = textgroup.load(), open_session(exported / TEXT)
    for caption in islice(filter(str.strip, captions()), 0, None, 10):
        (tokens,) = model.tokenizer.encode_batch([caption])
        ids, mask = pad([tokens.ids])
        vector, units, owner = session.run(None, {"ids": ids.numpy(), "mask": mask.numpy()})
        assert np.abs(vector[0] - model.encode_text(caption)).max() < TOLERANCE
        with torch.inference_mode():
            text = model.model.encode(ids, mask)
            assert np.abs(units - model.model.embed_units(text).numpy()).max() < TOLERANCE
            assert (owner == text.owner.numpy()).all()


@pytest.mark.slow
def test_a_photograph_and_its_objects_have_the_vectors_of_pytorch(exported: Path) -> None:
    model, session = textgroup.load(), open_session(exported / IMAGE)
    pixels = model.prepare(photograph())[None]
    image, objects = session.run(None, {"pixels": pixels})
    assert np.abs(image[0] - model.encode_image(photograph())).max() < TOLERANCE
    encoded = model._open_encoder().encode(torch.from_numpy(pixels), vectors=True).vectors
    assert encoded is not None
    assert np.abs(objects - model.model.embed_objects(encoded).detach().numpy()).max() < TOLERANCE
    assert "squash" in session.get_modelmeta().custom_metadata_map["transform"]


@pytest.mark.slow
def test_eight_bits_change_few_units(exported: Path, tmp_path: Path) -> None:
    for name in (INT8, "tokenizer.json"):
        (tmp_path / name.replace("_int8", "")).write_bytes((exported / name).read_bytes())
    given = captions()
    pairs = zip(textgroup.load().segment(given), textgroup.load_segmenter(tmp_path).segment(given))
    assert (exported / INT8).stat().st_size < 0.6 * (exported / SEGMENTER).stat().st_size
    assert sum(a == b for a, b in pairs) > 0.95 * len(given)


@pytest.mark.slow
def test_a_checkpoint_of_scenes_has_no_image_tower_and_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its groups compete for whole captions, and it makes no mark."""
    train(tiny_config(tmp_path / "run", optim=SHORT), tiny_inputs())
    assert main(["export", "-c", str(tmp_path / "run"), "--onnx", str(tmp_path / "onnx")]) == 0
    told = capsys.readouterr()
    assert "text.onnx: 0." in told.out
    assert "textgroup: image.onnx: not written:" in told.err
    given = ["a red ring and a blue star", "there is a kite", ""]
    assert textgroup.load_segmenter(tmp_path / "onnx").segment(given) == textgroup.load(tmp_path / "run").segment(given)


def test_what_cannot_be_is_told_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, message in (
        (["--onnx", str(tmp_path)], "exists: give a directory that does not"),
        (["--onnx", str(tmp_path / "a"), "-c", str(tmp_path)], "not a TextGroup checkpoint"),
        (["--onnx", str(tmp_path / "a"), "--encoder", "backbone:nowhere"], "backbone:nowhere"),
        (["--onnx", str(tmp_path / "a"), "--with-encoder"], "--with-encoder goes with --out"),
        (["--onnx", str(tmp_path / "a"), "--out", str(tmp_path / "b")], "not allowed with"),
        ([], "--out --onnx is required"),
    ):
        assert main(["export", *words]) == 2
        assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def weights_file(where: Path, weight: np.ndarray) -> Path:
    """A model that multiplies by a weight."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", len(weight)]) for name in "xy")
    node = helper.make_node("MatMul", ["x", "w"], ["y"], doc_string="/home/someone/model.py")
    graph = helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(strip(model, {"a": "b"}), where)
    return where


def test_weights_are_halved_where_that_loses_nothing(tmp_path: Path) -> None:
    whole = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    x = np.ones((1, 64), np.float32)
    for weight, halved in ((whole, False), (whole.astype(np.float16).astype(np.float32), True)):
        file = weights_file(tmp_path / "model.onnx", weight)
        size, before = file.stat().st_size, open_session(file).run(None, {"x": x})[0]
        halve(file)
        assert (file.stat().st_size < 0.6 * size) == halved
        assert (open_session(file).run(None, {"x": x})[0] == before).all()
        assert b"someone" not in file.read_bytes()
        assert open_session(file).get_modelmeta().custom_metadata_map == {"a": "b"}


def test_a_file_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    from textgroup.inference.onnx.parts import segmenter_part

    part = segmenter_part(textgroup.load().model)
    assert check(part, PACKAGED / SEGMENTER) == 0
    model = onnx.load(PACKAGED / SEGMENTER)
    for weight in model.graph.initializer:
        if weight.data_type == TensorProto.FLOAT16:
            weight.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weight), weight.name))
    onnx.save(model, tmp_path / SEGMENTER)
    with pytest.raises(
        textgroup.InputError, match=r"segmenter\.onnx: owner differs from PyTorch's by \d+: not written"
    ):
        check(part, tmp_path / SEGMENTER)


class OfOneSize(torch.nn.Module):
    """It counts pixels in Python, which the file knows of one size alone."""

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (pixels.mean((1, 2, 3)) * float(np.sqrt(int(pixels.shape[-1]))),)


def draw(sides: tuple[int, ...], batch: int, _: int, seed: int) -> tuple[torch.Tensor]:
    side = sides[seed % len(sides)]
    return (torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(seed)),)


def test_what_cannot_be_written_for_all_sizes_is_written_for_one(tmp_path: Path) -> None:
    one = Part("x.onnx", OfOneSize(), {"pixels": {0: "batch"}}, ["image"], {"of": "one"}, functools.partial(draw, (8,)))
    several = {"inputs": {"pixels": {0: "batch", 2: "height", 3: "width"}}, "draw": functools.partial(draw, (8, 16))}
    free = one._replace(**several, facts={"of": "several"})
    with _quiet():
        assert _write_fitting(free._replace(fixed=one), tmp_path / "x.onnx") is one
    session = open_session(tmp_path / "x.onnx")
    assert session.get_modelmeta().custom_metadata_map == {"of": "one"}
    assert session.get_inputs()[0].shape[1:] == [3, 8, 8]
