"""The model card is what the Hub reads, with the figures of the evaluation, whatever people call their things."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from tests.evaluation.test_page import grounding_record, phrase_record, ranking_content
from textgroup.errors import InputError
from textgroup.evaluation.card import UNKNOWN, Facts, model_card
from textgroup.model.pretrained import load_model

HOSTILE = "<script>x</script> | a\n---\nlicense: mit\n# b"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("results")
    (where / "phrases.json").write_text(json.dumps([phrase_record(HOSTILE)]))
    (where / "grounding.json").write_text(json.dumps([grounding_record("model")]))
    (where / "ranking.json").write_text(json.dumps(ranking_content("model")))
    return where


def test_the_hub_reads_the_card_and_it_has_the_figures(results: Path) -> None:
    model, _ = load_model()
    facts = Facts("cc-by-4.0", ["en", "de"], ["Captions of ours (CC0)"], ["Product titles"])
    text = model_card("units", model, facts, [results])
    card = ModelCard(text)
    assert card.data.library_name == "textgroup"
    assert card.data.license == "cc-by-4.0"
    assert card.data.language == ["en", "de"]
    assert "phrase-grounding" in (card.data.tags or [])
    for words in (
        "50.00 [40.00, 60.00]",
        "30.0 [20.0, 40.0]",
        "| 75.0 |",
        "Captions of ours (CC0)",
        "- Product titles",
    ):
        assert words in text
    for heading in ("Use", "Model", "Data and licences", "Figures", "Limits"):
        assert f"\n## {heading}\n" in text


def test_names_cannot_break_the_card(results: Path) -> None:
    model, _ = load_model()
    text = model_card(HOSTILE, model, Facts(HOSTILE, [HOSTILE], [HOSTILE], [HOSTILE]), [results])
    card = ModelCard(text)
    assert card.data.license == HOSTILE
    assert "<script" not in card.text
    assert "\n# b" not in card.text


def test_what_nobody_said_is_not_made_up() -> None:
    model, _ = load_model()
    text = model_card("units", model, Facts())
    assert text.count(UNKNOWN) == 3, "licence, data and figures"
    assert ModelCard(text).data.license is None


def test_a_directory_without_results_is_named(tmp_path: Path) -> None:
    model, _ = load_model()
    with pytest.raises(InputError, match=r"none of phrases\.json, .* is in it"):
        model_card("units", model, Facts(), [tmp_path])
