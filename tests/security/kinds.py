"""What is opened from files, each as a directory and a use of it; and the files that it is opened from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import textgroup
from tests.vision.tiny import TinyEncoder
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.evaluation.open_model import open_dual_encoder
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.runs.checkpoint import load_state
from textgroup.vision.encoders.open import open_encoder
from textgroup.vision.store.photographs import PhotographStore
from textgroup.vision.store.reading import FeatureStore
from textgroup.vision.store.writing import encode_features

CAPTION = "a man in a red hat is on a boat, it is blue " * 3


def use_checkpoint(where: Path) -> None:
    model = textgroup.load(where)
    model.segment(CAPTION)
    if model.model.text_head is not None:
        model.align_objects([CAPTION], torch.ones(1, 2, model.model.image_head.in_features))


def use_store(where: Path) -> None:
    store = FeatureStore.open(where)
    store.index_of(store.keys[-1])
    np.asarray(store.pooled[-1])
    store.verify()


def use_store_again(where: Path) -> None:
    images = where.parent / "images"
    encode_features(read_samples(str(images), captions=False), TinyEncoder(), where, source="images")


def use_photographs(where: Path) -> None:
    store = PhotographStore.open(where, {"made": 1}, TinyEncoder().transform)
    if store is not None:  # None: it is made again
        rows = [store.index_of(key) for key in ("0000.png", "0002.png")]
        if None in rows:  # as training does with an image that is not there
            raise InputError(f"{where} lacks an image")
        store.pooled[np.array(rows)]


def use_state(where: Path) -> None:
    load_state(where, new_optimizer())


def new_optimizer() -> torch.optim.AdamW:
    """After two steps, so that there is something to know."""
    torch.manual_seed(0)
    weights = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(weights.parameters())
    for _ in range(2):
        weights(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    return optimizer


def use_tokenizer(where: Path) -> None:
    tokenizer = CaptionTokenizer.from_pretrained(where)
    tokenizer.encode_batch([CAPTION, "\ud800 <|endoftext|>"])


def use_backbone(where: Path) -> None:
    open_encoder(f"backbone:{where}", device="cpu")


def use_clip(where: Path) -> None:
    open_dual_encoder(f"transformers:{where}", device="cpu").encode_text([CAPTION])


USES: dict[str, Callable[[Path], None]] = {
    "checkpoint": use_checkpoint,
    "dynamic": use_checkpoint,
    "tokenizer": use_tokenizer,
    "store": use_store,
    "half-store": use_store_again,
    "photographs": use_photographs,
    "state": use_state,
    "backbone": use_backbone,
    "clip": use_clip,
}
FILES = [
    *(("checkpoint", name) for name in ("config.json", "model.safetensors", "tokenizer.json")),
    *(("dynamic", name) for name in ("config.json", "model.safetensors")),
    ("tokenizer", "tokenizer.json"),
    *(("store", name) for name in ("manifest.json", "keys.txt", "pooled.f16", "groups.f16")),
    *(("half-store", name) for name in ("manifest.json", "keys.txt", "pooled.f16")),
    *(("photographs", name) for name in ("manifest.json", "keys.txt", "images.bin", "starts.bin")),
    ("state", "training.safetensors"),
    *(("backbone", name) for name in ("config.json", "model.safetensors", "preprocessor_config.json")),
    *(
        ("clip", name)
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json")
    ),
]
