"""The monitors must see what they are there to see."""

from dataclasses import replace

import pytest
import torch

from textgroup.config.model import DecoderConfig, EncoderConfig, ModelConfig
from textgroup.config.run import LossConfig
from textgroup.data.batches import Batch, pad, without_specials
from textgroup.keys import key_of
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.textgroup import TextGroupModel
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.runs.monitor import Monitors, leak, measure_outputs


def outputs(rows: list[list[int]], groups: int = 4, sharpness: float = 1.0) -> TextGroups:
    """Captions whose tokens (start and end included) lie in these groups."""
    ids, mask = pad(rows)
    hard = torch.nn.functional.one_hot(ids, groups).transpose(1, 2).float()
    soft = sharpness * hard + (1 - sharpness) / groups
    return TextGroups.fixed(torch.zeros(len(rows), groups, 2), soft * mask[:, None, :], mask)


def test_monitors_count_groups_runs_and_shares_without_start_and_end() -> None:
    seen = measure_outputs([outputs([[3, 0, 0, 1, 1, 0, 3], [3, 2, 2, 2, 2, 3]])])
    assert seen.groups_in_use == (2 + 1) / 2
    assert seen.runs == (3 + 1) / 2
    assert seen.biggest_share == pytest.approx((3 / 5 + 1) / 2)
    assert seen.entropy == pytest.approx(0, abs=1e-6)


def test_inner_leaves_out_the_first_and_the_last_valid_token() -> None:
    mask = torch.tensor([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]]).bool()
    assert without_specials(mask).int().tolist() == [[0, 1, 1, 0, 0], [0, 0, 0, 0, 0]]


def test_uniform_maps_are_warned_of() -> None:
    uniform = measure_outputs([outputs([[0, 0, 1, 2, 0]], sharpness=0.01)])
    assert uniform.entropy > 0.99
    assert any("uniform" in warning for warning in uniform.warnings(4))


def test_collapse_is_warned_of_but_not_for_one_group() -> None:
    collapsed = measure_outputs([outputs([[0, 1, 1, 1, 1, 0]])])
    assert any("collapse" in warning for warning in collapsed.warnings(4))
    assert collapsed.warnings(1) == []


def test_healthy_units_give_no_warning() -> None:
    assert measure_outputs([outputs([[0, 1, 1, 2, 2, 3, 0]])], leak=0.1).warnings(4) == []


def test_a_leak_is_warned_of() -> None:
    assert any("leak" in warning for warning in Monitors(4, 4, 0.1, 0.3, leak=0.9).warnings(4))


@pytest.mark.parametrize("closed", [False, True])
def test_the_leak_is_measured_where_it_is_and_not_where_it_is_not(closed: bool) -> None:
    """A small model learns captions by heart; only with the residual can it do so around the assignment."""
    encoder = EncoderConfig(max_tokens=10, width=32, heads=2, layers_before=2, layers_after=1, groups=2)
    encoder = replace(encoder, block="equations")
    if closed:
        encoder = replace(encoder, residual="none", values="embedded")
    torch.manual_seed(0)
    model = TextGroupModel(**vars(ModelConfig(encoder=encoder, decoder=DecoderConfig())), vocabulary=40)
    generator = torch.Generator().manual_seed(0)
    captions = [[38, *torch.randint(0, 38, (5,), generator=generator).tolist(), 39] for _ in range(12)]
    batch = Batch([pad(captions)], None)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(150):
        losses = compute(model, batch, objectives_for(LossConfig()), key_of(0, step))
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
    assert losses.total < 1.0  # it has learned something, so that there is something to leak
    measured = leak(model.eval(), batch)
    assert measured is not None
    assert measured < 1e-4 if closed else measured > 0.5


def test_there_is_no_leak_to_measure_without_a_decoder_or_before_anything_is_learned() -> None:
    encoder = EncoderConfig(max_tokens=10, width=8, heads=2, layers_before=1, layers_after=0, groups=2)
    batch = Batch([pad([[38, 1, 2, 39], [38, 3, 4, 39]])], None)
    without = TextGroupModel(**vars(ModelConfig(encoder=encoder, decoder=None)), vocabulary=40, image_width=5)
    assert leak(without, batch) is None
    assert leak(TextGroupModel(**vars(ModelConfig(encoder=encoder)), vocabulary=40).eval(), batch) is None
