"""Small stand-ins for models of other people, built here: a tokenizer, and a Grounding DINO with random weights."""

from functools import cache
from string import ascii_lowercase
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    PreTrainedTokenizerFast,
    SwinConfig,
)


def word_tokenizer(*words: str) -> Any:
    """A token a word, in lower case, between <bos> (0) and <eos> (1)."""
    vocabulary = {word: i for i, word in enumerate(("<bos>", "<eos>", *words))}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<eos>"))
    made.normalizer, made.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing("<bos> $A <eos>", special_tokens=[("<bos>", 0), ("<eos>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<bos>", eos_token="<eos>")


def bert_tokenizer() -> Any:
    """Letter by letter, with BERT's ids of the tokens that Grounding DINO cuts its prompt at."""
    special = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029, "[UNK]": 100}
    letters = {letter: 200 + i for i, letter in enumerate([*ascii_lowercase, *(f"##{x}" for x in ascii_lowercase)])}
    made = Tokenizer(models.WordPiece(special | letters, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 101), ("[SEP]", 102)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=made, cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]")


class Processor:
    """As `AutoProcessor` gives it for Grounding DINO: pictures of noise, and the tokens of the prompt."""

    def __init__(self) -> None:
        self.tokenizer = bert_tokenizer()

    def __call__(self, images: object, text: str, return_tensors: str) -> dict[str, torch.Tensor]:
        pixels = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
        return {"pixel_values": pixels, **self.tokenizer(text, return_tensors=return_tensors)}


@cache
def grounding_dino() -> GroundingDinoForObjectDetection:
    """Random weights, 5 boxes."""
    text = BertConfig(vocab_size=1100, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    backbone = SwinConfig(
        image_size=128,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 1, 1],
        window_size=4,
        out_features=["stage2", "stage3", "stage4"],
    )
    layers = {f"{side}_{field}": n for side in ("encoder", "decoder") for field, n in SMALL.items()}
    torch.manual_seed(0)
    config = GroundingDinoConfig(
        backbone_config=backbone, text_config=text.to_dict(), d_model=32, num_queries=5, max_text_len=64, **layers
    )
    return GroundingDinoForObjectDetection(config).eval()


SMALL = {"layers": 2, "ffn_dim": 16, "attention_heads": 2}
