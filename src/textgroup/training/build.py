"""The inputs of a run and the fresh model for them."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch

from textgroup.config.run import RunConfig
from textgroup.data.captions import CaptionData
from textgroup.devices import machine_memory
from textgroup.errors import InputError
from textgroup.model.grouping.contract import Grouping
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.exactness import joint
from textgroup.vision.encoders.tower import ImageTower

PER_PARAMETER = 16
"""Bytes of a parameter in training: its value, its gradient, and AdamW's two means."""


@dataclass(frozen=True)
class Inputs:
    """What a run trains on, read and checked.

    image_encoder: identity of the frozen encoder that made the features. tower: the one to begin with, where it is
    trained; then the captions have photographs for features. router: of a trained model, whose cuts are to be kept.
    translations: the same captions in several languages (`UnitsConfig.translations`).
    counts: what became of the captions that were given, by data set, for people.
    """

    tokenizer: CaptionTokenizer
    train: CaptionData
    val: CaptionData | None = None
    image_encoder: dict[str, Any] | None = None
    tower: ImageTower | None = None
    router: Grouping | None = None
    translations: tuple[CaptionData, ...] = ()
    counts: dict[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """A digest of what the model learns from."""
        return " ".join(data.digest() for data in (self.train, *self.translations))


def check_model(config: RunConfig) -> None:
    """Raise `InputError` if the model cannot be built here, or if the losses are not its own. Reads no data."""
    with torch.device("meta"):  # shapes without memory
        model = TextGroupModel(**vars(config.model), vocabulary=1, image_width=1)
    encoder, count, memory = model.encoder, sum(p.numel() for p in model.parameters()), machine_memory()
    if memory is not None and PER_PARAMETER * count > memory:
        raise InputError(
            f"the model has {count:,} parameters; {PER_PARAMETER * count / 1e9:,.0f} GB are needed to train them, and "
            f"this machine has {memory / 1e9:,.0f} GB: lower model.encoder.width or the number of layers"
        )
    kind, loss = config.model.encoder.kind, config.loss
    if config.units.translations and encoder.reach is None:
        raise InputError(
            f"units.translations with model.encoder.kind {kind}, which does not learn to cut: set it to null, or "
            "take a dynamic encoder"
        )
    if not encoder.trains_assignment and (loss.balance or loss.contiguity):
        raise InputError(
            f"loss.balance {loss.balance} and loss.contiguity {loss.contiguity} with model.encoder.kind {kind}, whose "
            "assignment has no gradient: set both to 0"
        )


def build_model(config: RunConfig, inputs: Inputs, *, learn: bool = True) -> TextGroupModel:
    """A fresh model for these inputs: the vocabulary is the tokenizer's, the image width the features'.

    learn: False for a model that gets the weights of a checkpoint; a router then needs to learn nothing. With a trained
    tower, the features are what it gives before the first step. Raises `InputError` as `check_model`
    does, and if there is nothing to train on.
    """
    check_model(config)
    torch.manual_seed(config.seed)
    features = None if inputs.train.pooled is None else joint.sample_features(inputs.tower, inputs.train.pooled)
    architecture = replace(
        config.model,
        encoder=replace(config.model.encoder, max_tokens=inputs.tokenizer.max_tokens),
        decoder=config.model.decoder if config.loss.reconstruction else None,
    )
    model = TextGroupModel(
        **vars(architecture),
        vocabulary=len(inputs.tokenizer),
        image_width=None if features is None else features.shape[1],
        image_encoder=inputs.image_encoder,
    )
    has_terms = architecture.decoder is not None or features is not None
    if not has_terms and (model.encoder.reach is None or inputs.router is not None):
        raise InputError(
            "there is nothing to train on: give model.decoder (with loss.reconstruction above 0) or data.features"
        )
    if features is not None:
        model.standardise_images(features.mean(dim=0), features.std(dim=0).clamp_min(1e-3))
    if inputs.router is not None:
        model.encoder.take_router(inputs.router)
    elif learn:
        model.encoder.learn_to_cut(inputs.train, inputs.tokenizer, config.units, config.seed, inputs.translations)
    model.encoder.start_from(inputs.train, inputs.tokenizer, config.seed)
    return model
