"""Reading the inputs of a run: captions joined with the features of their images, checked before the first step."""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

from textgroup.config.run import RunConfig
from textgroup.data.captions import CaptionData
from textgroup.data.fingerprint import fingerprint
from textgroup.data.sources.count import MEANT, Count
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.data.tokens import Lost, count_captions, open_tokens, what_changed, write_tokens
from textgroup.data.translations import read_translations
from textgroup.errors import InputError
from textgroup.files import full_disk_told, lock_directory
from textgroup.model.grouping.contract import Grouping
from textgroup.model.pretrained import load_model
from textgroup.report.terminal import count_progress
from textgroup.text.tokenizer import LEARNED, CaptionTokenizer
from textgroup.training import distributed
from textgroup.training.build import Inputs, check_model
from textgroup.vision.encoders.identity import check_same_encoder
from textgroup.vision.encoders.tower import ImageTower
from textgroup.vision.preprocess import Transform
from textgroup.vision.store.photographs import PhotographStore, pack
from textgroup.vision.store.reading import FeatureStore

Store = FeatureStore | PhotographStore
Item = tuple[tuple[str, ...], int | None]
"""Captions, and the row of their image."""
UNREADABLE = "the image could not be read when it was encoded"
MISSING = "the feature store lacks the image"
"""Why captions are left out."""


def read_inputs(config: RunConfig) -> Inputs:
    """Captions, features and tokenizer of a run. Raises `InputError` for what is missing or does not fit.

    Captions are tokenised once, into `data.tokens`, and memory-mapped from there; so are the photographs, where the
    image tower is trained.
    """
    data = config.data
    if data.captions is None:
        raise InputError("data.captions is not set: give --data.captions with the training captions")
    frozen = _open_store(data.features, config, "data.features")
    val_frozen = _open_store(data.val_features, config, "data.val_features")
    if frozen and val_frozen:
        check_same_encoder(frozen.manifest.encoder, val_frozen.manifest.encoder, "data.features", "data.val_features")
    check_model(config)
    store: Store | None = frozen
    val_store: Store | None = val_frozen
    tower = None if config.trained_tower is None else ImageTower.open(config.trained_tower, config.seed)
    source, tokenizer = (None, None) if config.router is None else open_router(config.router)
    folder = Path(config.out) / "tokens" if data.tokens is None else Path(data.tokens)
    val = None
    with (
        distributed.rank_zero_first(),  # one process packs and tokenises, the others find it done
        lock_directory(folder, wait=True),  # and so do other runs that share data.tokens
        full_disk_told(folder, "make room, or give data.tokens a directory on another disk"),
    ):
        if tower is not None:
            store = _open_photographs(folder / "train_photographs", data.captions, config, tower.transform)
            if data.val_captions is not None:
                val_store = _open_photographs(folder / "val_photographs", data.val_captions, config, tower.transform)
        train, tokenizer = _open_captions(folder / "train", data.captions, store, config, tokenizer)
        if data.val_captions is not None:
            val, _ = _open_captions(folder / "val", data.val_captions, val_store, config, tokenizer)
        counts = {name: count_captions(folder / name) for name in ("train", "val")[: 1 if val is None else 2]}
    if term := config.loss.needs_objects:
        train = replace(_add_objects(train, frozen, "data.features", term), share=config.loss.grounded)
        val = None if val is None else _add_objects(val, val_frozen, "data.val_features", term)
    translations = read_translations(config.units.translations or (), tokenizer, data.caption_column)
    identity = frozen.manifest.encoder if frozen else None
    return Inputs(tokenizer, train, val, identity, tower, source, translations, counts)


def open_router(where: str) -> tuple[Grouping, CaptionTokenizer]:
    """What cuts captions in a trained checkpoint, and its tokenizer. where: `packaged`, a directory or a Hub name."""
    model, tokenizer = load_model(None if where == "packaged" else where)
    return model.encoder, tokenizer


