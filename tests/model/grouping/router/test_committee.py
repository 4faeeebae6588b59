"""Teachers cut together, and a router that learned from them votes as much as they all do."""

import pytest
import torch

from textgroup.config.model import EncoderConfig
from textgroup.data.batches import pad
from textgroup.data.captions import CaptionData
from textgroup.model.grouping.router.committee import Committee
from textgroup.model.grouping.router.cotraining import Teacher
from textgroup.model.grouping.router.router import Router
from textgroup.model.grouping.router.translated import Told, Translations
from textgroup.text.tokenizer import CaptionTokenizer

CAPTIONS = ["red dog barks", "old cat sleeps", "red cat barks", "old dog sleeps", ","]
TOKENIZER = CaptionTokenizer.train(CAPTIONS, 600)  # enough for every word to be one token
DATA = CaptionData.build([(caption,) for caption in CAPTIONS], TOKENIZER)
IDS, MASK = pad(TOKENIZER.ids(["red dog barks"]))


def teacher(barks: float) -> Teacher:
    """One that knows words alone: no unit begins with any, but for "barks", of which it is so sure; none names."""
    made = Teacher(DATA, TOKENIZER)
    made.word.fill_(-1.0)
    made.word[IDS[0, 3]] = barks
    made.names.fill_(-99.0)
    for layer in (made.place[-1], made.names_place[-1]):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return made


def router(logit: float) -> Router:
    """One that gives every place this logit, and says that every unit names something."""
    made = Router(EncoderConfig(kind="dynamic"), len(TOKENIZER))
    made.know(TOKENIZER)
    torch.nn.init.zeros_(made.logits.weight)
    made.logits.bias.data = torch.tensor([logit, 50.0])
    return made


def begins_of(committee: Committee) -> list[int]:
    found: list[int] = committee.cut(IDS, MASK).begins[0].nonzero()[:, 0].tolist()
    return found


def tell(known: dict[int, bool], names: float = 0.0) -> Translations:
    """What is told of the caption: whether units begin at these places; and of each word, whether its unit names."""
    rows = [torch.zeros(5, dtype=torch.bool), torch.zeros(5, dtype=torch.bool), torch.full((5,), names)]
    for place, begins in known.items():
        rows[0][place], rows[1][place] = True, begins
    return Translations([(IDS[0].tolist(), Told(*rows))])


@pytest.mark.parametrize(("second", "expected"), [(-1.0, [1, 3]), (-3.0, [1])])
def test_teachers_cut_by_the_mean_of_their_logits(second: float, expected: list[int]) -> None:
    assert begins_of(Committee([teacher(2.0), teacher(second)])) == expected


@pytest.mark.parametrize(("by_router", "expected"), [(-1.9, [1, 3]), (-2.1, [1]), (1.1, [1, 2, 3])])
def test_a_router_weighs_as_much_as_all_teachers_together(by_router: float, expected: list[int]) -> None:
    committee = Committee([teacher(2.0), teacher(2.0), teacher(2.0)])
    committee.router = router(by_router)
    assert begins_of(committee) == expected


@pytest.mark.parametrize(("by_router", "expected"), [(-2.9, True), (-3.1, False)])
def test_a_router_votes_on_what_names_something_too(by_router: float, expected: bool) -> None:
    sure = teacher(2.0)
    sure.names.fill_(3.0)
    committee = Committee([sure])
    committee.router = router(-9.0)
    committee.router.logits.bias.data[1] = by_router
    assert committee.cut(IDS, MASK).names[0, 1:4].tolist() == [expected] * 3


def test_a_mark_names_nothing() -> None:
    sure = teacher(2.0)
    sure.names.fill_(50.0)
    ids, mask = pad(TOKENIZER.ids(["red dog , old cat"]))
    assert Committee([sure]).cut(ids, mask).names[0, 1:6].tolist() == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("known", "begins", "expected"),
    [
        ([2], [2], [1, 2, 3]),  # a unit is told to begin at a closing word, which then closes it
        ([3], [], [1, 2]),  # the closing word would part "dog" from "barks"; told otherwise, it does not
    ],
)
def test_closing_words_heed_what_is_told(known: list[int], begins: list[int], expected: list[int]) -> None:
    made = teacher(-1.0)
    made.closes[IDS[0, 2]] = 1.0  # "dog"
    if not begins:
        made.word[IDS[0, 2]] = 2.0
    committee = Committee([made])
    committee.translations = tell({place: place in begins for place in known})
    assert begins_of(committee) == expected


def test_a_unit_that_names_nothing_is_parted_where_the_rest_would_name_something() -> None:
    made = teacher(2.0)
    made.names[IDS[0, 2]] = 1.0  # "dog"; and no unit that does not end with it
    committee = Committee([made])
    assert begins_of(committee) == [1, 3], "red dog | barks: it names something"
    committee.translations = tell({}, names=-1.0)
    assert begins_of(committee) == [1, 2, 3]
    committee.translations = tell({2: False}, names=-1.0)
    assert begins_of(committee) == [1, 3], "told otherwise"


@pytest.mark.parametrize(
    ("barks", "told", "expected"), [(-1.0, {}, [1]), (2.0, {}, [1, 2, 3]), (-1.0, {2: True}, [1, 2])]
)
def test_a_word_that_is_called_for_joins(barks: float, told: dict[int, bool], expected: list[int]) -> None:
    made = teacher(barks)
    made.word[IDS[0, 2]] = 2.0  # red | dog
    made.called[IDS[0, 2]] = 1.0
    made.names.fill_(1.0)
    committee = Committee([made])
    committee.translations = tell(told)
    assert begins_of(committee) == expected
