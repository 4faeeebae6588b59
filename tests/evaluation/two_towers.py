"""Dual encoders of transformers in miniature, with random weights, saved as a user would have them."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers

WORDS = ("a", "fox", "owl", "dog", "on", "rug", "boat", "red", "blue", "green", "picture")
TEXT: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 14,
    "max_position_embeddings": 12,
}
VISION: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
GROUPVIT: dict[str, Any] = {
    "hidden_size": 24,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "depths": [1, 1, 1],
    "num_group_tokens": [8, 4, 0],
    "num_output_groups": [8, 4, 4],
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 4,
}


def write_tokenizer(where: Path) -> None:
    """A word a token; 0 pads, 1 is unknown, the last ends the text, as CLIP's towers expect it."""
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate(("<pad>", "<unk>", *WORDS))} | {"<end>": 13}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    from tokenizers.processors import TemplateProcessing

    words.post_processor = TemplateProcessing(single="$A <end>", special_tokens=[("<end>", 13)])
    PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", unk_token="<unk>", eos_token="<end>"
    ).save_pretrained(where)


def write_clip(where: Path) -> Path:
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    torch.manual_seed(0)
    text = TEXT | {"eos_token_id": 13, "pad_token_id": 0, "bos_token_id": 1}
    CLIPModel(CLIPConfig(text_config=text, vision_config=VISION, projection_dim=8)).save_pretrained(where)
    size = {"height": 32, "width": 32}
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size).save_pretrained(where)
    write_tokenizer(where)
    return where


def write_siglip(where: Path) -> Path:
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    torch.manual_seed(0)
    text = TEXT | {"eos_token_id": 13, "pad_token_id": 0, "bos_token_id": 1}
    SiglipModel(SiglipConfig(text_config=text, vision_config=VISION)).save_pretrained(where)
    SiglipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(where)
    write_tokenizer(where)
    return where


def write_groupvit(where: Path) -> Path:
    from transformers import GroupViTConfig, GroupViTModel

    torch.manual_seed(0)
    text = TEXT | {"eos_token_id": 13, "pad_token_id": 0, "bos_token_id": 1}
    config = GroupViTConfig(text_config=text, vision_config=GROUPVIT, projection_dim=8, projection_intermediate_dim=32)
    GroupViTModel(config).save_pretrained(where)
    write_tokenizer(where)
    return where
