"""One directory of each kind, as they should be."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.cli.checkpoints import ENCODER, write_backbone, write_checkpoint
from tests.evaluation.two_towers import write_clip
from tests.security.kinds import CAPTION, new_optimizer
from tests.vision.tiny import TinyEncoder, write_images
from textgroup.config.model import DecoderConfig
from textgroup.data.sources.samples import read_samples
from textgroup.model.textgroup import TextGroupModel
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.vision.store.photographs import pack
from textgroup.vision.store.writing import encode_features


@pytest.fixture(scope="package")
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
    known = new_optimizer().state_dict()["state"]
    tensors = {f"{number}.{name}": x for number, state in known.items() for name, x in state.items()}
    save_file({"step": torch.tensor(2), **tensors}, where / "state" / "training.safetensors")
    write_clip(where / "clip")
    return where
