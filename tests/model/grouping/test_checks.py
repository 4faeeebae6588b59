"""The groupings that check the paper's choices, each against what its name says."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.model.test_model import SMALL
from textgroup.config.model import EncoderConfig
from textgroup.data.batches import pad
from textgroup.evaluation.segmenters.cuts import equal_split
from textgroup.model.grouping.attention import TopDownAttention
from textgroup.model.grouping.bottom_up import attend
from textgroup.model.grouping.contract import Grouping
from textgroup.model.grouping.equal import EqualSplitTransformer
from textgroup.model.grouping.mechanisms import new_grouping

KINDS = ("bottom_up", "two_blocks", "equal", "tokens")
CAPTIONS = [[58, 5, 6, 7, 9, 11, 5, 59], [58, 8, 59]]


def encoder(kind: str, **changes: object) -> Grouping:
    torch.manual_seed(0)
    config: EncoderConfig = replace(SMALL, kind=kind, **changes)
    grouping = new_grouping(config, 60).eval()
    for parameter in grouping.parameters():  # initial weights are too small to tell groups apart
        torch.nn.init.normal_(parameter, std=0.3)
    return grouping


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_caption_has_the_same_groups_whatever_it_is_padded_to(kind: str) -> None:
    model = encoder(kind)
    together, alone = model(*pad(CAPTIONS)), model(*pad(CAPTIONS[1:]))
    assert torch.equal(together.owner[1, :3], alone.owner[0])
    assert torch.allclose(together.groups[1][together.present[1]], alone.groups[0][alone.present[0]], atol=1e-5)
    assert not together.assignment[1, :, 3:].any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_that_is_used_learns(kind: str) -> None:
    model = encoder(kind)
    ids, mask = pad(CAPTIONS)
    noise = torch.zeros(2, model.noise_groups, ids.shape[1]) if model.noise_groups else None
    model(ids, mask, noise).groups.square().sum().backward()
    assert model.embedding.token.weight.grad is not None and model.embedding.token.weight.grad.any()


def test_attention_of_the_bottom_up_kind_adds_up_over_tokens() -> None:
    torch.manual_seed(0)
    attention = TopDownAttention(8, 0.0, attend)
    groups, tokens, mask = torch.randn(1, 3, 8), torch.randn(1, 5, 8), torch.tensor([[True] * 4 + [False]])
    update, share = attention(groups, tokens, tokens, mask)
    raw = attention.query(groups)[0] @ attention.key(tokens)[0, :4].T * 8**-0.5
    weights = raw.softmax(dim=1)  # (K, M): ordinary attention
    assert torch.allclose(update[0], attention.out(weights @ attention.value(tokens)[0, :4]), atol=1e-6)
    assert torch.allclose(share[0, :, :4], weights / weights.sum(dim=0), atol=1e-6)


@torch.no_grad()
def test_the_equal_kind_cuts_as_the_equal_split() -> None:
    model = encoder("equal", groups=3)
    assert isinstance(model, EqualSplitTransformer)
    text = model(*pad(CAPTIONS))
    assert text.owner[0, 1:7].tolist() == equal_split(6, 3)
    assert text.owner[1, :3].tolist() == [0, 0, 0]


@torch.no_grad()
def test_the_equal_kind_reads_nothing_but_its_own_tokens_where_the_leak_is_closed() -> None:
    closed = {"block": "equations", "residual": "none", "values": "embedded", "layers_after": 0}
    model = encoder("equal", groups=3, **closed)
    first, other = (model(*pad([[58, 5, 6, 7, 9, 11, last, 59]])).groups[0] for last in (5, 12))
    assert torch.allclose(first[:2], other[:2], atol=1e-6)
    assert not torch.allclose(first[2], other[2], atol=1e-2)


@torch.no_grad()
def test_the_tokens_kind_gives_a_group_a_token_and_the_mean_of_those_that_are_forced_together() -> None:
    model = encoder("tokens")
    ids, mask = pad(CAPTIONS)
    text, states = model(ids, mask), model.encode_tokens(ids, mask)
    assert text.present[0].nonzero().flatten().tolist() == [1, 2, 3, 4, 5, 6]
    assert torch.allclose(text.groups[0, :8], states[0], atol=1e-6)
    forced = torch.zeros(2, SMALL.max_tokens, ids.shape[1])
    forced[:, 0, 1:3] = 1
    assert torch.allclose(model(ids, mask, forced=forced).groups[0, 0], states[0, 1:3].mean(dim=0), atol=1e-6)


@torch.no_grad()
def test_two_blocks_compose() -> None:
    model = encoder("two_blocks")
    ids, mask = pad(CAPTIONS)
    text = model(ids, mask)
    shares: Tensor = text.assignment.sum(dim=1)
    assert torch.allclose(shares[mask], torch.ones(int(mask.sum())), atol=1e-5)  # a token's shares add up to 1
    assert text.assignment.shape[1] == SMALL.groups and model.noise_groups == 2 * SMALL.groups
