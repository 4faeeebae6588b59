"""What of a caption reaches the vectors of its units."""

from dataclasses import replace

import torch

from tests.model.test_model import SMALL
from textgroup.data.batches import pad
from textgroup.model.grouping.dynamic import DynamicGroupTransformer
from textgroup.model.layers import initialise

CAPTIONS = [[58, 5, 6, 7, 8, 59], [58, 8, 59], [58, *range(9, 20), 59]]


def encoder(groups: int = 4, begins: float = 1.0) -> DynamicGroupTransformer:
    """A unit begins at every word, or at none but the first. Token 5 does not end a word."""
    torch.manual_seed(0)
    made = DynamicGroupTransformer(replace(SMALL, kind="dynamic", groups=groups, layers_after=0), 60)
    initialise(made)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
        made.router.logits.weight.zero_()
        made.router.logits.bias.copy_(torch.tensor([begins, 1.0]))
        made.router.ends_word.fill_(True)
        made.router.ends_word[5] = False
    return made.eval()


@torch.no_grad()
def test_units_begin_at_words_and_neither_first_nor_last() -> None:
    owner = encoder(groups=9)(*pad(CAPTIONS)).owner
    assert owner.tolist()[:2] == [[0, 0, 0, 1, 2, 2] + [-1] * 7, [0, 0, 0] + [-1] * 10]
    assert owner[2].tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8], "what comes after the last unit joins it"


@torch.no_grad()
def test_a_caption_that_is_only_cut_has_as_many_units_as_it_needs() -> None:
    owner = encoder(groups=2).owners(*pad(CAPTIONS)).owner
    assert owner[2].tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]


@torch.no_grad()
def test_a_caption_has_only_the_groups_that_it_uses() -> None:
    text = encoder(groups=9)(*pad(CAPTIONS))
    assert text.present.sum(dim=1).tolist() == [3, 1, 9]
    assert text.names is not None
    assert text.names.sum(dim=1).tolist() == [3, 1, 9], "here everything names something"


@torch.no_grad()
def test_of_a_hidden_token_nothing_shows_but_its_place() -> None:
    made = encoder()
    ids, mask = pad([[58, 5, 6, 7, 8, 59]])
    mask[0, 3] = False
    other = ids.clone()
    other[0, 3] = 30
    one, two = made(ids, mask), made(other, mask)
    assert torch.equal(one.groups, two.groups)
    assert one.owner[0, 3] == -1


@torch.no_grad()
def test_only_what_is_in_a_unit_reaches_its_vector() -> None:
    made = encoder()
    ids, mask = pad([[58, 5, 6, 7, 8, 59]])
    forced = torch.zeros(1, 4, 6)
    forced[0, [0, 0, 1, 1, 2, 2], range(6)] = 1
    other = ids.clone()
    other[0, 3] = 30  # in the second unit
    moved = (made(ids, mask, forced=forced).groups - made(other, mask, forced=forced).groups).abs().amax(dim=(0, 2))
    assert (moved > 1e-6).tolist() == [False, True, False, False]


@torch.no_grad()
def test_a_unit_is_the_sum_of_its_embedded_tokens() -> None:
    made = encoder(begins=-1.0)
    ids, mask = pad([[58, 5, 6, 59]])
    assert torch.allclose(made(ids, mask).groups[0, 0], made.embedding(ids)[0].sum(dim=0), atol=1e-5)


def test_no_other_loss_reaches_the_router() -> None:
    made = encoder()
    made.train()
    made(*pad(CAPTIONS)).groups.sum().backward()
    assert all(parameter.grad is None for parameter in made.router.parameters())
