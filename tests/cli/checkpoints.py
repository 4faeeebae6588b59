"""A checkpoint with an image side that was not trained, and the image encoder that it names."""

from pathlib import Path

import torch

from textgroup.config.model import DecoderConfig, EncoderConfig, ModelConfig
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.vision.encoders.open import open_encoder

ENCODER = EncoderConfig(max_tokens=16, width=16, heads=2, layers_before=1, layers_after=1)


def write_backbone(directory: Path) -> Path:
    """A random MobileNetV2 of the smallest size, saved as a user would have it."""
    from transformers import MobileNetV2Config, MobileNetV2ImageProcessor, MobileNetV2Model

    torch.manual_seed(0)
    MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.1, min_depth=8, image_size=96)).save_pretrained(directory)
    crop = {"height": 96, "width": 96}
    MobileNetV2ImageProcessor(size={"shortest_edge": 96}, crop_size=crop).save_pretrained(directory)
    return directory


def write_checkpoint(
    directory: Path, captions: list[str], backbone: Path | None, decoder: DecoderConfig | None = None
) -> Path:
    """The tokenizer is trained on the captions. Without a backbone it has no image side."""
    encoder = None if backbone is None else open_encoder(f"backbone:{backbone}", device="cpu")
    tokenizer = CaptionTokenizer.train(captions, 540, max_tokens=16)
    config = ModelConfig(encoder=ENCODER, decoder=decoder, embedding=8)
    images = {} if encoder is None else {"image_width": encoder.width, "image_encoder": encoder.identity()}
    model = TextGroupModel(**vars(config), vocabulary=len(tokenizer), **images)
    model.save_pretrained(directory)
    tokenizer.save(directory / "tokenizer.json")
    return directory
