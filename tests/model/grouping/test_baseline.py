"""The paper's baseline: the state of <eos>."""

from dataclasses import replace

import pytest
import torch

from tests.model.test_model import SMALL
from textgroup.data.batches import pad
from textgroup.errors import InputError
from textgroup.model.grouping.mechanisms import GROUPINGS, new_grouping


@torch.no_grad()
def test_hidden_tokens_leave_the_state_at_the_end_of_text() -> None:
    """Word dropout leaves holes in the mask: as many valid tokens as the mask has is no index into the caption."""
    torch.manual_seed(0)
    encoder = new_grouping(replace(SMALL, kind="baseline"), 60).eval()
    ids, mask = pad([[58, 5, 6, 7, 8, 59], [58, 9, 59]])
    mask[0, [2, 3]] = False
    text = encoder(ids, mask)
    states = encoder.encode_tokens(ids, mask)
    assert torch.equal(text.groups[:, 0], states[[0, 1], [5, 2]])


def test_what_encodes_no_single_tokens_says_so() -> None:
    for kind in set(GROUPINGS) - {"baseline", "tokens"}:
        with pytest.raises(InputError, match=f"model.encoder.kind {kind} encodes no single tokens"):
            new_grouping(replace(SMALL, kind=kind), 60).encode_tokens(*pad([[58, 5, 59]]))


def test_a_kind_that_is_not_in_the_list_is_named() -> None:
    with pytest.raises(
        InputError, match=r"model\.encoder\.kind 'magic': take one of grouping, dynamic, baseline, soft, bottom_up"
    ):
        new_grouping(replace(SMALL, kind="magic"), 60)
