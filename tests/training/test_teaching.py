"""How the two views of a router teach each other."""

import math

import pytest
import torch

from tests.model.test_model import SMALL
from textgroup.config import DecoderConfig, ModelConfig
from textgroup.data.captions import CaptionData, inner, pad
from textgroup.data.statistics import BEGINS, FREQUENT, beginning, left_entropy
from textgroup.model.encoder import TextGroups
from textgroup.model.router import Views
from textgroup.model.textgroup import TextGroupModel
from textgroup.tokenizer import CaptionTokenizer
from textgroup.training import teaching
from textgroup.training.losses import two_views

CAPTIONS = ["a cat sees a dog", "a dog sees a cat", "the cat and a dog"]


@pytest.fixture(scope="module")
def tokenizer() -> CaptionTokenizer:
    return CaptionTokenizer.train(CAPTIONS, 560)  # enough for every word to be one token


def data_of(tokenizer: CaptionTokenizer) -> CaptionData:
    return CaptionData.build([(caption,) for caption in CAPTIONS], tokenizer)


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
    logits = beginning(data_of(tokenizer), ends_word)
    words = 5 + 5 + 5 + 3  # and the three ends of text
    entropy = -(2 * 0.4 * math.log(0.4) + 0.2 * math.log(0.2))
    expected = entropy + FREQUENT * math.log(5 / words) - BEGINS
    assert logits[id_of(tokenizer, "a")] == pytest.approx(expected)
    assert logits[id_of(tokenizer, "a")] > logits[id_of(tokenizer, "the")]


@torch.no_grad()
def test_a_word_view_taken_anew_is_the_mean_of_what_its_places_say(tokenizer: CaptionTokenizer) -> None:
    config = ModelConfig(
        encoder=SMALL.__class__(
            **{**vars(SMALL), "kind": "dynamic", "vocabulary": len(tokenizer), "max_tokens": tokenizer.max_tokens}
        ),
        decoder=DecoderConfig(),
        image_width=None,
    )
    torch.manual_seed(0)
    model = TextGroupModel(**vars(config))
    data = data_of(tokenizer)
    teaching.begin(model.encoder.router, data, tokenizer)
    dog, absent = id_of(tokenizer, "dog"), 7
    kept = model.encoder.router.word[absent].item()
    places = []
    for caption in CAPTIONS:
        ids, mask = pad(tokenizer.ids([caption]))
        place = model.eval().encode(ids, mask).views.place
        places += place[ids == dog].tolist()
    teaching.refit(model, data, batch_size=3, seed=0)
    assert model.encoder.router.word[dog].item() == pytest.approx(sum(places) / (3 + teaching.RARE), abs=1e-5)
    assert model.encoder.router.word[absent].item() == kept, "a type that was not met keeps its logit"


def test_the_place_view_is_taught_where_units_may_begin_only() -> None:
    zeros = torch.zeros(1, 3)
    allowed = torch.tensor([[False, True, True]])
    views = Views(torch.tensor([[9.0, 2.0, -1.0]]), torch.tensor([[5.0, 0.5, 0.25]]), zeros, zeros, allowed)
    out = TextGroups.fixed(torch.zeros(1, 2, 4), torch.zeros(1, 2, 3), torch.ones(1, 3).bool())._replace(views=views)

    begins, goes_on = math.log(1 + math.exp(-0.5)), math.log(1 + math.exp(0.25))  # -log of what is right
    assert two_views(out).tolist() == pytest.approx([begins + goes_on, 2])


def test_words_are_counted_as_first_and_last_of_their_units(tokenizer: CaptionTokenizer) -> None:
    """a | cat sees | a dog: as many words as white space makes, the first and the last of the caption too."""
    ids, mask = pad(tokenizer.ids(["a cat sees a dog", "the cat"]))
    begins = torch.full(ids.shape, -1.0)
    begins[0, [2, 4]] = 1.0
    allowed = torch.zeros_like(mask)
    allowed[0, 2:6] = allowed[1, 2] = True
    zeros = torch.zeros(ids.shape)
    views = Views(begins, zeros, zeros, zeros, allowed)
    types, first, last = teaching._words([(ids, inner(mask), views)], torch.tensor(tokenizer.ends_word()))
    assert types.tolist() == [id_of(tokenizer, word) for word in ["a", "cat", "sees", "a", "dog", "the", "cat"]]
    assert first.int().tolist() == [1, 1, 0, 1, 0, 1, 0]
    assert last.int().tolist() == [1, 0, 1, 0, 1, 0, 1]


def test_what_a_type_does_most_becomes_its_logit_and_others_keep_theirs() -> None:
    logits = torch.tensor([7.0, 7.0, 7.0])
    teaching._count(logits, torch.tensor([0, 0, 0, 2]), torch.tensor([True, True, False, False]))
    assert logits.tolist() == pytest.approx([math.log(2.5 / 1.5), 7.0, math.log(0.5 / 1.5)])
