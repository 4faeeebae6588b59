"""A checkpoint in use."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

import textgroup
from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.run import OptimConfig
from textgroup.inference.aligning import reference
from textgroup.inference.segmenter import WINDOWS
from textgroup.inference.spans import TOKENS, length_batches
from textgroup.inference.streaming import WINDOW
from textgroup.model.late_interaction import NULL
from textgroup.model.pretrained import PACKAGED
from textgroup.training.loop import train
from textgroup.units import Unit, units_at


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train(tiny_config(out, optim=OptimConfig(batch_size=8, epochs=4, warmup_epochs=1)), tiny_inputs())
    return out


def test_units_begin_where_they_are_said_to_and_cover_the_rest() -> None:
    caption = " A  red ring, far "
    begins = [(14, 0, True), (4, 2, True), (8, 1, False), (8, 9, True)]
    assert units_at(caption, begins) == [
        Unit("A  red", 1, 7, 2, True),
        Unit("ring,", 8, 13, 1, False),
        Unit("far", 14, 17, 0, True),
    ]
    assert units_at(" ?! ", []) == [Unit("?!", 1, 3, 0, None)]
    assert units_at(" ?! ", [(1, 0, True)])[0].groundable is False, "it has neither letter nor digit"
    assert units_at(" \n", [(0, 0, None)]) == []


def test_units_lie_in_the_caption_as_it_was_given(run: Path) -> None:
    captions = ["A  RED ring &amp; a \u201cblue\u201d star", "there is a kite , it is pink", "caf\u00e9", "!"]
    for caption, units in zip(captions, textgroup.load(run).segment(captions)):
        assert units
        for unit in units:
            assert caption[unit.start : unit.end] == unit.text != ""
            assert unit.group in (0, 1)
        assert [u.start for u in units] == sorted(u.start for u in units)
        assert all(a.group != b.group for a, b in itertools.pairwise(units))
        covered = "".join(u.text for u in units).replace(" ", "")
        assert covered == caption.replace(" ", "")


def test_a_batch_holds_so_many_tokens_whatever_the_longest_caption_is() -> None:
    lengths = [3, 77, 5, 40, 3, 12, 77, 20] * 60
    batches = list(length_batches(lengths))
    assert sorted(i for rows in batches for i in rows) == list(range(len(lengths)))
    assert all(len(rows) * max(lengths[i] for i in rows) <= TOKENS for rows in batches)
    assert len(batches) < 1.5 * sum(lengths) / TOKENS + 2


def test_a_stream_gives_the_same_units_in_order_whatever_the_window(run: Path) -> None:
    model = textgroup.load(run)
    captions = [f"a {'red ' * (i % 7)}ring and star number {i}" for i in range(5 * WINDOW + 300)]
    streamed = list(model.segment_stream(iter(captions)))
    assert len(streamed) == len(captions)
    for i in (0, 1, 77, WINDOW - 1, WINDOW, 4 * WINDOW, 5 * WINDOW + 299):
        assert streamed[i] == model.segment([captions[i]])[0]


def test_a_stream_is_read_a_few_windows_ahead(run: Path) -> None:
    taken = 0

    def captions():  # type: ignore[no-untyped-def]
        nonlocal taken
        while True:
            taken += 1
            yield "a red ring"

    stream = textgroup.load(run).segment_stream(captions())
    for _ in range(5):
        next(stream)
    assert taken == (WINDOWS + 1) * WINDOW


def test_text_vectors_have_unit_length_and_one_row_a_caption(run: Path) -> None:
    vectors = textgroup.load(run).encode_text(["a red ring", "a blue star"])
    assert vectors.shape == (2, 8)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_checkpoint_of_captions_alone_cannot_match_images(tmp_path: Path) -> None:
    from textgroup.data.captions import CaptionData
    from textgroup.training.build import Inputs

    inputs = tiny_inputs()
    alone = Inputs(inputs.tokenizer, CaptionData.build([("a red ring", "a star")] * 8, inputs.tokenizer))
    train(tiny_config(tmp_path / "run", optim=OptimConfig(batch_size=8, epochs=1, warmup_epochs=0)), alone)
    model = textgroup.load(tmp_path / "run")
    with pytest.raises(textgroup.InputError, match="captions alone"):
        model.encode_text(["a red ring"])
    with pytest.raises(textgroup.InputError, match="captions alone"):
        model.similarity(["x.jpg"], ["a red ring"])
    with pytest.raises(textgroup.InputError, match="captions alone"):
        model.align(["a red ring"], ["x.jpg"])
    with pytest.raises(textgroup.InputError, match="captions alone"):
        model.ground("x.jpg", "a red ring")


def two_images() -> torch.Tensor:
    """Two images in the features of `tiny_inputs`: the first has two objects, the second one."""
    groups = torch.zeros(2, 2, 8)
    groups[0, 0, 1] = groups[0, 1, 5] = groups[1, 0, 2] = 1
    return groups


def test_each_unit_refers_to_its_most_similar_object_or_to_none(run: Path) -> None:
    model = textgroup.load(run)
    captions = ["a blue star , it is far", "green"]
    aligned = model.align_objects(captions, two_images())
    assert [[unit for unit, _, _ in references] for references in aligned] == model.segment(captions)
    assert [len(cosines) for _, _, cosines in aligned[1]] == [1], "a missing object has no cosine"
    for _, number, cosines in aligned[0]:
        best = int(np.argmax(cosines))
        assert number == (best if cosines[best] > NULL else None)
        assert all(-1 <= cosine <= 1 for cosine in cosines)


def test_a_unit_that_is_unlike_all_objects_refers_to_none() -> None:
    unit = Unit("and", 0, 3, 0)
    assert reference(unit, [-0.2, NULL - 0.1]).object is None
    assert reference(unit, [-0.2, NULL + 0.1]).object == 1
    assert reference(unit, []).object is None, "an image without objects has none to refer to"


def test_align_pairs_captions_with_images(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each image is encoded once, and belongs to the captions that stand beside it."""
    model = textgroup.load(run)
    encoded = []

    def encode(image: Path) -> torch.Tensor:
        encoded.append(image.name)
        return two_images()[int(image.name)][None]

    monkeypatch.setattr(model, "_encode_objects", encode)
    captions, images = ["a blue star", "green", "a star"], [tmp_path / name for name in "010"]
    aligned = model.align(captions, images)
    assert encoded == ["0", "1"]
    assert aligned == model.align_objects(captions, two_images()[[0, 1, 0]])
    assert model.align([], []) == []
    with pytest.raises(textgroup.InputError, match="3 captions and 2 images"):
        model.align(captions, images[:2])


