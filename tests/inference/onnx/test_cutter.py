"""The segmenter without PyTorch: the same units, and files that are none."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import textgroup
from tests.inference.onnx.captions import captions
from textgroup.inference.onnx.cutter import SEGMENTER, OnnxCutter
from textgroup.model.packaged import PACKAGED


def test_the_packaged_segmenter_gives_the_units_of_the_packaged_model() -> None:
    given = captions()
    assert textgroup.load_segmenter().segment(given) == textgroup.load().segment(given)


def test_it_is_what_opens_the_packaged_model_and_a_checkpoint_without_one_is_opened_with_pytorch(
    tmp_path: Path,
) -> None:
    light = textgroup.load_segmenter()
    assert isinstance(light._cutter, OnnxCutter)
    assert not isinstance(light, textgroup.TextGroup)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        shutil.copy(PACKAGED / name, tmp_path)
    assert isinstance(textgroup.load_segmenter(tmp_path), textgroup.TextGroup)
    with pytest.raises(textgroup.InputError, match="not a TextGroup checkpoint"):
        textgroup.load_segmenter(PACKAGED.parent)


def test_it_can_be_sent_to_another_process() -> None:
    model = textgroup.load_segmenter()
    assert pickle.loads(pickle.dumps(model)).segment("two dogs run") == model.segment("two dogs run")


def test_the_packaged_file_is_small_and_names_no_directory_of_the_machine_that_made_it() -> None:
    content = (PACKAGED / SEGMENTER).read_bytes()
    assert len(content) < 1_000_000
    model = onnx.load_model_from_string(content)
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
    assert b".py" not in content


def identity(output: str = "owner", **facts: str) -> bytes:
    """A file that gives back its ids."""
    ids, mask, owner = (
        helper.make_tensor_value_info(name, kind, ["b", "m"])
        for name, kind in (("ids", TensorProto.INT64), ("mask", TensorProto.BOOL), (output, TensorProto.INT64))
    )
    graph = helper.make_graph([helper.make_node("Identity", ["ids"], [output])], "g", [ids, mask], [owner])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, facts)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "onnxruntime cannot open it"),
        (b"not a model" * 100, "onnxruntime cannot open it"),
        (identity(), "not a segmenter that `textgroup export --onnx` wrote"),
        (identity("units", vocabulary="8192"), "not a segmenter"),
        (identity(vocabulary="8192", reach="far"), "not a segmenter"),
        (identity(vocabulary="8191"), "8191 token ids, the tokenizer beside it 8192"),
    ],
    ids=["empty", "text", "another", "no owner", "no reach", "vocabulary"],
)
def test_what_is_no_segmenter_is_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / SEGMENTER).write_bytes(content)
    shutil.copy(PACKAGED / "tokenizer.json", tmp_path)
    with pytest.raises(textgroup.InputError, match=message) as told:
        textgroup.load_segmenter(tmp_path)
    assert "\n" not in str(told.value)


def test_a_model_that_makes_no_mark_leaves_it_open(tmp_path: Path) -> None:
    (tmp_path / SEGMENTER).write_bytes(identity(vocabulary="8192"))
    shutil.copy(PACKAGED / "tokenizer.json", tmp_path)
    units = textgroup.load_segmenter(tmp_path).segment("a dog runs")
    assert [unit.text for unit in units] == ["a", "dog", "runs"], "each word is a group here"
    assert {unit.groundable for unit in units} == {None}


def test_a_file_that_answers_with_another_shape_is_told(tmp_path: Path) -> None:
    broken = onnx.load_model_from_string(identity(vocabulary="8192", reach="5"))
    broken.graph.initializer.append(onnx.numpy_helper.from_array(np.array([-1]), "flat"))
    broken.graph.node[0].CopyFrom(helper.make_node("Reshape", ["ids", "flat"], ["owner"]))
    (tmp_path / SEGMENTER).write_bytes(broken.SerializeToString())
    shutil.copy(PACKAGED / "tokenizer.json", tmp_path)
    with pytest.raises(textgroup.InputError, match=r"segmenter\.onnx"):
        textgroup.load_segmenter(tmp_path).segment("a dog runs")
