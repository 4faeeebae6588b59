"""What a run reads: captions joined with the features of their images, checked before the first step."""

from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from textgroup.config import RunConfig
from textgroup.data.captions import CaptionData
from textgroup.data.samples import Sample, read_samples
from textgroup.errors import InputError
from textgroup.tokenizer import CaptionTokenizer
from textgroup.training.trainer import Inputs
from textgroup.vision.features import FeatureStore, check_same_encoder


def read_inputs(config: RunConfig) -> Inputs:
    """Captions, features and tokenizer of a run. Raises `InputError` for what is missing or does not fit."""
    data = config.data
    if data.captions is None:
        raise InputError("data.captions is not set: give --data.captions with the training captions")
    store = _store(data.features, config, "data.features")
    samples = _read(data.captions, config)
    tokenizer = _tokenizer(config, samples)
    train = join(samples, store, tokenizer, data.captions)
    val = None
    if data.val_captions is not None:
        val_store = _store(data.val_features, config, "data.val_features")
        if store and val_store:
            check_same_encoder(store.manifest.encoder, val_store.manifest.encoder, "data.features", "data.val_features")
        val = join(_read(data.val_captions, config), val_store, tokenizer, data.val_captions)
    return Inputs(tokenizer, train, val, store.manifest.encoder if store else None)


def read_pairs(
    captions: str, features: Path, tokenizer: CaptionTokenizer, identity: dict[str, Any] | None
) -> CaptionData:
    """A data set with images, for evaluation of a model whose image head was trained on `identity`."""
    if identity is None:
        raise InputError("this checkpoint was trained on captions alone: it cannot match images")
    store = FeatureStore.open(features)
    check_same_encoder(identity, store.manifest.encoder, "the checkpoint", str(features))
    return join(list(read_samples(captions, images=False)), store, tokenizer, captions)


def join(samples: list[Sample], store: FeatureStore | None, tokenizer: CaptionTokenizer, name: str) -> CaptionData:
    """Each sample's captions with its row of the store; samples whose image was skipped are left out."""
    if store is None:
        return CaptionData.build((sample.captions for sample in samples), tokenizer)
    broken = {skipped.key for skipped in store.manifest.skipped}
    kept = [sample for sample in samples if sample.captions and sample.key not in broken]
    if not kept:
        raise InputError(f"{name} has no caption of an image in the feature store {store.path}")
    rows = store.rows(sample.key for sample in kept)
    return CaptionData.build((sample.captions for sample in kept), tokenizer, store.pooled, rows)


def _read(source: str, config: RunConfig) -> list[Sample]:
    data = config.data
    return list(read_samples(source, images=False, image_column=data.image_column, caption_column=data.caption_column))


def _store(path: str | None, config: RunConfig, name: str) -> FeatureStore | None:
    if path is None:
        return None
    store = FeatureStore.open(Path(path))
    if config.image_encoder is None:
        raise InputError(f"{name} is given, but image_encoder is null: name the encoder that made it")
    made_by = store.manifest.encoder["encoder"]
    if not _same_name(made_by, config.image_encoder):
        raise InputError(
            f"{name} {path} was made by {made_by}, but image_encoder is {config.image_encoder}: "
            "encode the images with `textgroup features`, or correct image_encoder"
        )
    return store


def _same_name(one: str, other: str) -> bool:
    """Whether two encoder names mean the same, wherever the weights lie: kind and last part of the path."""
    kinds = [name.partition(":")[0] for name in (one, other)]
    places = [PurePath(name.partition(":")[2]).name for name in (one, other)]
    return kinds[0] == kinds[1] and (places[0] == places[1] or not all(places))


def _tokenizer(config: RunConfig, samples: list[Sample]) -> CaptionTokenizer:
    longest = config.model.encoder.max_tokens
    if config.tokenizer.source is not None:
        return CaptionTokenizer.from_pretrained(config.tokenizer.source, longest)
    captions = chain.from_iterable(sample.captions for sample in samples)
    return CaptionTokenizer.train(captions, config.tokenizer.vocabulary, longest)
