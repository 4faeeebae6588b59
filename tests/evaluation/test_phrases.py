"""The metric, pinned by cases that can be checked by hand, and by figures that depend on no model."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textgroup.evaluation.phrases import gold_tokens, score_caption, score_captions
from textgroup.evaluation.segmenters import equal_split
from textgroup.tokenizer import CaptionTokenizer

rows = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3)), min_size=1, max_size=14)


def test_the_example_of_the_module_holds() -> None:
    score = score_caption([5, 5, 7, 7, 7, 7, 7, 7], [0, 0, 0, 0, -1, -1, 1, 1])
    assert score == pytest.approx((0.5, 0.75, 0.75, 2 / 3))


def test_units_equal_to_the_phrases_score_one_whatever_the_rest_is() -> None:
    assert score_caption([2, 2, 9, 4, 4, 4], [0, 0, -1, 1, 1, 1]) == (1, 1, 1, 1)
    assert score_caption([2, 2, 2, 4, 4, 4], [0, 0, -1, 1, 1, 1]) == (1, 1, 1, 1)  # un-annotated tokens count nowhere


def test_more_phrases_than_units_leaves_the_rest_out() -> None:
    """One unit, two phrases of two tokens: one pair, IoU 2/4."""
    assert score_caption([0, 0, 0, 0], [0, 0, 1, 1]) == pytest.approx((0.5, 0.5, 1.0, 2 / 3))


def test_the_matching_is_the_best_one_and_not_the_greedy_one() -> None:
    """Unit 0 overlaps phrase 0 most, but the best sum gives it phrase 1."""
    units, gold = [0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0, 0]
    greedy = 3 / 7  # unit 0 with phrase 0, then nothing is left for unit 1 in phrase 1
    score = score_caption(units, gold)
    assert score is not None
    assert score.tiou == pytest.approx((2 / 5 + 2 / 5) / 2)
    assert score.tiou > (greedy + 0) / 2


def test_a_caption_without_phrases_is_left_out_of_the_mean() -> None:
    assert score_caption([0, 1], [-1, -1]) is None
    assert score_captions([[0, 1], [0, 0]], [[-1, -1], [0, 0]]) == (1, 1, 1, 1)


@given(rows, st.permutations(range(5)))
def test_renaming_the_units_changes_nothing(tokens: list[tuple[int, int]], names: list[int]) -> None:
    units, gold = zip(*tokens)
    plain, renamed = score_caption(units, gold), score_caption([names[u] for u in units], gold)
    assert (plain is None and renamed is None) or plain == pytest.approx(renamed)


@given(rows)
def test_every_figure_lies_in_its_range_and_tiou_is_below_the_others(tokens: list[tuple[int, int]]) -> None:
    score = score_caption(*zip(*tokens))
    if score is not None:
        assert all(0 <= value <= 1 for value in score)
        assert score.tiou <= min(score.precision, score.recall, score.f1) + 1e-9


def test_a_token_belongs_to_the_phrase_that_has_most_of_its_characters() -> None:
    assert gold_tokens([(0, 4), (4, 6), (6, 9), (9, 10)], [(0, 5), (6, 8)]) == [0, 0, 1, -1]
    assert gold_tokens([(0, 3)], []) == [-1]


@pytest.mark.parametrize(
    ("length", "parts", "sizes"), [(8, 4, [2, 2, 2, 2]), (7, 3, [3, 2, 2]), (2, 4, [1, 1]), (5, 1, [5])]
)
def test_the_equal_split_is_equal(length: int, parts: int, sizes: list[int]) -> None:
    units = equal_split(length, parts)
    assert units == sorted(units)
    assert np.unique(units, return_counts=True)[1].tolist() == sizes


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (1, (43.66,)),  # the paper's K = 1: 43.55
        (4, (78.29, 90.48, 85.93, 85.55)),
        (8, (71.47,)),
        (1000, (50.03, 100.0, 50.03, 63.81)),  # one token a unit; the paper's mean shift: 50.38 99.64 51.73 65.13
    ],
)
def test_the_metric_is_the_papers(shared: Path, parts: int, expected: tuple[float, ...]) -> None:
    """Figures measured independently on Flickr30k Entities val, CLIP's tokens; none depends on a model."""
    tokens, gold = entities_val(shared)
    score = score_captions((equal_split(len(row), parts) for row in gold), gold)
    assert [100 * value for value in score[: len(expected)]] == pytest.approx(expected, abs=0.006)
    assert len(tokens) == 5000


_cache: list[tuple[list, list[list[int]]]] = []


def entities_val(shared: Path) -> tuple[list, list[list[int]]]:
    if not _cache:
        tokenizer = CaptionTokenizer.from_clip_file(shared / "clip_bpe" / "bpe_simple_vocab_16e6.txt.gz")
        captions, phrases = [], []
        with zipfile.ZipFile(shared / "flickr30k_entities.zip") as archive:
            for image in archive.read("val.txt").decode().split():
                for line in archive.read(f"Sentences/{image}.txt").decode().strip().split("\n"):
                    text, spans = "", []
                    for words, plain in re.findall(r"\[/EN#\S+ ([^\]]*)\]|([^\[]+)", line):
                        if words:
                            spans.append((len(text), len(text) + len(words)))
                        text += words or plain
                    captions.append(text)
                    phrases.append(spans)
        tokens = tokenizer.encode_batch(captions)
        _cache.append((tokens, [gold_tokens(t.spans[1:-1], p) for t, p in zip(tokens, phrases)]))
    return _cache[0]
