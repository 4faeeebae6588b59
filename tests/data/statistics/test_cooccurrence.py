"""What stands in the same captions begins alike."""

import numpy as np
import pytest
import torch

from textgroup.data.captions import CaptionData
from textgroup.data.statistics.cooccurrence import cooccurrence

START, END = 10, 11
PAIRS = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
"""Tokens that are in captions together; 6 is always alone, 7 to 9 are nowhere."""


def data(captions: list[list[int]]) -> CaptionData:
    rows = [[START, *caption, END] for caption in captions]
    starts, first = np.cumsum([0, *map(len, rows)]), np.arange(len(rows) + 1)
    return CaptionData(np.concatenate(rows), starts, first)


def test_tokens_that_keep_the_same_company_are_alike_and_others_are_not() -> None:
    found = cooccurrence(data([*map(list, PAIRS), [6]] * 5), 12, 8, seed=0)
    product = found @ found.T
    for a, b in PAIRS:
        assert product[a, b] > 0.1 * product[a, a]
    assert product[:3, 3:6].abs().max() < 1e-4


def test_only_tokens_met_with_others_have_vectors_and_these_have_unit_variance() -> None:
    found = cooccurrence(data([*map(list, PAIRS), [6]]), 12, 8, seed=0)
    assert found.any(dim=1).tolist() == [True] * 6 + [False] * 6, "start and end of text are in every caption"
    assert found[:6].square().mean().item() == pytest.approx(1)
    assert found.dtype == torch.float32


def test_a_seed_turns_the_vectors_and_changes_no_product() -> None:
    captions = data([list(pair) for pair in PAIRS])
    first, again, other = (cooccurrence(captions, 12, 8, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.1)
    assert torch.allclose(first @ first.T, other @ other.T, atol=1e-4)


def test_the_global_random_numbers_are_left_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    cooccurrence(data([[0, 1]]), 12, 8, seed=0)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("captions", [[[0], [1]], [[0, 1]], [[0, 0, 0]]])
def test_few_words_and_more_components_than_tokens_are_no_matter(captions: list[list[int]]) -> None:
    found = cooccurrence(data(captions), 12, 20, seed=0)
    assert found.shape == (12, 20)
    assert found.isfinite().all()


def test_of_many_captions_some_from_all_over_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textgroup.data.statistics.cooccurrence.CAPTIONS", 4)
    found = cooccurrence(data([[0, 1], [2, 3], [4, 5], [2, 3], [0, 1], [2, 3], [6, 7]]), 12, 8, seed=0)
    assert found.any(dim=1)[:8].tolist() == [True, True, False, False, True, True, True, True], "each second one"
