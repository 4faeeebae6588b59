"""How the two views of a router teach each other."""

import math
from dataclasses import replace

import pytest
import torch

from tests.model.test_model import SMALL
from textgroup.config.model import DecoderConfig, ModelConfig
from textgroup.data.batches import pad
from textgroup.data.captions import CaptionData
from textgroup.data.statistics.entropy import BEGINS, FREQUENT, begin_logits, binds_next, left_entropy
from textgroup.model.grouping.router import cotraining
from textgroup.model.grouping.router.boundaries import find_boundaries
from textgroup.model.grouping.router.cotraining import naming_loss, place_loss
from textgroup.model.grouping.router.router import Views
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer

CAPTIONS = ["a cat sees a dog", "a dog sees a cat", "the cat and a dog"]


@pytest.fixture(scope="module")
def tokenizer() -> CaptionTokenizer:
    return CaptionTokenizer.train(CAPTIONS, 560)  # enough for every word to be one token


def data_of(tokenizer: CaptionTokenizer) -> CaptionData:
    return CaptionData.build([(caption,) for caption in CAPTIONS], tokenizer)


def test_a_type_that_calls_for_one_other_binds_it() -> None:
    """`group` is followed by `of` 20 times of 20, `dog` by two words, `rare` by one word twice: too few to tell."""
    captions = ["group of"] * 20 + ["dog runs", "dog sits"] * 10 + ["rare thing"] * 2
    tokenizer = CaptionTokenizer.train(captions, 600)
    bound = binds_next(CaptionData.build([(caption,) for caption in captions], tokenizer), len(tokenizer))
    assert {word: bool(bound[id_of(tokenizer, word)]) for word in ("group", "dog", "rare")} == {
        "group": True,
        "dog": False,
        "rare": False,
    }


def dynamic_model(tokenizer: CaptionTokenizer) -> TextGroupModel:
    encoder = replace(SMALL, kind="dynamic", max_tokens=tokenizer.max_tokens)
    torch.manual_seed(0)
    return TextGroupModel(**vars(ModelConfig(encoder=encoder, decoder=DecoderConfig())), vocabulary=len(tokenizer))


def id_of(tokenizer: CaptionTokenizer, word: str) -> int:
    (found,) = tokenizer.ids([word])[0][1:-1]
    return found


def test_left_entropy_is_that_of_the_words_before(tokenizer: CaptionTokenizer) -> None:
    entropy, count = left_entropy(data_of(tokenizer), len(tokenizer))
    before_a = [2 / 5, 2 / 5, 1 / 5]  # start of text, sees, and
    assert count[id_of(tokenizer, "a")] == 5
    assert entropy[id_of(tokenizer, "a")] == pytest.approx(-sum(p * math.log(p) for p in before_a))
    assert entropy[id_of(tokenizer, "dog")] == 0, "it follows nothing but `a`"


def test_what_goes_on_with_a_word_is_not_counted(tokenizer: CaptionTokenizer) -> None:
    coarse = CaptionTokenizer.train(["ab ac ad"], 514)  # no merges: a token a letter
    data = CaptionData.build([("ab ac ab",)], coarse)
    ends_word = torch.tensor(coarse.ends_word()).numpy()
    _, everything = left_entropy(data, len(coarse))
    _, words = left_entropy(data, len(coarse), ends_word)
    b = coarse.ids(["ab"])[0][2]
    assert (everything[b], words[b]) == (2, 0), "`b` follows `a` inside a word"
    assert words[coarse.ids(["ab"])[0][1]] == 3


def test_a_type_begins_units_if_it_is_frequent_and_follows_anything(tokenizer: CaptionTokenizer) -> None:
    ends_word = torch.tensor(tokenizer.ends_word()).numpy()
    logits = begin_logits(data_of(tokenizer), ends_word)
    words = 5 + 5 + 5 + 3  # and the three ends of text
    entropy = -(2 * 0.4 * math.log(0.4) + 0.2 * math.log(0.2))
    expected = entropy + FREQUENT * math.log(5 / words) - BEGINS
    assert logits[id_of(tokenizer, "a")] == pytest.approx(expected)
    assert logits[id_of(tokenizer, "a")] > logits[id_of(tokenizer, "the")]


