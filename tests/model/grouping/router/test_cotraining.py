"""How the two views of a boundary teach each other, and the router what they agree on."""

from itertools import islice
from random import Random

import pytest
import torch

from tests.word_types import CAPTIONS, TOKENIZER, data_of, id_of
from textgroup.config.model import EncoderConfig
from textgroup.config.run import UnitsConfig
from textgroup.data.batches import pad
from textgroup.data.scenes.scene import scenes
from textgroup.data.statistics.entropy import FEW, RARE
from textgroup.model.grouping.router import cotraining
from textgroup.model.grouping.router.committee import Committee
from textgroup.model.grouping.router.corruption import Labelled
from textgroup.model.grouping.router.cotraining import Teacher, cut, refit, set_called
from textgroup.model.grouping.router.learning import imitate, label, learn
from textgroup.model.grouping.router.places import Places
from textgroup.model.grouping.router.router import Router
from textgroup.text.tokenizer import CaptionTokenizer


@torch.no_grad()
def test_the_place_view_sees_every_token_near_by_but_the_one_that_stands_there() -> None:
    torch.manual_seed(0)
    teacher = Teacher(data_of(CAPTIONS, TOKENIZER), TOKENIZER)
    ids, mask = pad(TOKENIZER.ids(["a cat sees a dog"]))
    before = teacher(ids, mask).place
    for changed in range(1, 6):
        other = ids.clone()
        other[0, changed] = id_of(TOKENIZER, "the")
        moved = ((teacher(other, mask).place - before).abs() > 1e-7)[0]
        assert moved.tolist() == [0 < abs(place - changed) <= cotraining.AROUND for place in range(7)]


@torch.no_grad()
def test_facts_about_words_are_the_means_of_what_their_places_say() -> None:
    teacher, data = Teacher(data_of(CAPTIONS, TOKENIZER), TOKENIZER), data_of(CAPTIONS, TOKENIZER)
    for part, says in ((teacher.place, 1.0), (teacher.names_place, 0.5)):  # all places say the same
        part[3].weight.zero_()
        part[3].bias.fill_(says)
    absent = 7
    kept = teacher.word[absent].item()
    refit(teacher, data, seed=0)
    dog = id_of(TOKENIZER, "dog")
    assert teacher.word[dog].item() == pytest.approx(3 / (3 + cotraining.RARE))
    assert teacher.names[dog].item() == pytest.approx(0.5 * 3 / (3 + cotraining.RARE)), "it ends three units"
    assert teacher.word[absent].item() == kept, "a type that was not met keeps what it has"
    assert teacher.closes[absent].item() == teacher.names[absent].item() == 0
    assert teacher.finishes[absent].item() == 0.5, "nothing is known of a type that was not met"


@torch.no_grad()
def test_a_type_closes_its_units_if_it_stands_where_closing_words_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """`on` of `two men on the bench` is alone before several words, and closes. `in` of `two men in bed` never is, but
    follows the same nouns: it closes. `the` and `a` follow `on`, and do not."""
    captions = ["two men on the bench", "two boys on a wall", "two men in bed", "two boys in chairs"]
    tokenizer = CaptionTokenizer.train(captions * 10, 600)
    data = data_of(captions * 10, tokenizer)
    teacher = Teacher(data, tokenizer)
    teacher.place[3].weight.zero_()
    teacher.place[3].bias.zero_()
    teacher.word.fill_(-1.0)
    for word in ("on", "in", "the", "a"):
        teacher.word[id_of(tokenizer, word)] = 1.0
    monkeypatch.setattr(cotraining, "_set_means", lambda *facts: None)  # the word view stays as it is here
    refit(teacher, data, seed=0)
    few, overall = cotraining.FEW, 20 / 100  # two men 40 times, on 20, the bench or a wall 20, in bed or in chairs 20
    counts = ((10, 20), (0, 20), (0, 40))  # closing words after men, and as many after boys; after on; at the start
    after_noun, after_on, at_start = ((n + few * overall) / (count + few) for n, count in counts)
    least = cotraining.CLOSES * after_noun  # where `on`, the only closing word, stands
    expected = {"on": (20, after_noun), "in": (20, after_noun), "the": (10, after_on), "two": (40, at_start)}
    for word, (count, share) in expected.items():
        found = teacher.closes[id_of(tokenizer, word)].item()
        assert found == pytest.approx(share * count / (count + few) - least, abs=1e-6), word
    assert teacher.closes[7].item() == 0, "a type that was not met keeps what it has"
    rare = cotraining.RARE
    finishes = {"two": (0, 40), "men": (20, 20), "the": (0, 10), "in": (0, 0)}  # last in, of units of several words
    for word, (last, count) in finishes.items():
        assert teacher.finishes[id_of(tokenizer, word)].item() == pytest.approx((last + rare) / (count + 2 * rare)), (
            word
        )
    assert teacher.finishes[tokenizer.end].item() == 0.5, "the end of text is no word"


