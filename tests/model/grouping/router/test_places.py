"""Where words and units begin, and which tokens make a unit."""

import torch

from textgroup.model.grouping.router.places import Places, find_places, find_spans, mean_over_units

MEN, S, HATS, COMMA, DOG, GY, START, END = range(8)
"""Token types: "men", "'s", "hats", ",", "dog" and "gy", which is only met as its end, start and end of text."""
ENDS_WORD = torch.tensor([True, True, True, True, False, True, True, True])
GOES_ON = torch.tensor([i == S for i in range(8)])
ALONE = torch.tensor([i == COMMA for i in range(8)])


def places_of(*ids: int, padding: int = 0) -> Places:
    row = torch.tensor([[START, *ids, END, *[0] * padding]])
    mask = torch.tensor([[True] * (len(ids) + 2) + [False] * padding])
    return find_places(row, mask, ENDS_WORD, GOES_ON, ALONE)


def where(mask: torch.Tensor) -> list[int]:
    return mask[0].nonzero()[:, 0].tolist()


def test_words_begin_after_words_and_what_was_split_off_goes_on() -> None:
    places = places_of(MEN, S, DOG, GY, HATS, padding=2)
    assert where(places.words) == [1, 3, 5]
    assert where(places.undecided) == [3, 5]
    assert where(places.inside) == [1, 2, 3, 4, 5]


def test_what_was_split_off_begins_a_caption_if_nothing_is_before_it() -> None:
    assert where(places_of(S, HATS).must) == [1]


def test_a_mark_is_a_unit_by_itself() -> None:
    places = places_of(MEN, COMMA, HATS, COMMA)
    assert where(places.must) == [1, 2, 3, 4]
    assert not where(places.undecided)


def test_a_mark_inside_a_word_is_none() -> None:
    """ "dog,gy" is one word; ",," too, of nothing but marks: a comma that does not end a word, and one that does."""
    ends_word = ENDS_WORD.clone()
    ends_word[COMMA] = False
    ids = torch.tensor([[START, DOG, COMMA, GY, COMMA, COMMA, END]])
    places = find_places(ids, torch.ones_like(ids).bool(), ends_word, GOES_ON, ALONE)
    assert where(places.words) == [1, 4]
    assert where(places.alone) == [4, 5]
    assert where(places.must) == [1, 4]


def test_a_cut_knows_the_ends_of_every_unit_and_whether_it_has_several_words() -> None:
    """<s> | men hats | dog gy | men 's | </s> and padding."""
    places = places_of(MEN, HATS, DOG, GY, MEN, S, padding=1)
    begins = torch.tensor([[i in (1, 3, 5) for i in range(9)]])
    spans = find_spans(begins, places)
    assert spans.first[0, 1:7].tolist() == [1, 1, 3, 3, 5, 5]
    assert spans.final[0, 1:7].tolist() == [2, 2, 4, 4, 6, 6]
    assert spans.several[0, 1:7].tolist() == [True, True, False, False, False, False]


def test_a_mean_over_units_is_the_same_at_every_token_of_a_unit_and_leaves_out_what_does_not_count() -> None:
    values = torch.tensor([[9.0, 1.0, 3.0, 5.0, 9.0]])
    begins = torch.tensor([[False, True, False, True, False]])
    inside = torch.tensor([[False, True, True, True, False]])
    assert mean_over_units(values, begins, inside)[0, 1:4].tolist() == [2.0, 2.0, 5.0]
