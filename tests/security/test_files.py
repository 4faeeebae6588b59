"""Every file that a model directory, a run or a feature store is opened from, damaged in thousands of ways.

What is opened then works, or is refused by an `InputError`, in one line.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

import textgroup
from tests.cli.checkpoints import ENCODER, write_backbone, write_checkpoint
from tests.evaluation.two_towers import write_clip
from tests.security.hostile import mutated_bytes, mutated_json
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.config.model import DecoderConfig
from textgroup.data.sources.samples import read_samples
from textgroup.errors import InputError
from textgroup.evaluation.open_model import open_dual_encoder
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.runs.checkpoint import load_state
from textgroup.vision.encoders.open import open_encoder
from textgroup.vision.store.photographs import PhotographStore, pack
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
    store.rows(store.keys)
    np.asarray(store.pooled[-1])
    store.verify()


def use_store_again(where: Path) -> None:
    images = where.parent / "images"
    encode_features(read_samples(str(images), captions=False), TinyEncoder(), where, source="images")


def use_photographs(where: Path) -> None:
    store = PhotographStore.open(where, {"made": 1}, TinyEncoder().transform)
    if store is not None:  # None: it is made again
        store.pooled[store.rows(["0000.png", "0002.png"])]


def use_state(where: Path) -> None:
    load_state(where, _optimizer())


def _optimizer() -> torch.optim.AdamW:
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


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory of each kind, as they should be."""
    where = tmp_path_factory.mktemp("good")
    write_backbone(where / "backbone")
    write_checkpoint(where / "checkpoint", [CAPTION], where / "backbone", DecoderConfig())
    tokenizer = CaptionTokenizer.train([CAPTION], 540, max_tokens=16)
    dynamic = type(ENCODER)(**{**vars(ENCODER), "kind": "dynamic"})
    torch.manual_seed(0)
    TextGroupModel(dynamic, None, 8, vocabulary=len(tokenizer), image_width=5).save_pretrained(where / "dynamic")
    tokenizer.save(where / "dynamic" / "tokenizer.json")
    (where / "tokenizer").mkdir()
    tokenizer.save(where / "tokenizer" / "tokenizer.json")
    images = write_images(where / "images", 4, broken=(1,))
    samples = list(read_samples(str(images), captions=False))
    encode_features(samples, TinyEncoder(), where / "store", source="images", groups=True)
    encode_features(samples, TinyEncoder(), where / "half-store", source="images")
    manifest = where / "half-store" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"complete": False}))
    described = [type(s)(s.key, ("a man",), s.image) for s in samples]
    pack(described, where / "photographs", {"made": 1}, "images", TinyEncoder().transform)
    (where / "state").mkdir()
    known = _optimizer().state_dict()["state"]
    tensors = {f"{number}.{name}": x for number, state in known.items() for name, x in state.items()}
    save_file({"step": torch.tensor(2), **tensors}, where / "state" / "training.safetensors")
    write_clip(where / "clip")
    return where


def test_every_kind_works_as_it_is_and_no_file_is_forgotten(good: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(good, tmp_path / "copy"))
    for kind, use in USES.items():
        use(copy / kind)
    used = {(kind, file.name) for kind in USES for file in (good / kind).iterdir()}
    never_read = {("clip", "model.safetensors"), ("checkpoint", "README.md"), ("dynamic", "README.md")}
    same_as_checkpoint = {("dynamic", "tokenizer.json")}
    locks = {(kind, ".lock") for kind in USES}
    assert used - locks - never_read - same_as_checkpoint == set(FILES)


def check(good: Path, copy: Path, kind: str, name: str, content: bytes) -> None:
    """Replace one file, use the directory, and put it right again."""
    if not copy.exists():
        shutil.copytree(good / kind, copy)
        if kind == "half-store":
            shutil.copytree(good / "images", copy.parent / "images")
    before = {file.name: file.read_bytes() for file in copy.iterdir() if file.is_file()}
    (copy / name).write_bytes(content)
    begun = process_time()
    try:
        USES[kind](copy)
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1200
    finally:
        for file, data in before.items():
            (copy / file).write_bytes(data)
    assert process_time() - begun < 10


def hostile_content(data: st.DataObject, good: Path, kind: str, name: str) -> bytes:
    content = (good / kind / name).read_bytes()
    return data.draw(mutated_json(content) if name.endswith(".json") else mutated_bytes(content))


quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize(("kind", "name"), FILES)
@quick
@given(data=st.data())
def test_a_damaged_file_is_refused_in_one_line(
    good: Path, tmp_path: Path, kind: str, name: str, data: st.DataObject
) -> None:
    check(good, tmp_path / "copy", kind, name, hostile_content(data, good, kind, name))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), FILES)
@settings(quick, max_examples=300)
@given(data=st.data())
def test_nor_does_any_of_thousands_of_damages_end_otherwise(
    good: Path, tmp_path: Path, kind: str, name: str, data: st.DataObject
) -> None:
    check(good, tmp_path / "copy", kind, name, hostile_content(data, good, kind, name))


@pytest.mark.parametrize(
    "fields",
    [
        *({"encoder": {name: 10**9}} for name in ("layers_before", "layers_after", "width", "groups", "max_tokens")),
        *({name: 10**9} for name in ("vocabulary", "embedding", "image_width")),
        *({"decoder": {name: 10**9}} for name in ("layers", "bottleneck")),
        *({"encoder": {name: 10**6}} for name in ("router_width", "router_hidden", "groups")),
    ],
)
@pytest.mark.parametrize("kind", ["checkpoint", "dynamic"])
def test_a_model_larger_than_its_weights_is_never_built(
    good: Path, tmp_path: Path, kind: str, fields: dict[str, Any]
) -> None:
    copy = Path(shutil.copytree(good / kind, tmp_path / "copy"))
    config = json.loads((copy / "config.json").read_text())
    for name, value in fields.items():
        config[name] = {**(config[name] or {}), **value} if isinstance(value, dict) else value
    (copy / "config.json").write_text(json.dumps(config))
    begun = process_time()
    with pytest.raises(InputError, match=r"larger model than|ids|must be"):
        textgroup.load(copy)
    assert process_time() - begun < 2