def test_only_words_after_what_names_something_are_called_for() -> None:
    """`of` always follows `crowd`, and `to` follows `next`; a unit that ends with `next` names nothing."""
    captions = ["crowd of", "next to", "off"] * 20
    tokenizer = CaptionTokenizer.train(captions, 600)
    data = data_of(captions, tokenizer)
    teacher = Teacher(data, tokenizer)
    teacher.names[id_of(tokenizer, "crowd")] = 1.0
    set_called(teacher, data, tokenizer)
    assert teacher.called[id_of(tokenizer, "of")].item() == pytest.approx(20 * 20 / (20 + RARE) / (20 + FEW))
    assert teacher.called.count_nonzero() == 1


def row(*where: int, length: int = 10) -> torch.Tensor:
    """(1, length), True at these places."""
    return torch.tensor([[i in where for i in range(length)]])


def test_a_word_that_as_a_rule_makes_a_unit_is_cut_off_where_it_begins_one() -> None:
    """
    0    1    2     3      4    5    6    7    8    9
    <s>  two  men  [with]  glas ses  on [with] it  </s>
                     x                              probable: a unit begins at the first `with` only
                     x      x                       begins: what follows it too; `with` in mid-unit closes nothing
    """
    teacher = Teacher(data_of(CAPTIONS, TOKENIZER), TOKENIZER)
    ids = torch.arange(10)[None]
    teacher.closes[3] = teacher.closes[7] = 1.0
    places = Places(row(1, 2, 3, 4, 6, 7, 8), row(1), row(), torch.tensor([[9]]))
    unsure = torch.where(row(3), 1.0, -1.0)
    assert cut(teacher.closes, ids, unsure, places).tolist() == row(1, 3, 4).tolist()
    teacher.closes[4] = 1.0
    each_a_word = Places(row(1, 2, 3, 4, 5, 6, 7, 8), row(1), row(), torch.tensor([[9]]))
    assert cut(teacher.closes, ids, unsure, each_a_word).tolist() == row(1, 3, 4).tolist(), (
        "token 4 began because of 3 alone"
    )


def test_a_router_imitates_the_units_that_it_is_shown() -> None:
    random = Random(0)
    nouns, links = (["a cat", "two dogs", "the small man", "his red hat"], ["sits on", "near", "runs behind"])

    def caption() -> list[str]:
        return [random.choice(nouns), random.choice(links), random.choice(nouns), random.choice(links), "a tall tree"]

    captions = [caption() for _ in range(200)]
    tokenizer = CaptionTokenizer.train([" ".join(units) for units in captions] + [","], 700)
    labelled = [[Labelled(tokenizer.ids([u])[0][1:-1], u not in links) for u in units] for units in captions]
    torch.manual_seed(0)
    router = Router(EncoderConfig(kind="dynamic"), len(tokenizer))
    router.know(tokenizer)
    imitate(router, labelled, tokenizer, steps=40, seed=0, task="steps")
    ids, mask = pad(tokenizer.ids(["two dogs sits on the small man near a tall tree"]))
    cuts = router(ids, mask)
    assert cuts.begins[0].nonzero()[:, 0].tolist() == [1, 3, 5, 8, 9]
    assert (cuts.names[0, 1:12] > 0).tolist() == [True] * 2 + [False] * 2 + [True] * 3 + [False] + [True] * 3


@pytest.mark.slow
def test_a_router_learns_the_units_of_generated_captions_alone() -> None:
    """Nothing but the captions is given: determiners follow many words, nouns few."""
    captions = [scene.caption for scene in islice(scenes(0), 4_000)]
    tokenizer = CaptionTokenizer.train(captions, 1_024)
    data = data_of(captions, tokenizer)
    torch.manual_seed(0)
    router = Router(EncoderConfig(kind="dynamic"), len(tokenizer))
    learn(router, data, tokenizer, UnitsConfig(teachers=1, teacher_steps=200, steps=300), seed=0)
    ids, mask = pad(tokenizer.ids(["a diamond and a small flower can be seen."]))
    assert router(ids, mask).begins[0].nonzero()[:, 0].tolist() == [1, 3, 4, 7, 10]


def test_teachers_label_every_caption_with_units_that_are_the_caption() -> None:
    data = data_of(CAPTIONS, TOKENIZER)
    teachers = [Teacher(data, TOKENIZER) for _ in range(2)]
    labelled = label(Committee(teachers), data, 3, seed=0)
    texts = sorted(TOKENIZER.decode([i for unit in units for i in unit.ids]) for units in labelled)
    assert texts == sorted(CAPTIONS)
