"""Grounding without PyTorch: the answers of the model, and files that are none."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

import textgroup
from textgroup.experiments.demo_packaged import PHOTOGRAPH_CAPTION, photograph
from textgroup.inference.grounder import Grounder
from textgroup.inference.onnx.cutter import SEGMENTER
from textgroup.inference.onnx.grounder import IMAGE, SPANS, OnnxGrounder
from textgroup.inference.onnx.session import run
from textgroup.inference.onnx.write import TOLERANCE
from textgroup.model.packaged import PACKAGED, PACKAGED_MULTILINGUAL

LONG = "A dog. " * 60 + "A flag in front of a red car."


@pytest.fixture(scope="module")
def light() -> Grounder:
    return textgroup.load_grounder()


@pytest.mark.parametrize("caption", [PHOTOGRAPH_CAPTION, "two brown dogs run", "", LONG])
def test_it_points_where_the_packaged_model_does(caption: str, light: Grounder) -> None:
    assert isinstance(light, OnnxGrounder)
    ours, theirs = light.ground(photograph(), caption), textgroup.load().ground(photograph(), caption)
    assert [grounding.unit for grounding in ours] == [grounding.unit for grounding in theirs]
    for one, other in zip(ours, theirs):
        assert (one.heat is None) == (other.heat is None)
        if one.heat is not None and other.heat is not None:
            np.testing.assert_allclose(one.heat, other.heat, atol=TOLERANCE)
            np.testing.assert_allclose(one.point, other.point, atol=0.01)


def test_several_captions_of_a_photograph_and_spans_of_its_own(light: Grounder) -> None:
    several = light.ground(photograph(), ["a flag", "a hat"])
    assert [len(groundings) for groundings in several] == [1, 1]
    (heat,) = light.heat_maps(light.look_at(photograph()), "in front of a flag", [(12, 18)])
    assert heat.shape == (14, 14)
    with pytest.raises(textgroup.InputError, match="heat_maps: spans"):
        light.heat_maps(light.look_at(photograph()), "a flag", [(0, 99)])


def test_it_can_be_sent_to_another_process(light: Grounder) -> None:
    again = pickle.loads(pickle.dumps(light))
    assert again.ground(photograph(), "a flag")[0].box == light.ground(photograph(), "a flag")[0].box


def test_a_checkpoint_without_the_files_and_one_with_an_encoder_of_its_own_are_opened_with_pytorch(
    tmp_path: Path,
) -> None:
    for name in ("config.json", "model.safetensors", "tokenizer.json", SEGMENTER, IMAGE):
        shutil.copy(PACKAGED / name, tmp_path)
    assert isinstance(textgroup.load_grounder(tmp_path), textgroup.TextGroup)
    assert isinstance(textgroup.load_grounder(encoder="backbone:elsewhere"), textgroup.TextGroup)
    with pytest.raises(textgroup.InputError, match="trained on captions alone"):
        textgroup.load_grounder("multilingual").ground(photograph(), "ein Hut")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The packaged files, to be spoiled."""
    for name in (SEGMENTER, SPANS, IMAGE, "tokenizer.json"):
        shutil.copy(PACKAGED / name, tmp_path)
    return tmp_path


def test_files_of_two_models_and_no_onnx_file_are_refused(files: Path) -> None:
    shutil.copy(PACKAGED_MULTILINGUAL / "tokenizer.json", files)
    with pytest.raises(textgroup.InputError, match=f"{SEGMENTER}: it has .* token ids, the tokenizer beside it"):
        textgroup.load_grounder(files)
    shutil.copy(PACKAGED / "tokenizer.json", files)
    (files / IMAGE).write_bytes(b"no model")
    with pytest.raises(textgroup.InputError, match=f"{IMAGE}: onnxruntime cannot open it"):
        textgroup.load_grounder(files)