@pytest.mark.parametrize("name", ["nowhere", "file", "empty"])
def test_what_is_no_checkpoint_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "file":
        path.write_text("x")
    if name == "empty":
        path.mkdir()
    with pytest.raises(textgroup.InputError, match=name):
        textgroup.load(path)


def test_importing_the_package_imports_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys, textgroup, textgroup.cli; assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_a_path_the_packaged_model_cuts_phrases_and_says_what_names_something() -> None:
    caption = "Two girls in yellow raincoats stand on the wooden deck while a grey cat sleeps."
    (units,) = textgroup.load().segment([caption])
    named = [unit.text for unit in units if unit.groundable]
    assert {"Two girls", "the wooden deck", "a grey cat"} <= set(named)
    assert not {"while", "on"} & set(named)


def test_the_packaged_model_is_small_and_has_nothing_but_weights_words_and_its_card() -> None:
    files = {str(file.relative_to(PACKAGED)): file.stat().st_size for file in PACKAGED.rglob("*") if file.is_file()}
    own = {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
    light = {"segmenter.onnx", "spans.onnx", "image.onnx"}  # the same again, for where PyTorch is not installed
    encoder = {f"image_encoder/{name}" for name in ("config.json", "model.safetensors", "preprocessor_config.json")}
    assert set(files) == own | light | encoder
    assert sum(size for name, size in files.items() if name not in light) <= 16_000_000
    assert sum(files[name] for name in light) <= 16_000_000


def test_captions_that_are_not_read_to_their_end_are_counted(run: Path) -> None:
    model = textgroup.load(run)
    long = "a red ring " * 30
    with pytest.warns(
        UserWarning,
        match=r"encode_text: 1 of 2 captions are longer than the 16 tokens that are read; at least \d+ tokens",
    ):
        model.encode_text(["a red ring", long])
    assert model.segment(long)[-1].end == len(long.rstrip())
