"""An order that is never written down is an order all the same."""

import tracemalloc

import numpy as np
import pytest

from textgroup.data.order import hash_integers, permute


@pytest.mark.parametrize("items", [1, 2, 3, 10, 17, 1000, 4096])
def test_every_item_has_one_place(items: int) -> None:
    for key in range(5):
        assert sorted(permute(np.arange(items), items, key).tolist()) == list(range(items))


def test_keys_give_orders_that_have_nothing_in_common() -> None:
    one, other = (permute(np.arange(5000), 5000, key) for key in (1, 2))
    assert (one == other).sum() < 12  # one match is expected
    for order in (one, other):
        steps = np.abs(np.diff(order))
        assert abs(steps.mean() - 5000 / 3) < 100  # of two random items
        assert abs(np.corrcoef(order, np.arange(5000))[0, 1]) < 0.05
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05


def test_neighbours_meet_in_a_batch_no_more_often_than_any_two() -> None:
    """Of 64 of 1000 items, pairs (i, i + 1) that are both there: 1000 x 0.064 squared, about 4, over many keys."""
    met = []
    for key in range(300):
        there = np.zeros(1000, dtype=bool)
        there[permute(np.arange(64), 1000, key)] = True
        met.append((there[1:] & there[:-1]).sum())
    assert abs(np.mean(met) - 999 * 64 / 1000 * 63 / 999) < 0.4


def test_a_batch_of_a_billion_costs_what_one_of_a_thousand_costs() -> None:
    def peak(items: int) -> int:
        tracemalloc.start()
        permute(np.arange(items - 500, items), items, 7)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(10**9) < 2 * peak(1000)


def test_scattered_numbers_are_spread_evenly() -> None:
    share = np.bincount(hash_integers(np.arange(30_000), 3) % 5, minlength=5) / 30_000
    assert np.abs(share - 0.2).max() < 0.012
