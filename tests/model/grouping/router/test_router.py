"""The router: what a cut depends on."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textgroup.config.model import EncoderConfig
from textgroup.data.batches import pad
from textgroup.model.grouping.router.router import REACH, Router

START, END = 58, 59


def router() -> Router:
    torch.manual_seed(0)
    made = Router(EncoderConfig(kind="dynamic", router_width=8, router_hidden=12), 60)
    made.ends_word.fill_(True)
    made.alone[57] = True
    return made.eval()


@torch.no_grad()
@settings(max_examples=30)  # each takes long
@given(st.lists(st.integers(0, 56), min_size=12, max_size=40), st.data())
def test_a_cut_depends_on_so_many_tokens_around_it_and_on_nothing_else(ids: list[int], data: st.DataObject) -> None:
    """So a window that holds them gives the cuts of the whole text."""
    made = router()
    whole = made.token_logits(*pad([[START, *ids, END]]))
    place = data.draw(st.integers(1 + REACH, len(ids) - REACH))
    part = made.token_logits(*pad([[START, *ids, END][place - REACH : place + REACH + 1]]))
    for one, other in zip(whole, part):
        assert torch.allclose(one[0, place], other[0, REACH], atol=1e-5)


@torch.no_grad()
def test_a_caption_is_cut_alike_however_much_it_is_padded() -> None:
    made, short, long = router(), [START, 3, 4, 5, END], [START, *range(30), END]
    alone, beside = made(*pad([short])), made(*pad([short, long]))
    for one, other in zip(alone, beside):
        assert torch.allclose(one[0].float(), other[0, : len(short)].float(), atol=1e-5)


@torch.no_grad()
def test_of_a_hidden_token_nothing_shows() -> None:
    made = router()
    ids, mask = pad([[START, 5, 6, 7, 8, END]])
    mask[0, 3] = False
    other = ids.clone()
    other[0, 3] = 30
    for one, two in zip(made.token_logits(ids, mask), made.token_logits(other, mask)):
        assert torch.equal(one, two)


@torch.no_grad()
def test_units_begin_where_they_must_and_where_the_logit_says_so() -> None:
    made = router()
    made.logits.weight.zero_()
    ids, mask = pad([[START, 5, 6, 57, 7, 8, END]])
    for bias, begins in ((-1.0, [1, 3, 4]), (1.0, [1, 2, 3, 4, 5])):
        made.logits.bias.copy_(torch.tensor([bias, 1.0]))
        cuts = made(ids, mask)
        assert cuts.begins[0].nonzero()[:, 0].tolist() == begins
        assert cuts.undecided[0].nonzero()[:, 0].tolist() == [2, 5]
    assert (cuts.names > 0)[0, 1:6].tolist() == [True, True, False, True, True], "a mark names nothing"
