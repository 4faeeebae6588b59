"""Tokenizers and captions that nobody expects."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strange import any_caption
from textgroup.errors import InputError
from textgroup.text.tokenizer import SPECIAL, CaptionTokenizer


@pytest.fixture(scope="module")
def tokenizer() -> CaptionTokenizer:
    return CaptionTokenizer.train(
        ["a man in a blue hat holding a flag", "two dogs run in the snow"], 560, max_tokens=20
    )


@given(st.lists(any_caption, min_size=1, max_size=4))
def test_a_token_is_of_its_caption_whatever_the_company(tokenizer: CaptionTokenizer, captions: list[str]) -> None:
    for caption, tokens in zip(captions, tokenizer.encode_batch(captions)):
        assert tokens.ids == tokenizer.encode(caption).ids
        assert len(tokens.ids) == len(tokens.spans) == len(tokens.words) <= 20
        assert all(0 <= number < len(tokenizer) for number in tokens.ids)
        spans = [span for span, word in zip(tokens.spans, tokens.words) if word != SPECIAL]
        assert all(0 <= first < end <= len(caption) for first, end in spans)
        assert all(one == other or one[1] <= other[0] for one, other in pairwise(spans))


@given(st.lists(any_caption, max_size=6), st.integers(500, 600))
def test_a_tokenizer_learns_the_same_whatever_the_order_of_captions(captions: list[str], vocabulary: int) -> None:
    learned = []
    for given_ in (captions, captions[::-1]):
        try:
            tokenizer = CaptionTokenizer.train(given_, vocabulary)
        except InputError as error:
            assert "\n" not in str(error)
            learned.append(None)
        else:
            assert len(tokenizer) <= max(vocabulary, 514)
            learned.append(tokenizer.ids(captions))
    assert learned[0] == learned[1]
