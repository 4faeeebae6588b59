"""The grouping without a hard assignment, against Eq. 4 written out."""

from dataclasses import replace

import torch

from tests.model.test_model import SMALL
from textgroup.data.batches import pad
from textgroup.model.grouping.attention import TopDownAttention, assign_hard
from textgroup.model.grouping.mechanisms import new_grouping
from textgroup.model.grouping.soft import assign_soft


def test_a_group_is_the_mean_of_all_tokens_weighted_by_its_share_of_each() -> None:
    torch.manual_seed(0)
    attention = TopDownAttention(8, 0.0, assign_soft)
    groups, tokens, mask = torch.randn(1, 3, 8), torch.randn(1, 5, 8), torch.tensor([[True] * 4 + [False]])
    update, soft = attention(groups, tokens, tokens, mask)
    raw = attention.query(groups)[0] @ attention.key(tokens)[0, :4].T * 8**-0.5
    share = raw.softmax(dim=0)  # (K, M): a token's shares add up to 1
    expected = attention.out((share / share.sum(dim=1, keepdim=True)) @ attention.value(tokens)[0, :4])
    assert torch.allclose(update[0], expected, atol=1e-6)
    assert torch.allclose(soft[0, :, :4], share, atol=1e-6)
    assert not soft[0, :, 4].any()


def test_it_is_the_hard_one_where_the_shares_are_sure() -> None:
    sure = 1e4 * torch.randn(2, 3, 6, generator=torch.Generator().manual_seed(0))
    for found, expected in zip(assign_soft(sure), assign_hard(sure)):
        assert torch.allclose(found, expected, atol=1e-6)


@torch.no_grad()
def test_a_tokens_owner_has_the_largest_share_of_it() -> None:
    torch.manual_seed(0)
    encoder = new_grouping(replace(SMALL, kind="soft"), 60).eval()
    torch.nn.init.normal_(encoder.groups, std=2)  # type: ignore[arg-type]
    text = encoder(*pad([[58, 5, 6, 7, 59], [58, 8, 59]]))
    largest = text.assignment.argmax(dim=1)
    assert torch.equal(text.owner[text.mask], largest[text.mask])
    assert 0 < text.assignment.max() < 1
