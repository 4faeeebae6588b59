"""What the public calls take: one thing or any iterable of things, one result a thing; what is none is named."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import textgroup
from tests.data.probes.examples import write_pictures
from tests.vision.tiny import TinyEncoder
from textgroup.config.model import EncoderConfig
from textgroup.inference.scene import Scene
from textgroup.inference.textgroup import IMAGES, TextGroup
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer

CAPTIONS = ["a red ring", "a blue star and a ring", "a ring"]
ITERABLES: list[Callable[[list[Any]], Any]] = [
    list,
    tuple,
    iter,
    lambda items: (item for item in items),
    lambda items: map(str, items) if isinstance(items[0], str) else map(Path, items),
    lambda items: dict.fromkeys(items).keys(),
]


@pytest.fixture(scope="module")
def model() -> TextGroup:
    """Untrained, with images: a tiny encoder whose pictures have 8 pixels a side."""
    tokenizer = CaptionTokenizer.train(CAPTIONS, 540, max_tokens=16)
    encoder = EncoderConfig(width=16, heads=2, layers_before=1, layers_after=1, groups=2, max_tokens=16)
    made = TextGroup(TextGroupModel(encoder, None, 8, vocabulary=len(tokenizer), image_width=5), tokenizer)
    made._encoder = TinyEncoder()
    return made


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = write_pictures(
        tmp_path_factory.mktemp("pictures"), {f"{i}.png": colour for i, colour in enumerate(("red", "blue", "green"))}
    )
    return sorted(folder.glob("*.png"))


def test_one_caption_in_is_one_result_out(model: TextGroup, pictures: list[Path]) -> None:
    caption = CAPTIONS[1]
    assert model.segment(caption) == model.segment([caption])[0]
    assert list(model.segment_stream(caption)) == [model.segment(caption)]
    assert np.array_equal(model.encode_text(caption), model.encode_text([caption])[0])
    assert model.encode_text(caption).shape == (8,)
    assert model.align(caption, pictures[0]) == model.align([caption], [pictures[0]])[0]


@pytest.mark.parametrize("kind", ITERABLES)
def test_captions_may_come_in_any_iterable_and_are_taken_once(
    model: TextGroup, pictures: list[Path], kind: Callable[[list[Any]], Any]
) -> None:
    expected = model.segment(CAPTIONS)
    assert [len(units) > 0 for units in expected] == [True] * 3
    assert model.segment(kind(CAPTIONS)) == expected
    assert list(model.segment_stream(kind(CAPTIONS))) == expected
    assert np.array_equal(model.encode_text(kind(CAPTIONS)), model.encode_text(CAPTIONS))
    assert model.align(kind(CAPTIONS), kind(pictures)) == model.align(CAPTIONS, pictures)


@pytest.mark.parametrize("kind", ITERABLES)
def test_images_may_come_in_any_iterable(
    model: TextGroup, pictures: list[Path], kind: Callable[[list[Any]], Any]
) -> None:
    expected = np.stack([model.encode_image(picture) for picture in pictures])
    assert np.allclose(model.encode_image(kind(pictures)), expected, atol=1e-6)
    assert np.allclose(
        model.similarity(kind(pictures), kind(CAPTIONS)), expected @ model.encode_text(CAPTIONS).T, atol=1e-6
    )


def test_an_image_is_a_path_as_text_or_not_its_bytes_or_a_pil_image(model: TextGroup, pictures: list[Path]) -> None:
    expected = model.encode_image(pictures[0])
    assert expected.shape == (8,)
    for image in (str(pictures[0]), pictures[0].read_bytes(), Image.open(pictures[0])):
        assert np.array_equal(model.encode_image(image), expected)


def test_similarity_has_an_axis_for_what_was_several(model: TextGroup, pictures: list[Path]) -> None:
    every = model.similarity(pictures, CAPTIONS)
    assert every.shape == (3, 3)
    assert model.similarity(pictures[0], CAPTIONS) == pytest.approx(every[0], abs=1e-5)
    assert model.similarity(pictures, CAPTIONS[1]) == pytest.approx(every[:, 1], abs=1e-5)
    assert float(model.similarity(pictures[0], CAPTIONS[1])) == pytest.approx(every[0, 1], abs=1e-5)


def test_one_image_serves_all_captions(model: TextGroup, pictures: list[Path]) -> None:
    assert model.align(CAPTIONS, pictures[1]) == model.align(CAPTIONS, [pictures[1]] * 3)


def test_nothing_in_is_nothing_out(model: TextGroup) -> None:
    assert model.segment([]) == model.align([], []) == list(model.segment_stream([])) == []
    assert model.encode_text([]).shape == model.encode_image([]).shape == (0, 8)
    assert model.similarity([], []).shape == (0, 0)


def test_many_images_are_encoded_a_few_at_a_time(
    model: TextGroup, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    encode = model.encode_pixels
    monkeypatch.setattr(model, "encode_pixels", lambda pixels: sizes.append(len(pixels)) or encode(pixels))
    assert model.encode_image(pictures * 7).shape == (21, 8)
    assert sizes == [IMAGES, IMAGES, 21 - 2 * IMAGES]


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_caption_has_no_units_and_no_direction_in_every_call(
    model: TextGroup, pictures: list[Path], empty: str
) -> None:
    captions = ["a ring", empty, "a star"]
    assert model.segment(captions)[1] == list(model.segment_stream(captions))[1] == model.segment(empty) == []
    assert not model.encode_text(captions)[1].any()
    assert model.encode_text(captions)[2].any()
    assert model.similarity(pictures, captions)[:, 1] == pytest.approx([0, 0, 0])
    assert model.align(captions, pictures)[1] == []


CALLS: dict[str, Callable[[TextGroup, Any, list[Path]], object]] = {
    "segment": lambda model, captions, _: model.segment(captions),
    "segment_stream": lambda model, captions, _: list(model.segment_stream(captions)),
    "phrases": lambda model, captions, _: model.phrases(captions),
    "encode_text": lambda model, captions, _: model.encode_text(captions),
    "encode_units": lambda model, captions, _: model.encode_units(captions),
    "similarity": lambda model, captions, pictures: model.similarity(pictures, captions),
    "align": lambda model, captions, pictures: model.align(captions, pictures[0]),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("item", "said"),
    [
        (None, "captions[2] is None: give text"),
        (float("nan"), "captions[2] is nan (float): give text"),
        (b"a ring", "captions[2] is b'a ring' (bytes): give text"),
        (7, "captions[2] is 7 (int): give text"),
        (["a ring"], "captions[2] is ['a ring'] (list): give text"),
        (b"x" * 99, "captions[2] is b'xxxxxxxxxxxxxxxxxxxx"),
    ],
)
def test_what_is_no_caption_is_named_with_its_number(
    model: TextGroup, pictures: list[Path], call: str, item: object, said: str
) -> None:
    with pytest.raises(textgroup.InputError) as caught:
        CALLS[call](model, ["a ring", "a star", item], pictures)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("given", [None, 7, b"a ring", {"a ring": 1}])
def test_what_is_neither_a_caption_nor_captions_is_named(
    model: TextGroup, pictures: list[Path], call: str, given: object
) -> None:
    with pytest.raises(textgroup.InputError, match=r"captions is .*: give text, or a list of such"):
        CALLS[call](model, given, pictures)


@pytest.mark.parametrize("item", [None, 7, np.zeros((8, 8, 3))])
def test_what_is_no_image_is_named_with_its_number(model: TextGroup, pictures: list[Path], item: object) -> None:
    for call in (
        model.encode_image,
        lambda images: model.similarity(images, "a"),
        lambda images: model.align(["a", "b"], images),
    ):
        with pytest.raises(textgroup.InputError, match=r"images\[1\] is "):
            call([pictures[0], item])  # type: ignore[operator]
    with pytest.raises(textgroup.InputError, match="images is "):
        model.encode_image(None)  # type: ignore[arg-type]


def test_an_image_that_cannot_be_read_is_named_with_its_number(model: TextGroup, pictures: list[Path]) -> None:
    with pytest.raises(textgroup.InputError, match=r"images\[2\]: image nowhere.png: no such file"):
        model.encode_image([*pictures[:2], "nowhere.png"])
    with pytest.raises(textgroup.InputError, match=r"^image nowhere.png: no such file"):
        model.encode_image("nowhere.png")
    with pytest.raises(textgroup.InputError, match=r"images\[1\]: image nowhere.png: no such file"):
        model.align(["a", "b"], [pictures[0], "nowhere.png"])


@pytest.mark.parametrize("call", ["ground", "look_at", "object_points"])
def test_a_call_for_one_image_says_so(model: TextGroup, pictures: list[Path], call: str) -> None:
    captions = ["a ring"] if call == "ground" else []
    for given, said in ((pictures, "several images: give one image"), (None, "images is None"), (7, r"images is 7")):
        with pytest.raises(textgroup.InputError, match=f"{call}: {said}"):
            getattr(model, call)(given, *captions)


@pytest.mark.parametrize("span", [(0, 7), (3, 3), (-1, 2), (4, 2), (0, 1, 2)])
def test_a_span_that_is_not_in_the_caption_is_named(model: TextGroup, span: Any) -> None:
    said = re.escape(f"heat_maps: spans[1] is {span} (tuple): give (start, end) with 0 <= start < end <= 6")
    with pytest.raises(textgroup.InputError, match=said):
        model.heat_maps(Scene(np.zeros((1, 8)), np.ones((1, 2, 2))), "a ring", [(0, 1), span])


def test_a_stream_says_which_caption_is_none_when_it_comes_there(model: TextGroup) -> None:
    def captions() -> Iterator[Any]:
        yield from ["a ring"] * 5000
        yield None

    given = model.segment_stream(captions())
    assert next(given)
    with pytest.raises(textgroup.InputError, match=r"captions\[5000\] is None"):
        list(given)


@pytest.mark.parametrize("device", ["cuda:99", "banana", "meta"])
def test_a_device_that_is_not_there_is_named(device: str) -> None:
    with pytest.raises(textgroup.InputError, match=f"device '{device}'"):
        textgroup.load(device=device)


def test_the_public_names_are_there_and_documented() -> None:
    from importlib.metadata import version

    assert set(textgroup.__all__) == {
        "Grounder",
        "Grounding",
        "InputError",
        "Phrases",
        "Reference",
        "TextGroup",
        "TextSegmenter",
        "Unit",
        "Units",
        "__version__",
        "load",
        "load_grounder",
        "load_segmenter",
    }
    assert set(textgroup.__all__) <= set(dir(textgroup))
    assert textgroup.__version__ == version("textgroup")
    for name in set(textgroup.__all__) - {"__version__"}:
        assert getattr(textgroup, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        textgroup.nothing  # noqa: B018