def read_pairs(
    samples: Iterable[Sample],
    name: str,
    features: Path,
    tokenizer: CaptionTokenizer,
    identity: dict[str, Any] | None,
) -> CaptionData:
    """A data set with images, for evaluation of a model whose image head was trained on `identity`. name: of the
    samples, for messages."""
    if identity is None:
        raise InputError("this checkpoint was trained on captions alone: it cannot match images")
    store = FeatureStore.open(features)
    check_same_encoder(identity, store.manifest.encoder, "the checkpoint", str(features))
    captions: dict[int, list[str]] = {}  # of an image, wherever its samples lie
    for texts, row in join_images(samples, store, name):
        assert row is not None, "a store gives every sample a row"
        captions.setdefault(row, []).extend(texts)
    return CaptionData.build(captions.values(), tokenizer, store.pooled, list(captions))


def join_images(
    samples: Iterable[Sample], store: Store | None, name: str, lost: list[Lost] | None = None, missing: str = "stop"
) -> Iterator[tuple[tuple[str, ...], int | None]]:
    """Each sample's captions with the row of its image; samples whose image was skipped are left out.

    Without a store the row is None. name: of the captions, for messages. lost: gets what is left out. missing: see
    `DataConfig.missing`.
    """
    if store is None:
        yield from ((sample.captions, None) for sample in samples if sample.captions)
        return
    broken = {skipped.key for skipped in store.manifest.skipped}
    left_out, used = [] if lost is None else lost, 0
    for sample in samples:
        if not sample.captions:
            continue
        row = None if sample.key in broken else store.index_of(sample.key)
        if row is None:
            reason = UNREADABLE if sample.key in broken else MISSING
            left_out.append(Lost(sample.key, len(sample.captions), reason))
            if reason == MISSING and missing == "stop":
                has = f"{store.in_words()}; " if isinstance(store, FeatureStore) else ""
                raise InputError(
                    f"the image {sample.key!r} of {name} was not encoded: {has}encode {name}, name its column of "
                    "images with data.image_column, or train without such captions: data.missing skip"
                )
            continue
        used += 1
        yield sample.captions, row
    if not used:
        raise InputError(f"{name} has no caption of an image in the feature store {store.path}")


def _open_photographs(
    where: Path, captions: str | list[str], config: RunConfig, transform: Transform
) -> PhotographStore:
    """The photographs of these sources, packed in the directory `where`. They are packed if they are not there, or were
    packed from something else."""
    sources = [captions] if isinstance(captions, str) else captions
    image, caption = config.data.image_column, config.data.caption_column
    files = [fingerprint(source, image) for source in sources]
    made_of = {"captions": sources, "files": files, "columns": [image, caption]}
    if (kept := PhotographStore.open(where, made_of, transform)) is not None:
        return kept
    each = (read_samples(one, image_column=image, caption_column=caption) for one in sources)
    pack(count_progress(chain.from_iterable(each), "photographs"), where, made_of, ", ".join(sources), transform)
    kept = PhotographStore.open(where, made_of, transform)
    assert kept is not None, "what was just written can be read"
    if broken := kept.manifest.skipped:
        print(
            f"textgroup: {len(broken)} of {kept.manifest.images + len(broken)} photographs are skipped, such as "
            f"{broken[0].key}: {broken[0].reason} (all are named in {where / 'manifest.json'})",
            file=sys.stderr,
        )
    return kept


