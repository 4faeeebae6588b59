"""Where units begin, and what reaches their vectors."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from tests.model.test_model import SMALL
from textgroup.data.batches import pad
from textgroup.model.grouping.dynamic import DynamicGroupTransformer
from textgroup.model.grouping.router.boundaries import (
    PRICE,
    PULL,
    boundary_logit,
    find_boundaries,
    unit_marginals,
    unit_numbers,
)
from textgroup.model.grouping.router.router import Views
from textgroup.model.layers import initialise

CAPTIONS = [[58, 5, 6, 7, 8, 59], [58, 8, 59], [58, *range(9, 20), 59]]


def encoder(groups: int = 4, layers_after: int = 0) -> DynamicGroupTransformer:
    torch.manual_seed(0)
    made = DynamicGroupTransformer(replace(SMALL, kind="dynamic", groups=groups, layers_after=layers_after), 60)
    initialise(made)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return made.eval()


def begin_at_every_word(made: DynamicGroupTransformer) -> None:
    made.router.word.fill_(1e3)


@torch.no_grad()
def test_units_begin_at_words_and_neither_first_nor_last() -> None:
    made = encoder(groups=9)
    begin_at_every_word(made)
    made.router.ends_word[5] = False  # so 6 goes on with the word that 5 begins
    owner = made(*pad(CAPTIONS)).owner
    assert owner.tolist()[:2] == [[0, 0, 0, 1, 2, 2] + [-1] * 7, [0, 0, 0] + [-1] * 10]
    assert owner[2].tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8], "what comes after the last unit joins it"


@torch.no_grad()
def test_a_caption_has_only_the_groups_that_it_uses() -> None:
    made = encoder(groups=9)
    begin_at_every_word(made)
    assert made(*pad(CAPTIONS)).present.sum(dim=1).tolist() == [4, 1, 9]


@torch.no_grad()
def test_the_place_view_sees_every_token_but_the_one_that_stands_there() -> None:
    made = encoder()
    ids, mask = pad([[58, 5, 6, 7, 8, 59]])
    before = made.router(ids, mask).place
    for changed in range(1, 5):
        other = ids.clone()
        other[0, changed] = 30
        moved = ((made.router(other, mask).place - before).abs() > 1e-6)[0]
        assert moved.tolist() == [place != changed for place in range(6)]


@torch.no_grad()
def test_of_a_hidden_token_nothing_shows_but_its_place() -> None:
    made = encoder()
    ids, mask = pad([[58, 5, 6, 7, 8, 59]])
    mask[0, 3] = False
    other = ids.clone()
    other[0, 3] = 30
    one, two = made(ids, mask), made(other, mask)
    assert torch.equal(one.groups, two.groups)
    assert torch.equal(made.router(ids, mask).place, made.router(other, mask).place)
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
    made = encoder()
    made.router.word.fill_(-1e3)  # one unit for all
    ids, mask = pad([[58, 5, 6, 59]])
    assert torch.allclose(made(ids, mask).groups[0, 0], made.embedding(ids)[0].sum(dim=0), atol=1e-5)


def test_marginals_equal_a_sum_over_all_ways_to_cut() -> None:
    probability, units = torch.tensor([[0.0, 0.3, 0.9, 0.5]]), 3
    expected = torch.zeros(units, 4)
    for cuts in product([0, 1], repeat=3):
        weight = 1.0
        for begins, p in zip(cuts, probability[0, 1:].tolist()):
            weight *= p if begins else 1 - p
        owner = unit_numbers(torch.tensor([[1, *cuts]]), units)[0]
        expected[owner, range(4)] += weight
    assert torch.allclose(unit_marginals(probability, units)[0], expected, atol=1e-6)


def row(*where: int, length: int = 10) -> torch.Tensor:
    """(1, length), True at these places."""
    return torch.tensor([[i in where for i in range(length)]])


def signs(where: torch.Tensor) -> torch.Tensor:
    """Logits: +1 where True, -1 elsewhere."""
    return 2.0 * where - 1


def test_both_views_count_alike_and_no_unit_begins_where_none_may() -> None:
    word, place = torch.tensor([[9.0, 9, 3, -1, 5, 9]]), torch.tensor([[9.0, -9, -1.5, 0.5, 5, 9]])
    words = row(1, 2, 3, length=6)  # the token at 4 goes on with a word, the one at 5 is the end of text
    nothing, end = torch.zeros(1, 6), torch.tensor([[5]])
    found = find_boundaries(boundary_logit(word, place), nothing - 1, words, end)
    assert found.begins.tolist() == row(1, 2, length=6).tolist(), "the first word begins the first unit"
    views = Views(word, place, nothing, nothing, nothing, words, end, found)
    expected = [torch.tensor(x - PRICE).sigmoid().item() for x in (1.5, -0.5)]
    assert views.boundary_probability()[0].tolist() == pytest.approx([0, 0, *expected, 0, 0])


def test_a_word_that_as_a_rule_makes_a_unit_is_cut_off_where_it_begins_one() -> None:
    """
    0    1    2     3      4    5    6    7    8    9
    <s>  two  men  [with]  glas ses  on [with] it  </s>
                     x                              probable: a unit begins at the first `with` only
                     x      x                       begins: what follows it too; `with` in mid-unit closes nothing
    """
    words, closes = row(1, 2, 3, 4, 6, 7, 8), row(3, 7)
    end = torch.tensor([[9]])
    found = find_boundaries(signs(row(3)), signs(closes), words, end)
    assert found.begins.tolist() == row(1, 3, 4).tolist()
    sure = torch.where(row(3), 1.0, -PULL - 1)
    assert find_boundaries(sure, signs(closes), words, end).begins.tolist() == row(1, 3).tolist(), (
        "unless the views are sure"
    )


def test_a_cut_knows_the_ends_of_every_unit_and_whether_it_has_several_words() -> None:
    """<s> | two men | glas ses | on | </s> and padding."""
    words = row(1, 2, 3, 5)
    found = find_boundaries(signs(row(3, 5)), signs(row()), words, torch.tensor([[6]]))
    assert found.first[0, 1:6].tolist() == [1, 1, 3, 3, 5]
    assert found.final[0, 1:6].tolist() == [2, 2, 4, 4, 5]
    assert found.several[0, 1:6].tolist() == [True, True, False, False, False], "one word of two tokens is one word"


@torch.no_grad()
def test_what_a_unit_names_is_asked_of_everything_but_the_unit() -> None:
    made = encoder()
    made.router.word.fill_(-1e3)
    made.router.word[7] = 1e3  # <s> 5 6 | 7 8 </s>
    ids, mask = pad([[58, 5, 6, 7, 8, 59]])
    before = made.router(ids, mask).names_place
    other = ids.clone()
    other[0, 4] = 30  # in the second unit
    moved = ((made.router(other, mask).names_place - before).abs() > 1e-6)[0]
    assert moved[1:5].tolist() == [True, True, False, False]
