"""Checkpoints and untrained models as segmenters."""

import torch

from textgroup.config.command_line import load_run
from textgroup.errors import InputError
from textgroup.evaluation.segmenters.request import Request
from textgroup.inference.textgroup import TextGroup, load
from textgroup.model.textgroup import TextGroupModel
from textgroup.units import Segmenter

IMAGE_WIDTH = 384
"""Of GroupViT's objects: the heads of an untrained model are drawn as in training, though no segmenter uses them."""


def open_checkpoint(request: Request) -> Segmenter:
    """`model:PATH`, or `model` alone: the packaged checkpoint."""
    if request.spec == "model:":  # a path that came out empty is not the packaged checkpoint
        raise InputError("no segmenter 'model:': give model:PATH, or model alone for the packaged checkpoint")
    model = load(request.value or None)
    return lambda captions: list(model.segment_stream(captions))


def open_untrained(request: Request) -> Segmenter:
    """`untrained:CONFIG`: the architecture of a configuration with its random initial weights (Table 3, "random")."""
    if request.tokenizer is None:
        raise InputError(f"segmenter {request.spec}: words have no ids; give --tokenizer a BPE")
    config = load_run(["--config", request.value])
    torch.manual_seed(config.seed)
    width = IMAGE_WIDTH if config.image_encoder else None
    model = TextGroupModel(**vars(config.model), vocabulary=len(request.tokenizer), image_width=width)
    own = TextGroup(model, request.tokenizer.with_limit(config.model.encoder.max_tokens))
    return lambda captions: list(own.segment_stream(captions))
