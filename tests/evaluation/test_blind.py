"""The likelihood of a caption without its image: a distribution that knows nothing of the caption beforehand."""

import numpy as np
import pytest
import torch

from textgroup.config import DecoderConfig, EncoderConfig, ModelConfig
from textgroup.evaluation.blind import caption_likelihood
from textgroup.inference import TextGroup
from textgroup.model.textgroup import TextGroupModel
from textgroup.tokenizer import CaptionTokenizer


def made(kind: str = "grouping", direction: str = "left_to_right", max_tokens: int = 12) -> TextGroup:
    torch.manual_seed(0)
    tokenizer = CaptionTokenizer.train(["a red ring", "a blue star"], 520, max_tokens=max_tokens)
    model = TextGroupModel(
        **vars(
            ModelConfig(
                encoder=EncoderConfig(
                    kind=kind,  # type: ignore[arg-type]
                    vocabulary=len(tokenizer),
                    max_tokens=max_tokens,
                    width=16,
                    heads=2,
                    layers_before=1,
                    layers_after=1,
                    groups=3,
                ),
                decoder=DecoderConfig(direction=direction),  # type: ignore[arg-type]
                image_width=None,
            )
        )
    )
    for parameter in model.parameters():  # initial weights are so small that all captions are alike
        torch.nn.init.normal_(parameter, std=0.5)
    return TextGroup(model, tokenizer)


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
def test_all_that_may_come_next_has_the_whole_probability(direction: str) -> None:
    """Every caption of one token, without its end: their probabilities sum to 1."""
    model = made(direction=direction)
    tokenizer = model.tokenizer
    entries = range(len(tokenizer))
    tokenizer.ids = lambda captions: [_row(tokenizer, direction, int(c)) for c in captions]  # type: ignore
    found = caption_likelihood(model, [str(i) for i in entries])[:, 0]
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-4)


def _row(tokenizer: CaptionTokenizer, direction: str, entry: int) -> list[int]:
    """What the decoder is given first, and an entry to predict; it turns rows round to write from the right."""
    return [tokenizer.start, entry] if direction == "left_to_right" else [entry, tokenizer.end]


def test_only_the_words_before_decide_and_no_group_of_the_caption() -> None:
    """Two captions that differ in the last word alone: what comes before it costs the same in both."""
    model = made()
    ids = model.tokenizer.ids
    nats = {}
    for last in ("ring", "star"):
        caption = f"a red {last}"
        whole = ids([caption])[0]
        for length in range(2, len(whole) + 1):
            model.tokenizer.ids = lambda _, cut=whole[:length]: [cut]  # type: ignore[method-assign, misc]
            nats[last, length] = caption_likelihood(model, ["x"])[0, 0]
        model.tokenizer.ids = ids  # type: ignore[method-assign]
    ring, star = ids(["a red ring"])[0], ids(["a red star"])[0]
    shared = next(i for i, (a, b) in enumerate(zip(ring, star)) if a != b)
    assert shared >= 3
    for length in range(2, shared + 1):
        assert nats["ring", length] == pytest.approx(nats["star", length], abs=1e-5)
    assert nats["ring", shared + 1] != pytest.approx(nats["star", shared + 1], abs=1e-3)


def test_a_caption_beyond_the_window_is_cut() -> None:
    model = made(max_tokens=6)
    assert caption_likelihood(model, ["a red ring and " * 20])[0, 1] == 5
