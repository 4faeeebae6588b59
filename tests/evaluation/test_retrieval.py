"""Recall and ranks on a table that can be read."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.data.probes.examples import write_pictures
from tests.evaluation.ranking.test_scoring import ColourBlindOrNot
from tests.training.tiny import tiny_inputs
from textgroup.config.model import EncoderConfig, ModelConfig
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.evaluation.retrieval import evaluate, evaluate_samples, retrieval
from textgroup.model.textgroup import TextGroupModel

SIMILARITY = np.array(  # captions x images; captions 0, 1 describe image 0, caption 2 image 1, caption 3 image 2
    [[0.9, 0.1, 0.2], [0.1, 0.5, 0.3], [0.8, 0.7, 0.1], [0.2, 0.3, 0.1]]
)
IMAGE_OF = np.array([0, 0, 1, 2])


def test_ranks_are_those_that_one_counts_by_hand() -> None:
    found = retrieval(SIMILARITY, IMAGE_OF)
    # text to image: ranks 1, 3, 2, 3
    assert (found.text_to_image.r1, found.text_to_image.r5) == (25.0, 100.0)
    assert found.text_to_image.median_rank == 2.5
    # image to text: image 0 best own .9 -> 1; image 1 own .7 -> 1; image 2 own .1, beaten by .2, .3 and tied by .1 -> 4
    assert round(found.image_to_text.r1, 2) == 66.67
    assert found.image_to_text.median_rank == 1
    assert (found.images, found.captions) == (3, 4)


def test_a_constant_score_ranks_last_and_not_first() -> None:
    found = retrieval(np.zeros((6, 6)), np.arange(6))
    assert found.text_to_image.r1 == found.image_to_text.r1 == 0
    assert found.text_to_image.median_rank == 6


def test_what_is_no_number_is_refused_and_not_ranked_first() -> None:
    with pytest.raises(InputError, match="no numbers"):
        retrieval(np.full((2, 2), np.nan), np.arange(2))


def test_captions_beyond_the_first_are_left_out_when_asked() -> None:
    inputs = tiny_inputs()
    torch.manual_seed(0)
    encoder = EncoderConfig(max_tokens=16, width=8, heads=2, layers_before=1, layers_after=0)
    model = TextGroupModel(
        **vars(ModelConfig(encoder=encoder, decoder=None, embedding=4)), vocabulary=len(inputs.tokenizer), image_width=8
    ).eval()
    assert evaluate(model, inputs.train).captions == 32
    first = evaluate(model, inputs.train, captions_per_image=1)
    assert (first.captions, first.images) == (16, 16)


def test_any_model_is_measured_on_images_with_their_captions(tmp_path: Path) -> None:
    images = write_pictures(tmp_path, {"r.png": "red", "b.png": "blue", "g.png": "lime", "x.png": "text"})
    rows = ["r.png,red", "r.png,a blue thing", "b.png,blue", "g.png,lime", "x.png,red"]
    (images / "captions.csv").write_text("\n".join(["image,caption", *rows]))
    found = evaluate_samples(ColourBlindOrNot(), read_samples(images / "captions.csv"), "captions.csv")
    assert (found.images, found.captions) == (3, 4), "the broken image is left out with its caption"
    # "a blue thing" stands with the red image: rank 3, behind blue and tied with lime; the other captions find theirs
    assert found.text_to_image.r1 == 75
    assert found.text_to_image.median_rank == 1
    # the blue image has a caption of another image that is as blue as its own
    assert round(found.image_to_text.r1, 1) == 66.7
    assert evaluate_samples(ColourBlindOrNot(), read_samples(images / "captions.csv"), "x", 1).text_to_image.r1 == 100


def test_captions_without_images_cannot_be_retrieved(tmp_path: Path) -> None:
    (tmp_path / "captions.txt").write_text("red\n")
    with pytest.raises(InputError, match="no image that can be read"):
        evaluate_samples(ColourBlindOrNot(), read_samples(tmp_path / "captions.txt"), "captions.txt")
