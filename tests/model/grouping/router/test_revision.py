"""What is mended once it is known which units name something."""

import pytest
import torch

from textgroup.model.grouping.router.places import Places, find_spans
from textgroup.model.grouping.router.revision import CALLED, FINISHES, Links, join, second_words

LENGTH = 8
CROWD, OF, PEOPLE, BLACK, AND, DOG, THE = range(1, 8)


def row(*where: int) -> torch.Tensor:
    """(1, LENGTH), True at these places."""
    return torch.tensor([[i in where for i in range(LENGTH)]])


def links(**facts: dict[int, float]) -> Links:
    """Facts about few types; of the others, that they join nothing."""
    others = {"closes": -1.0, "called": 0.0, "finishes": 1.0}
    made = {name: torch.full((10,), value) for name, value in others.items()}
    for name, values in facts.items():
        for of, value in values.items():
            made[name][of] = value
    return Links(**made)


def joined(facts: Links, ids: list[int], begins: list[int], names: list[int], goes_on: list[int]) -> list[int]:
    """Where units begin after joining, in a caption without marks, all of whose tokens are words."""
    words = row(*range(1, len(ids) + 1))
    places = Places(words, row(1), row(), torch.tensor([[len(ids) + 1]]))
    padded = torch.tensor([[0, *ids, *[0] * (LENGTH - len(ids) - 1)]])
    first = row(*begins)
    spans = find_spans(first, places)
    return join(facts, padded, first, places.undecided, row(*goes_on), row(*names), spans)[0].nonzero()[:, 0].tolist()


CALLS = links(called={OF: CALLED + 0.01})


@pytest.mark.parametrize(
    ("begins", "names", "goes_on", "expected"),
    [
        ([1, 3, 4], [1, 2, 4], [4], [1]),  # a crowd | of | people
        ([1, 3], [1, 2], [4], [1]),  # a crowd | of people
        ([1, 3, 4], [1, 2, 4], [], [1, 3, 4]),  # "people" begins a unit by itself, as "the" of "of the people" does
        ([1, 3, 4], [4], [4], [1, 3, 4]),  # what stands before names nothing
        ([1, 4], [1, 2, 3], [4], [1, 4]),  # a crowd of | people: "of" begins nothing
    ],
)
def test_a_word_that_is_called_for_joins_what_it_stands_between(
    begins: list[int], names: list[int], goes_on: list[int], expected: list[int]
) -> None:
    assert joined(CALLS, [THE, CROWD, OF, PEOPLE], begins, names, goes_on) == expected


def test_a_word_that_may_follow_anything_joins_nothing() -> None:
    facts = links(called={OF: CALLED - 0.01})
    assert joined(facts, [THE, CROWD, OF, PEOPLE], [1, 3, 4], [1, 2, 4], [4]) == [1, 3, 4]


@pytest.mark.parametrize(
    ("finishes", "closes", "goes_on", "expected"),
    [
        (FINISHES - 0.01, 1.0, [4], [1]),  # the black | and | red dog
        (FINISHES + 0.01, 1.0, [4], [1, 3, 4]),  # the dog | and | cat
        (FINISHES - 0.01, -1.0, [4], [1, 3, 4]),  # the black | jumping | dog
        (FINISHES - 0.01, 1.0, [], [1, 3, 4]),  # the black | and | the red dog
    ],
)
def test_a_unit_without_its_last_word_is_joined_to_what_follows(
    finishes: float, closes: float, goes_on: list[int], expected: list[int]
) -> None:
    facts = links(finishes={BLACK: finishes}, closes={AND: closes})
    assert joined(facts, [THE, BLACK, AND, DOG], [1, 3, 4], [1, 2, 4], goes_on) == expected


def test_a_word_alone_lacks_nothing() -> None:
    facts = links(finishes={BLACK: 0.0}, closes={AND: 1.0})
    assert joined(facts, [BLACK, AND, DOG], [1, 2, 3], [1, 3], [3]) == [1, 2, 3]


def test_what_is_not_free_is_not_joined() -> None:
    begins = row(1, 3, 4)
    places = Places(row(1, 2, 3, 4), row(1), row(), torch.tensor([[5]]))
    ids = torch.tensor([[0, THE, CROWD, OF, PEOPLE, 0, 0, 0]])
    for told in (3, 4):
        free = places.undecided & ~row(told)
        after = join(CALLS, ids, begins, free, row(4), row(1, 2, 4), find_spans(begins, places))
        assert after.tolist() == begins.tolist(), told


def test_the_second_word_is_where_a_unit_could_begin_anew() -> None:
    """
    0    1    2     3   4      5   6    7
    <s>  men  serv  ing  good  food  it  </s>
         x    x                      x          units begin
    """
    places = Places(row(1, 2, 4, 5, 6), row(1), row(), torch.tensor([[7]]))
    begins = row(1, 2, 6)
    spans = find_spans(begins, places)
    assert second_words(begins, places.undecided, spans, places).tolist() == row(4).tolist()
    assert second_words(begins, places.undecided & ~row(4), spans, places).tolist() == row().tolist()
