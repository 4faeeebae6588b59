"""Every segmenter that can be named, on captions written here."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from tests.strange import any_caption, check_units
from tests.training.tiny import tiny_config, tiny_inputs
from textgroup.config.command_line import save_run
from textgroup.config.model import EncoderConfig, ModelConfig
from textgroup.config.run import OptimConfig
from textgroup.errors import InputError
from textgroup.evaluation.phrases.tokens import open_tokenizer, token_spans
from textgroup.evaluation.segmenters.cuts import equal_split
from textgroup.evaluation.segmenters.open import open_segmenter
from textgroup.model import pretrained
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.loop import train
from textgroup.units import Unit

CAPTIONS = ["a red ring", "There is a star , it is blue", "ring"]


def texts(found: list[list[Unit]]) -> list[list[str]]:
    return [[unit.text for unit in units] for units in found]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    train(tiny_config(out, optim=OptimConfig(batch_size=8, epochs=1, warmup_epochs=0)), tiny_inputs())
    return out


@pytest.mark.parametrize(
    ("length", "parts", "sizes"), [(8, 4, [2, 2, 2, 2]), (7, 3, [3, 2, 2]), (2, 4, [1, 1]), (5, 1, [5])]
)
def test_the_equal_split_is_equal(length: int, parts: int, sizes: list[int]) -> None:
    units = equal_split(length, parts)
    assert units == sorted(units)
    assert np.unique(units, return_counts=True)[1].tolist() == sizes


def test_cuts_cut_the_evaluation_tokens() -> None:
    assert texts(open_segmenter("equal:2", None)(CAPTIONS)) == [
        ["a red", "ring"],
        ["There is a star", ", it is blue"],
        ["ring"],
    ]
    assert texts(open_segmenter("singletons", None)(["a T-shirt, the man's"])) == [
        ["a", "T-shirt", ",", "the", "man's"]
    ]
    bpe = CaptionTokenizer([("a", "b"), ("c", "d</w>")])
    assert texts(open_segmenter("singletons", bpe)(["abcd ab"])) == [["ab", "cd", "a", "b"]]


@pytest.mark.parametrize("name", ["equal:3", "singletons", "random:3"])
@given(any_caption)
def test_cuts_lose_nothing_and_never_overlap(name: str, caption: str) -> None:
    bpe = CaptionTokenizer([("a", "b")])  # of bytes: several tokens a letter
    check_units(caption, open_segmenter(name, bpe)([caption])[0])


def test_evaluation_tokens_are_never_cut_off() -> None:
    short = CaptionTokenizer([], max_tokens=5)
    assert len(token_spans(short)(["a b c d e f g h"])[0]) == 8


def test_random_units_are_uniform_and_the_same_every_time() -> None:
    caption = " ".join(["ring"] * 4000)
    first, second = (open_segmenter("random:4", None)([caption])[0] for _ in range(2))
    assert first == second
    tokens = [unit.group for unit in first for _ in unit.text.split()]
    assert np.bincount(tokens) / 4000 == pytest.approx([0.25] * 4, abs=0.03)


def test_a_checkpoint_is_a_segmenter(run: Path) -> None:
    found = open_segmenter(f"model:{run}", None)(CAPTIONS)
    for caption, units in zip(CAPTIONS, found):
        assert "".join(unit.text for unit in units).replace(" ", "") == caption.replace(" ", "")
    tokenizer = open_tokenizer(str(run))
    assert tokenizer is not None
    assert tokenizer.merges == CaptionTokenizer.from_pretrained(run / "last").merges


def test_model_alone_is_the_packaged_checkpoint(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "PACKAGED", run / "last")
    assert open_segmenter("model", None)(["a ring"]) == open_segmenter(f"model:{run}", None)(["a ring"])
    monkeypatch.setattr(pretrained, "PACKAGED", tmp_path)
    with pytest.raises(InputError, match=f"{tmp_path} is not a TextGroup checkpoint"):
        open_segmenter("model", None)


def test_an_untrained_model_has_the_configurations_shape_and_seed(tmp_path: Path) -> None:
    def units(seed: int) -> list[list[Unit]]:
        encoder = EncoderConfig(width=16, heads=2, layers_before=1, layers_after=1, groups=3)
        save_run(tiny_config(tmp_path, model=ModelConfig(encoder=encoder), seed=seed), tmp_path / "run.yaml")
        return open_segmenter(f"untrained:{tmp_path / 'run.yaml'}", tiny_inputs().tokenizer)(CAPTIONS * 3)

    assert units(0) == units(0)
    assert units(0) != units(1)
    assert {unit.group for caption in units(0) for unit in caption} <= {0, 1, 2}
    with pytest.raises(InputError, match="words have no ids"):
        open_segmenter(f"untrained:{tmp_path / 'run.yaml'}", None)


def test_left_entropy_begins_a_unit_where_anything_may_come_before(tmp_path: Path) -> None:
    """'the' follows eight different words (ln 8 = 2.1 nats), every noun only 'the' (0 nats)."""
    verbs = ["saw", "met", "took", "left", "hit", "held", "ate", "hid"]
    (tmp_path / "captions.txt").write_text(
        "".join(f"we {verb} the {noun}\n" for verb in verbs for noun in ("dog", "cat"))
    )
    segment = open_segmenter("left-entropy:2.0", None, fit_on=str(tmp_path / "captions.txt"))
    assert texts(segment(["We saw the dog", "zebras met the cat , the dog"])) == [
        ["We saw", "the dog"],
        ["zebras met", "the cat ,", "the dog"],
    ]
    above = open_segmenter("left-entropy:2.1", None, fit_on=str(tmp_path / "captions.txt"))
    assert texts(above(["We saw the dog"])) == [["We saw the dog"]]


def test_left_entropy_counts_the_train_split_of_annotations(tmp_path: Path) -> None:
    (tmp_path / "Sentences").mkdir()
    (tmp_path / "train.txt").write_text("1\n")
    (tmp_path / "Sentences" / "1.txt").write_text("we saw [/EN#1/animals the dog]\nwe met [/EN#1/animals the dog]\n")
    segment = open_segmenter("left-entropy:0.6", None, fit_on=str(tmp_path))  # ln 2 = 0.69
    assert texts(segment(["we saw the dog"])) == [["we saw", "the dog"]]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("baseline")
    tokenizer = tiny_inputs().tokenizer
    encoder = EncoderConfig(kind="baseline", width=16, heads=2, max_tokens=16)
    TextGroupModel(encoder, None, 8, vocabulary=len(tokenizer), image_width=8).save_pretrained(where)
    tokenizer.save(where / "tokenizer.json")
    return where


@pytest.mark.parametrize(("spec", "most"), [("kmeans:2", 2), ("spectral:2", 2), ("meanshift", 8)])
def test_clusterings_cut_every_caption_into_at_most_so_many_groups(baseline: Path, spec: str, most: int) -> None:
    pytest.importorskip("sklearn")
    found = open_segmenter(spec, None, features_from=str(baseline))(CAPTIONS)
    for caption, units in zip(CAPTIONS, found):
        assert "".join(unit.text for unit in units).replace(" ", "") == caption.replace(" ", "")
        assert 1 <= len({unit.group for unit in units}) <= most
    assert open_segmenter(spec, None, features_from=str(baseline))(CAPTIONS) == found


def test_clusterings_need_a_baseline(run: Path) -> None:
    with pytest.raises(InputError, match="not a baseline checkpoint"):
        open_segmenter("kmeans:4", None, features_from=str(run))


def write(path: Path, *records: object) -> str:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return f"file:{path}"


def test_a_file_of_units_is_a_segmenter_in_any_order(tmp_path: Path) -> None:
    spec = write(
        tmp_path / "units.jsonl",
        {"caption": "it floats", "units": [{"start": 0, "end": 2}, {"start": 3, "end": 9}]},
        {
            "caption": "a ring",
            "units": [{"text": "a ring", "start": 0, "end": 6, "group": 3, "groundable": False}],
        },
    )
    assert open_segmenter(spec, None)(["a ring", "it floats"]) == [
        [Unit("a ring", 0, 6, 3, False)],
        [Unit("it", 0, 2, 0), Unit("floats", 3, 9, 1)],
    ]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"caption": "a ring"}, "in one line"),
        ({"caption": 5, "units": []}, "in one line"),
        (["a ring"], "in one line"),
        ({"caption": "a ring", "units": [{"start": 0}]}, "in one line"),
        ({"caption": "a ring", "units": [[0, 6]]}, "in one line"),
        ({"caption": "a ring", "units": [{"start": "0", "end": 6}]}, "in one line"),
        ({"caption": "a ring", "units": [{"start": 0, "end": 1, "group": 1}, {"start": 2, "end": 6}]}, "in one line"),
        ({"caption": "a ring", "units": [{"start": 0, "end": 7}]}, "does not lie in a caption of 6 characters"),
        ({"caption": "a ring", "units": [{"start": -2, "end": 6}]}, "does not lie in"),
        ({"caption": "a ring", "units": [{"start": 3, "end": 3}]}, "does not lie in"),
        ({"caption": "a ring", "units": [{"start": 0, "end": 6, "group": -1}]}, "group must be a whole number"),
        ({"caption": "a ring", "units": [{"start": 0, "end": 6, "groundable": "yes"}]}, "groundable true, false"),
        ({"caption": "a ring", "units": [{"start": 0, "end": 6, "groundable": 0}]}, "groundable true, false"),
        ({"caption": "another", "units": []}, "no line for the caption 'a ring'"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, record: object, said: str) -> None:
    spec = write(tmp_path / "units.jsonl", record)
    with pytest.raises(InputError, match=said):
        open_segmenter(spec, None)(["a ring"])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("equal", "whole number from 1"),
        ("equal:0", "whole number from 1"),
        ("random:-3", "whole number from 1"),
        ("equal:" + 5000 * "9", "whole number from 1"),
        ("random:" + 20 * "9", "whole number from 1"),
        ("kmeans:four", "whole number from 1"),
        ("left-entropy:nan", "threshold in nats"),
        ("left-entropy:", "threshold in nats"),
        ("left-entropy:3.6", "needs --fit-on"),
        ("kmeans:4", "needs --features-from"),
        ("meanshift", "needs --features-from"),
        ("meanshift:4", "no segmenter"),
        ("singletons:4", "no segmenter"),
        ("chunker:other", "no segmenter"),
        ("magic", r"there are model\[:PATH\], equal:K"),
        ("", "no segmenter ''"),
        ("model:", "no segmenter 'model:'"),
        ("model:nowhere", "nowhere"),
        ("file:nowhere.jsonl", "no such file"),
    ],
)
def test_a_spec_that_cannot_be_opened_says_why(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_segmenter(spec, None)