def _open_captions(
    where: Path,
    captions: str | list[str],
    store: Store | None,
    config: RunConfig,
    tokenizer: CaptionTokenizer | None,
) -> tuple[CaptionData, CaptionTokenizer]:
    """The captions of these sources, tokenised in the directory `where`. They are tokenised if they are not there, or
    were made from something else."""
    data, settings, longest = config.data, config.tokenizer, config.model.encoder.max_tokens
    sources = [captions] if isinstance(captions, str) else captions
    if tokenizer is None and settings.source is not None:
        tokenizer = CaptionTokenizer.from_pretrained(settings.source, longest)
    made_of = {
        "captions": sources,
        "files": [fingerprint(source) for source in sources],
        "columns": [data.image_column, data.caption_column],
        "missing": data.missing,
        "features": None if store is None else _digest((store.path / "manifest.json").read_text(encoding="utf-8")),
        "tokenizer": ["learned", LEARNED, settings.vocabulary, longest]
        if tokenizer is None
        else _digest(json.dumps([tokenizer.max_tokens, tokenizer.words, tokenizer.merges])),
    }
    pooled = None if store is None else store.pooled

    def samples(count: Count) -> Iterator[Sample]:
        """Of all sources, once more: a tokenizer that is learned reads them twice."""
        each = (
            read_samples(
                one,
                images=False,
                image_column=data.image_column,
                caption_column=data.caption_column,
                count=count,
            )
            for one in sources
        )
        return count_progress(chain.from_iterable(each), "samples")

    kept = open_tokens(where, made_of, pooled)
    if kept is None:
        changed = what_changed(where, made_of)
        if tokenizer is None:
            texts = chain.from_iterable(sample.captions for sample in samples(Count()))
            tokenizer = CaptionTokenizer.train(texts, settings.vocabulary, longest)
        lost: list[Lost] = []
        count = Count()
        items = join_images(samples(count), store, ", ".join(sources), lost, data.missing)
        write_tokens(where, made_of, _and_what_was_unreadable(items, count, lost), tokenizer, lost)
        if changed:
            print(f"textgroup: {where} is made again, because of other {' and '.join(changed)}", file=sys.stderr)
        kept = open_tokens(where, made_of, pooled)
    assert kept is not None, "what was just written can be read"
    return kept


def _and_what_was_unreadable(items: Iterable[Item], count: Count, lost: list[Lost]) -> Iterator[Item]:
    """The items; at their end what the sources left out, such as blank captions, is lost too."""
    yield from items
    skipped = ((why, times) for why, times in count.skipped.items() if why not in MEANT)
    lost.extend(Lost(count.examples[why][0], times, why) for why, times in skipped)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _open_store(path: str | None, config: RunConfig, name: str) -> FeatureStore | None:
    if path is None:
        return None
    try:
        store = FeatureStore.open(Path(path))
    except InputError as error:
        without = "; without validation: data.val_captions null, data.val_features null"
        raise InputError(f"{name}: {error}{without if name == 'data.val_features' else ''}") from None
    if config.image_encoder is None:
        raise InputError(f"{name} is given, but image_encoder is null: name the encoder that made it")
    made_by = store.manifest.encoder["encoder"]
    if not _same_encoder_name(made_by, config.image_encoder):
        raise InputError(
            f"{name} {path} was made by {made_by}, but image_encoder is {config.image_encoder}: "
            f"set image_encoder to {made_by}, or encode the images again"
        )
    return store


def _add_objects(data: CaptionData, store: FeatureStore | None, name: str, term: str) -> CaptionData:
    """The data set with the objects of its images."""
    if store is None:
        raise InputError(f"loss.{term} compares units with objects: give {name}, or set loss.{term} to 0")
    if store.objects is None:
        raise InputError(
            f"{name} {store.path} has pooled vectors alone, and loss.{term} needs every object: encode the images "
            f"again, into a new directory, with `textgroup features --groups`, or set loss.{term} to 0"
        )
    return replace(data, objects=store.objects)


def _same_encoder_name(one: str, other: str) -> bool:
    """Whether two encoder names mean the same, wherever the weights lie: kind and last part of the path."""
    kinds = [name.partition(":")[0] for name in (one, other)]
    names_of_weights = [PurePath(name.partition(":")[2]).name for name in (one, other)]
    return kinds[0] == kinds[1] and (names_of_weights[0] == names_of_weights[1] or not all(names_of_weights))
