"""Where units begin, and what reaches their vectors."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from tests.model.test_model import SMALL

from textgroup.data.captions import pad
from textgroup.model.dynamic import DynamicGroupTransformer
from textgroup.model.layers import initialise
from textgroup.model.router import Views, marginals, unit_of

CAPTIONS = [[58, 5, 6, 7, 8, 59], [58, 8, 59], [58, *range(9, 20), 59]]


def encoder(groups: int = 4, layers_after: int = 0) -> DynamicGroupTransformer:
    torch.manual_seed(0)
    made = DynamicGroupTransformer(replace(SMALL, kind="dynamic", groups=groups, layers_after=layers_after))
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
    before = made(ids, mask).views.place
    for changed in range(1, 5):
        other = ids.clone()
        other[0, changed] = 30
        moved = ((made(other, mask).views.place - before).abs() > 1e-6)[0]
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
    assert torch.equal(one.views.place, two.views.place)
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
def test_a_unit_is_the_mean_of_the_values_of_its_tokens() -> None:
    made = encoder()
    made.router.word.fill_(-1e3)  # one unit for all
    ids, mask = pad([[58, 5, 6, 59]])
    values = made.value(made.norm_values(made.embedding(ids)))
    assert torch.allclose(made(ids, mask).groups[0, 0], values[0].mean(dim=0), atol=1e-6)


def test_marginals_equal_a_sum_over_all_ways_to_cut() -> None:
    probability, units = torch.tensor([[0.0, 0.3, 0.9, 0.5]]), 3
    expected = torch.zeros(units, 4)
    for cuts in product([0, 1], repeat=3):
        weight = 1.0
        for cut, p in zip(cuts, probability[0, 1:].tolist()):
            weight *= p if cut else 1 - p
        owner = unit_of(torch.tensor([[0, *cuts]]), units)[0]
        expected[owner, range(4)] += weight
    assert torch.allclose(marginals(probability, units)[0], expected, atol=1e-6)


def test_both_views_count_alike_and_no_unit_begins_where_none_may() -> None:
    word, place = torch.tensor([[2.0, -1, 5]]), torch.tensor([[-2.0, 3, 5]])
    views = Views(word, place, torch.zeros(1, 3), torch.zeros(1, 3), torch.tensor([[True, True, False]]))
    assert views.probability()[0].tolist() == pytest.approx([0.5, torch.tensor(2.0).sigmoid().item(), 0.0])
    assert views.begins()[0].tolist() == [False, True, False]


def test_a_word_that_as_a_rule_makes_a_unit_is_cut_off_where_it_begins_one() -> None:
    """
               <s> two men [with] glas ses  on  [with] it  </s>
    probable                 x                              (a unit begins at the first `with` only)
    closes                   x                     x
    begins                   x     x                        (`with` in mid-unit closes nothing)
    """
    where = {"probable": [3], "closes": [3, 7], "allowed": [2, 3, 4, 6, 7, 8], "begins": [3, 4]}
    at = {name: torch.tensor([[float(i in found) for i in range(10)]]) for name, found in where.items()}
    views = Views(
        2 * at["probable"] - 1, torch.zeros(1, 10), 2 * at["closes"] - 1, torch.zeros(1, 10), at["allowed"] > 0
    )
    assert torch.equal(views.begins(), at["begins"] > 0)
