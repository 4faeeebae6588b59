"""The likelihood of a caption without its image: a distribution that knows nothing of the caption beforehand."""

import numpy as np
import pytest
import torch

from textgroup.config.model import DecoderConfig, EncoderConfig, ModelConfig
from textgroup.evaluation.ranking.blind import caption_likelihood
from textgroup.inference.textgroup import TextGroup
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer


def made(kind: str = "grouping", direction: str = "left_to_right", max_tokens: int = 12) -> TextGroup:
    torch.manual_seed(0)
    tokenizer = CaptionTokenizer.train(["a red ring", "a blue star"], 520, max_tokens=max_tokens)
    model = TextGroupModel(
        **vars(
            ModelConfig(
                encoder=EncoderConfig(
                    kind=kind,
                    max_tokens=max_tokens,
                    width=16,
                    heads=2,
                    layers_before=1,
                    layers_after=1,
                    groups=3,
                ),
                decoder=DecoderConfig(direction=direction),  # type: ignore[arg-type]
            )
        ),
        vocabulary=len(tokenizer),
    )
    for parameter in model.parameters():  # initial weights are so small that all captions are alike
        torch.nn.init.normal_(parameter, std=0.5)
    return TextGroup(model, tokenizer)


def nats_of(model: TextGroup, rows: list[list[int]], monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Log-likelihoods of these ids, which are those of no whole caption."""
    with monkeypatch.context() as spelled:
        spelled.setattr(model.tokenizer, "ids", lambda _: rows)
        return caption_likelihood(model, [""] * len(rows))[:, 0]


CAPTIONS = ["a red ring", "a blue star and a red ring", "ring", "star ring a a"]


@pytest.mark.parametrize("kind", ["grouping", "dynamic", "baseline"])
def test_likelihoods_do_not_depend_on_the_company_and_count_the_end(kind: str) -> None:
    model = made(kind)
    together = caption_likelihood(model, CAPTIONS)
    alone = np.concatenate([caption_likelihood(model, [caption]) for caption in CAPTIONS])
    assert np.allclose(together, alone, atol=1e-3)
    assert together[:, 1].tolist() == [len(ids) - 1 for ids in model.tokenizer.ids(CAPTIONS)]
    assert (together[:, 0] < 0).all()


@pytest.mark.parametrize("direction", ["left_to_right", "right_to_left"])
def test_all_that_may_come_next_has_the_whole_probability(direction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every caption of one token, without its end: their probabilities sum to 1."""
    model = made(direction=direction)
    start, end = model.tokenizer.start, model.tokenizer.end
    # What the decoder is given first, and an entry to predict; it turns rows round to write from the right.
    rows = [[start, i] if direction == "left_to_right" else [i, end] for i in range(len(model.tokenizer))]
    assert np.exp(nats_of(model, rows, monkeypatch)).sum() == pytest.approx(1, abs=1e-4)


def test_only_the_words_before_decide_and_no_group_of_the_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two captions that differ in the last word alone: what comes before it costs the same in both."""
    model = made()
    ring, star = model.tokenizer.ids(["a red ring", "a red star"])
    shared = next(i for i, (a, b) in enumerate(zip(ring, star)) if a != b)
    assert shared >= 3

    def beginnings(ids: list[int]) -> np.ndarray:
        return nats_of(model, [ids[:length] for length in range(2, shared + 2)], monkeypatch)

    *before, last = beginnings(ring) - beginnings(star)
    assert before == pytest.approx([0] * len(before), abs=1e-5)
    assert abs(last) > 1e-3


def test_a_caption_beyond_the_window_is_cut() -> None:
    model = made(max_tokens=6)
    assert caption_likelihood(model, ["a red ring and " * 20])[0, 1] == 5
