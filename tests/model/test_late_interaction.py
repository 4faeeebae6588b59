"""Late interaction with a null object, against sums written out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from textgroup.model import late_interaction
from textgroup.model.late_interaction import NULL, log_odds, set_similarity

TAU = 0.1


def some(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, 4, generator=generator, dtype=torch.float64), dim=-1)


def test_it_is_the_mean_over_units_of_the_log_sum_over_objects_and_null() -> None:
    units, objects = some(0, 2, 3), some(1, 3, 2)
    units[1, 2] = 0  # the second caption has two units
    objects[0, 1] = 0  # the first image one object
    numbers, things = (3, 2), (1, 2, 2)
    found = set_similarity(units, objects, TAU)
    for a in range(2):
        for b in range(3):
            terms = [
                math.log(1 + sum(math.exp((float(units[a, k] @ objects[b, g]) - NULL) / TAU) for g in range(things[b])))
                for k in range(numbers[a])
            ]
            assert found[a, b].item() == pytest.approx(sum(terms) / numbers[a])


def test_a_unit_that_is_unlike_all_objects_adds_nothing_and_one_that_is_like_one_what_its_cosine_exceeds_null_by() -> (
    None
):
    unit = torch.eye(4)[None, :1]
    assert set_similarity(unit, -unit, 0.07).item() == pytest.approx(0, abs=1e-5)
    assert set_similarity(unit, torch.cat([-unit, unit], dim=1), 0.07).item() * 0.07 == pytest.approx(
        1 - NULL, abs=1e-4
    )


def test_the_gradient_is_the_probability_that_the_unit_refers_to_the_object() -> None:
    unit, objects = some(0, 1, 1), some(1, 1, 3).requires_grad_()
    (slope,) = torch.autograd.grad(set_similarity(unit, objects, TAU).sum(), objects)
    odds = ((objects[0] @ unit[0, 0]).detach() - NULL) / TAU
    probability = torch.cat([odds, torch.zeros(1)]).softmax(dim=0)[:3]
    assert torch.allclose(slope[0] * TAU, probability[:, None] * unit[0, 0])


def test_log_odds_are_of_any_object_against_null() -> None:
    units, objects = some(0, 2, 3), some(1, 2, 2)
    units[1, 2] = 0
    objects[0, 1] = 0
    found = log_odds(units, objects, TAU)
    for b, (number, things) in enumerate(((3, 1), (2, 2))):
        odds = [
            sum(math.exp((float(units[b, k] @ objects[b, g]) - NULL) / TAU) for g in range(things))
            for k in range(number)
        ]
        assert found[b].item() == pytest.approx(sum(map(math.log, odds)) / number)


def test_captions_at_a_time_give_the_same_and_their_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    def both() -> tuple[Tensor, Tensor, Tensor]:
        units, objects = some(0, 7, 3).requires_grad_(), some(1, 5, 2).requires_grad_()
        found = set_similarity(units, objects, TAU)
        return found, *torch.autograd.grad((found * torch.arange(35.0).view(7, 5)).sum(), (units, objects))

    whole = both()
    monkeypatch.setattr(late_interaction, "ENTRIES", 2 * 3 * 5 * 2)  # two captions
    for expected, found in zip(whole, both()):
        assert torch.allclose(expected, found)


def test_memory_for_backward_does_not_grow_with_the_number_of_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that autograd keeps: a row of similarities a caption, not one for each unit and object."""
    kept = 0

    def count(x: Tensor) -> Tensor:
        nonlocal kept
        kept += x.numel()
        return x

    units, objects = some(0, 64, 8).requires_grad_(), some(1, 64, 8).requires_grad_()
    monkeypatch.setattr(late_interaction, "ENTRIES", 8 * 64 * 8 * 4)
    with torch.autograd.graph.saved_tensors_hooks(count, lambda x: x):
        set_similarity(units, objects, TAU)
    assert kept < 64 * 8 * 64 * 8 / 2
