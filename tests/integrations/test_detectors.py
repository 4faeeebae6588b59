"""A prompt is cut where Grounding DINO cuts it, by its own code in transformers."""

import pytest
import torch
from transformers.models.grounding_dino import modeling_grounding_dino as authors

from tests.integrations.stand_ins import bert_tokenizer
from textgroup import Phrases, Unit
from textgroup.integrations.tokens import token_indices


@pytest.mark.parametrize(
    "texts", [["A man", "a blue hat"], ["a man", "a man"], ["St. Bernard", "what? a dog", "U.S.A."], ["one"]]
)
def test_grounding_dino_reads_each_phrase_as_one_and_none_as_two(texts: list[str]) -> None:
    """Tokens attend to each other if they are of one phrase, or the full stop that ends it."""
    caption = " ".join(texts)
    starts = [len(" ".join(texts[:i])) + bool(i) for i in range(len(texts))]
    phrases = Phrases(caption, [Unit(text, a, a + len(text), 0, True) for text, a in zip(texts, starts)])
    encoded = bert_tokenizer()(phrases.prompt, return_offsets_mapping=True)
    special = torch.tensor(authors.SPECIAL_TOKENS)
    together, _ = authors.generate_masks_with_special_tokens_and_transfer_map(
        torch.tensor([encoded.input_ids]), special
    )
    tokens = token_indices(phrases.in_prompt, encoded.offset_mapping)
    assert all(tokens)
    expected = torch.eye(len(encoded.input_ids), dtype=torch.bool)
    for of_phrase in tokens:
        block = [*of_phrase, of_phrase[-1] + 1]
        expected[torch.tensor(block)[:, None], torch.tensor(block)] = True
    assert torch.equal(together[0], expected)
