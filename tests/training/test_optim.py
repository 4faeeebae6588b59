"""The schedule at its corners, and what is decayed."""

import math

import pytest
from torch import nn

from textgroup.config.run import OptimConfig
from textgroup.training.optim import adamw, advise_steps, learning_rate, total_steps, warmup_steps

PAPER = OptimConfig()


def test_the_schedule_meets_its_corners() -> None:
    per_epoch = 700
    assert total_steps(per_epoch, PAPER) == 17_500
    rate = [learning_rate(step, per_epoch, PAPER) for step in range(17_500)]
    assert rate[0] == pytest.approx(4e-6)
    assert rate[1400] == pytest.approx(1.6e-3)  # after 2 epochs
    assert max(rate) == rate[1400]
    assert rate[700] == pytest.approx((4e-6 + 1.6e-3) / 2)
    assert rate[(1400 + 17_499) // 2] == pytest.approx((4e-5 + 1.6e-3) / 2, rel=1e-3)
    assert rate[-1] == pytest.approx(4e-5)


def test_a_run_without_warm_up_starts_at_the_peak() -> None:
    assert learning_rate(0, 10, OptimConfig(warmup_epochs=0)) == PAPER.lr


def test_a_warm_up_that_does_not_fit_takes_half_of_the_run() -> None:
    """`--optim.epochs 1` is a run, though the configuration warms up for two epochs."""
    short = OptimConfig(epochs=1, warmup_epochs=2)
    assert warmup_steps(100, short) == 50
    rate = [learning_rate(step, 100, short) for step in range(total_steps(100, short))]
    assert rate[0] == short.lr_start
    assert rate.index(max(rate)) == 50
    assert rate[50] == short.lr
    assert rate[-1] == pytest.approx(short.lr_floor)
    assert warmup_steps(100, OptimConfig(epochs=5, warmup_epochs=2)) == 200
    assert all(math.isfinite(learning_rate(0, 1, OptimConfig(epochs=epochs))) for epochs in (0.01, 1, 2))


def test_a_run_of_a_few_steps_says_what_to_change() -> None:
    advice = advise_steps(1, OptimConfig(batch_size=4096, epochs=25))
    assert advice == (
        "this run has 25 steps only, 1 an epoch: lower optim.batch_size (4,096) or raise optim.epochs (25)"
    )
    assert advise_steps(700, PAPER) is None


def test_only_matrices_are_decayed() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Embedding(5, 4))
    decayed, free = adamw(model, PAPER).param_groups
    assert decayed["weight_decay"] == 0.05
    assert free["weight_decay"] == 0
    assert sorted(p.ndim for p in decayed["params"]) == [2, 2]
    assert sorted(p.ndim for p in free["params"]) == [1, 1, 1]