@pytest.mark.parametrize(
    ("name", "fact", "value", "said"),
    [
        (IMAGE, "patches", None, "does not say where its objects are"),
        (IMAGE, "patches", "7", "not what `textgroup export --onnx` wrote"),
        (IMAGE, "transform", "{}", "not what `textgroup export --onnx` wrote"),
        (SPANS, "width", "wide", "not what `textgroup export --onnx` wrote"),
        (SPANS, "groups", "0", "a number that is not in 1 to 4096"),
        (SPANS, "groups", "9999999999", "a number that is not in 1 to 4096"),
        (IMAGE, "patches", "-14 -14", "a number that is not in 1 to 4096"),
        (IMAGE, "sizes", "448 5000", "a number that is not in 1 to 4096"),
        (IMAGE, "sizes", "448 " * 9, "9 sizes of a photograph"),
        (SPANS, "vocabulary", "7", "it has 7 token ids"),
    ],
)
def test_facts_that_are_missing_or_wrong_are_told(
    name: str, fact: str, value: str | None, said: str, files: Path
) -> None:
    change_fact(files / name, fact, value)
    with pytest.raises(textgroup.InputError, match=said):
        textgroup.load_grounder(files)


def test_a_grid_that_does_not_fit_the_objects_is_told(files: Path) -> None:
    change_fact(files / IMAGE, "patches", "7 7")
    with pytest.raises(textgroup.InputError, match=r"gives \(1, 196, 256\) for 448 pixels a side, and not 7 x 7"):
        textgroup.load_grounder(files).ground(photograph(), "a flag")


def test_a_file_that_names_no_sizes_is_looked_through_once(files: Path) -> None:
    change_fact(files / IMAGE, "sizes", None)
    (once,), (thrice,) = (
        one.heat_maps(one.look_at(photograph()), "a flag", [(0, 6)])
        for one in (textgroup.load_grounder(files), textgroup.load_grounder())
    )
    assert once.shape == thrice.shape
    assert np.abs(once - thrice).max() > 0.01


def test_patches_of_another_size_that_are_no_square_are_told(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grounder = textgroup.load_grounder(files)

    def cut(session: object, file: Path, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        outputs = run(session, file, inputs)
        other = inputs.get("pixels", np.zeros((1, 3, 448, 448))).shape[-1] != 448
        return [outputs[0], outputs[1][:, :-1]] if other else outputs

    monkeypatch.setattr("textgroup.inference.onnx.grounder.run", cut)
    with pytest.raises(textgroup.InputError, match=r"gives \(1, 99, 256\) for 320 pixels a side, and not 9 x 9"):
        grounder.ground(photograph(), "a flag")


def test_objects_that_are_no_table_are_told(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grounder = textgroup.load_grounder(files)
    monkeypatch.setattr("textgroup.inference.onnx.grounder.run", lambda *_: [np.zeros(1), np.zeros(4)])
    with pytest.raises(textgroup.InputError, match=r"gives \(4,\) for 448 pixels a side, and not 14 x 14 objects"):
        grounder.look_at(photograph())


def test_images_and_spans_with_vectors_of_two_sizes_are_told(files: Path) -> None:
    change_fact(files / SPANS, "width", "64")
    with pytest.raises(textgroup.InputError, match=r"with the 64 numbers of spans\.onnx: export both again"):
        textgroup.load_grounder(files).ground(photograph(), "a flag")


def test_groups_that_the_file_does_not_take_are_told(files: Path) -> None:
    change_fact(files / SPANS, "groups", "23")
    with pytest.raises(textgroup.InputError, match=r"spans\.onnx: onnxruntime cannot run it"):
        textgroup.load_grounder(files).ground(photograph(), "a flag")


def change_fact(file: Path, name: str, value: str | None) -> None:
    """Give a file another fact, or take it away."""
    model = onnx.load(file)
    facts = {item.key: item.value for item in model.metadata_props}
    assert json.loads(facts["transform"]) if file.name == IMAGE else facts["width"]
    del model.metadata_props[:]
    for key, kept in (facts | {name: value}).items():
        if kept is not None:
            model.metadata_props.add(key=key, value=kept)
    onnx.save(model, file)