@torch.no_grad()
def test_a_word_view_taken_anew_is_the_mean_of_what_its_places_say(tokenizer: CaptionTokenizer) -> None:
    model = dynamic_model(tokenizer)
    data = data_of(tokenizer)
    cotraining.initialise(model.encoder.router, data, tokenizer)
    dog, absent = id_of(tokenizer, "dog"), 7
    kept = model.encoder.router.word[absent].item()
    places = []
    for caption in CAPTIONS:
        ids, mask = pad(tokenizer.ids([caption]))
        place = model.eval().encoder.router(ids, mask).place
        places += place[ids == dog].tolist()
    cotraining.refit(model.encoder.router, data, seed=0)
    assert model.encoder.router.word[dog].item() == pytest.approx(sum(places) / (3 + cotraining.RARE), abs=1e-5)
    assert model.encoder.router.word[absent].item() == kept, "a type that was not met keeps its logit"


def views_of(words: torch.Tensor, **logits: torch.Tensor) -> Views:
    """Views of captions that are nothing but words; what is not given is 0. A unit begins where `word` says so."""
    nothing = torch.zeros(words.shape)
    given = {name: logits.get(name, nothing) for name in ("word", "place", "names_word", "names_place", "closes")}
    end = words.int().cumsum(dim=1).argmax(dim=1, keepdim=True) + 1
    return Views(**given, word_starts=words, end=end, boundaries=find_boundaries(given["word"], nothing, words, end))


def cross_entropy(logit: float, yes: bool) -> float:
    return math.log(1 + math.exp(-logit if yes else logit))


def test_the_place_views_are_taught_where_units_may_begin_and_once_a_unit() -> None:
    """<s> | a cat | sees | </s>: two places where a unit may begin, three words, two units."""
    word = torch.tensor([[9.0, 9.0, -1.0, 2.0, 9.0]])
    place = torch.tensor([[5.0, 5.0, 0.25, 0.5, 5.0]])
    names = torch.tensor([[7.0, 1.5, 7.0, 0.75, 7.0]])
    views = views_of(torch.tensor([[False, True, True, True, False]]), word=word, place=place, names_place=names)
    begins, several = ((0.25, False), (0.5, True)), ((1.5, True), (0.75, False))
    for found, expected in ((place_loss(views), begins), (naming_loss(views), several)):
        assert found.tolist() == pytest.approx([sum(cross_entropy(*one) for one in expected), 2])


@torch.no_grad()
def test_what_a_type_names_is_the_mean_of_what_its_places_say(tokenizer: CaptionTokenizer) -> None:
    """With places that want a unit at every word."""
    model = dynamic_model(tokenizer)
    router, data = model.encoder.router, data_of(tokenizer)
    cotraining.initialise(router, data, tokenizer)
    for part, says in ((router.place, 1.0), (router.names_place, 0.5)):  # all places say the same
        part[1][2].weight.zero_()
        part[1][2].bias.fill_(says)
    cotraining.refit(router, data, seed=0)
    dog, absent = id_of(tokenizer, "dog"), 7
    assert router.names[dog].item() == pytest.approx(0.5 * 3 / (3 + cotraining.RARE))
    assert router.closes[absent].item() == router.names[absent].item() == 0, "a type that was not met keeps its logits"


@torch.no_grad()
def test_a_type_closes_its_units_if_it_stands_alone_before_units_of_several_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """on | a bench, on | a wall, on | grass: `on` does so twice in three times, `bench` and `grass` never."""
    captions = ["on a bench", "on a wall", "on grass"]
    tokenizer = CaptionTokenizer.train(captions * 10, 600)
    model, data = dynamic_model(tokenizer), CaptionData.build([(caption,) for caption in captions], tokenizer)
    cotraining.initialise(model.encoder.router, data, tokenizer)
    for part in (model.encoder.router.place, model.encoder.router.names_place):
        part[1][2].weight.zero_()
    model.encoder.router.word.fill_(-1.0)
    model.encoder.router.word[id_of(tokenizer, "a")] = model.encoder.router.word[id_of(tokenizer, "grass")] = 1.0
    words = model.encoder.router.word.clone()
    monkeypatch.setattr(
        cotraining, "_set_means", lambda logits, types, values: None
    )  # the word view stays as it is here
    cotraining.refit(model.encoder.router, data, seed=0)
    closes = model.encoder.router.closes
    assert torch.equal(model.encoder.router.word, words)
    assert closes[id_of(tokenizer, "on")].item() == pytest.approx(2 / (3 + cotraining.FEW) - cotraining.CLOSES)
    assert closes[id_of(tokenizer, "grass")].item() == pytest.approx(-cotraining.CLOSES)
