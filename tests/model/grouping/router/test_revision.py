"""What is revised once it is known which units name something."""

import pytest
import torch

from textgroup.model.grouping.router.places import Places
from textgroup.model.grouping.router.revision import CALLED, FINISHES, Links, join, part

LENGTH = 8
CROWD, OF, PEOPLE, BLACK, AND, DOG, THE = range(1, 8)
MARK = 8


def row(*where: int) -> torch.Tensor:
    """(1, LENGTH), True at these places."""
    return torch.tensor([[i in where for i in range(LENGTH)]])


def places_of(ids: list[int], pieces: tuple[int, ...] = ()) -> Places:
    """All tokens are words or marks, but for these pieces, which go on with the word before."""
    words = row(*(n for n in range(1, len(ids) + 1) if n not in pieces))
    marks = row(*(n for n, token in enumerate(ids, 1) if token == MARK))
    return Places(words, row(1), marks, torch.tensor([[len(ids) + 1]]))


def padded(ids: list[int]) -> torch.Tensor:
    return torch.tensor([[0, *ids, *[0] * (LENGTH - len(ids) - 1)]])


def links(**facts: dict[int, float]) -> Links:
    """Facts about few types; of the others, that they join nothing."""
    others = {"closes": -1.0, "called": 0.0, "finishes": 1.0}
    made = {name: torch.full((10,), value) for name, value in others.items()}
    for name, values in facts.items():
        for of, value in values.items():
            made[name][of] = value
    return Links(**made)


CALLS = links(called={OF: CALLED + 0.01})


def joined(
    facts: Links,
    ids: list[int],
    begins: list[int],
    names: list[int],
    by_themselves: tuple[int, ...] = (1, 3),
    pieces: tuple[int, ...] = (),
    told: tuple[int, ...] = (),
) -> list[int]:
    """Where units begin after joining. by_themselves: where the words say that one does."""
    places = places_of(ids, pieces)
    boundary = torch.where(row(*by_themselves), 1.0, -1.0)
    free = places.undecided & ~row(*told)
    after = join(facts, padded(ids), row(*begins), row(*names), free, boundary, places)
    return after[0].nonzero()[:, 0].tolist()


@pytest.mark.parametrize(
    ("begins", "names", "by_themselves", "expected"),
    [
        ([1, 3, 4], [1, 2, 4], (1, 3), [1]),  # a crowd | of | people
        ([1, 3], [1, 2], (1, 3), [1]),  # a crowd | of people
        ([1, 3, 4], [1, 2, 4], (1, 3, 4), [1, 3, 4]),  # "the" of "of the people" begins a unit by itself
        ([1, 3, 4], [4], (1, 3), [1, 3, 4]),  # what stands before names nothing
        ([1, 4], [1, 2, 3], (1,), [1, 4]),  # a crowd of | people: "of" begins nothing
    ],
)
def test_a_word_that_is_called_for_joins_what_it_stands_between(
    begins: list[int], names: list[int], by_themselves: tuple[int, ...], expected: list[int]
) -> None:
    assert joined(CALLS, [THE, CROWD, OF, PEOPLE], begins, names, by_themselves) == expected


@pytest.mark.parametrize(("strength", "expected"), [(CALLED, [1, 3, 4]), (CALLED + 0.001, [1])])
def test_a_word_that_may_follow_anything_joins_nothing(strength: float, expected: list[int]) -> None:
    facts = links(called={OF: strength})
    assert joined(facts, [THE, CROWD, OF, PEOPLE], [1, 3, 4], [1, 2, 4]) == expected


@pytest.mark.parametrize(
    ("finishes", "closes", "by_themselves", "expected"),
    [
        (FINISHES - 0.01, 1.0, (1, 3), [1]),  # the black | and | red dog
        (FINISHES, 1.0, (1, 3), [1, 3, 4]),  # the dog | and | cat
        (FINISHES - 0.01, -1.0, (1, 3), [1, 3, 4]),  # the black | jumping | dog
        (FINISHES - 0.01, 1.0, (1, 3, 4), [1, 3, 4]),  # the black | and | the red dog
    ],
)
def test_a_unit_that_lacks_its_last_word_is_joined_to_what_follows(
    finishes: float, closes: float, by_themselves: tuple[int, ...], expected: list[int]
) -> None:
    facts = links(finishes={BLACK: finishes}, closes={AND: closes})
    assert joined(facts, [THE, BLACK, AND, DOG], [1, 3, 4], [1, 2, 4], by_themselves) == expected


def test_a_word_alone_lacks_nothing() -> None:
    facts = links(finishes={BLACK: 0.0}, closes={AND: 1.0})
    assert joined(facts, [BLACK, AND, DOG], [1, 2, 3], [1, 3], (1, 2)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("ids", "begins", "names"),
    [
        ([THE, CROWD, OF], [1, 3], [1, 2]),  # the last word
        ([OF, PEOPLE], [1, 2], [2]),  # the first word
        ([THE, CROWD, OF, MARK, PEOPLE], [1, 3, 4, 5], [1, 2, 5]),  # a mark after
        ([THE, CROWD, MARK, OF, PEOPLE], [1, 3, 4, 5], [1, 2, 5]),  # a mark before
    ],
)
def test_a_link_joins_nothing_where_there_is_nothing_to_join(
    ids: list[int], begins: list[int], names: list[int]
) -> None:
    assert joined(CALLS, ids, begins, names, tuple(begins)) == begins
    assert joined(CALLS, ids, begins, names, ()) == begins


def test_the_next_word_is_joined_with_all_its_pieces() -> None:
    ids = [THE, CROWD, OF, PEOPLE, DOG, THE]
    assert joined(CALLS, ids, [1, 3, 4, 6], [1, 2, 4, 5, 6], (1, 3, 6), pieces=(5,)) == [1, 6]


@pytest.mark.parametrize("told", [3, 4])
def test_what_a_translation_tells_is_not_revised(told: int) -> None:
    assert joined(CALLS, [THE, CROWD, OF, PEOPLE], [1, 3, 4], [1, 2, 4], told=(told,)) == [1, 3, 4]


@pytest.mark.parametrize(
    ("names", "would_name", "told", "expected"),
    [
        ([], [4, 5], [], [1, 2, 4, 6]),  # men | serv-ing | good food | it
        ([2, 3, 4, 5], [4, 5], [], [1, 2, 6]),  # the unit names something as it is
        ([], [], [], [1, 2, 6]),  # what is left would name nothing
        ([], [4, 5], [4], [1, 2, 6]),  # a translation says what is so there
    ],
)
def test_a_unit_that_names_nothing_is_parted_if_the_rest_would_name_something(
    names: list[int], would_name: list[int], told: list[int], expected: list[int]
) -> None:
    """
    0    1    2     3   4      5     6   7
    <s>  men  serv  ing  good  food  it  </s>
         x    x                      x          units begin
    """
    places = places_of([1] * 6, pieces=(3,))
    begins, asked = row(1, 2, 6), []

    def naming(units: torch.Tensor) -> torch.Tensor:
        asked.append(units)
        return torch.where(row(*would_name), 1.0, -1.0)

    after = part(begins, row(*names), places.undecided & ~row(*told), places, naming)
    assert after[0].nonzero()[:, 0].tolist() == expected
    if not names and not told:
        assert asked[0].tolist() == row(1, 2, 4, 6).tolist(), "what is left of the unit is judged by itself"
