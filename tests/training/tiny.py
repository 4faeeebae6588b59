"""A run small enough for a test: captions and one-hot images, trained in a second or two."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from textgroup.config.model import DecoderConfig, EncoderConfig, ModelConfig
from textgroup.config.run import LogConfig, LossConfig, OptimConfig, RunConfig, UnitsConfig
from textgroup.data.captions import CaptionData
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.build import Inputs

COLOURS, SHAPES = ("red", "blue", "green", "pink"), ("ring", "star", "fish", "kite")
QUICK = UnitsConfig(teachers=1, teacher_steps=3, captions=32, steps=3)
"""A router that has hardly learned anything."""
IDENTITY = {"encoder": "none", "weights": "", "transform": {"resize": 224}}


def tiny_inputs() -> Inputs:
    """Sixteen pictures of one coloured thing, each with two captions; its objects are the colour and the shape."""
    pairs = [(c, s) for c in range(4) for s in range(4)]
    captions = [(f"a {COLOURS[c]} {SHAPES[s]}", f"there is a {SHAPES[s]} , it is {COLOURS[c]}") for c, s in pairs]
    pooled = np.array([[*np.eye(4)[c], *np.eye(4)[s]] for c, s in pairs], dtype=np.float16)
    tokenizer = CaptionTokenizer.train([text for item in captions for text in item], 560, max_tokens=16)
    data = CaptionData.build(captions, tokenizer, pooled, np.arange(16))
    things = np.stack([pooled * (np.arange(8) < 4), pooled * (np.arange(8) >= 4)], axis=1)  # (16, 2, 8)
    data = replace(data, objects=things)
    return Inputs(tokenizer, data, data, IDENTITY)


def tiny_config(out: Path, **changes: object) -> RunConfig:
    """Forty steps of eight captions."""
    config = RunConfig(
        out=str(out),
        image_encoder="none",
        model=ModelConfig(
            encoder=EncoderConfig(width=16, heads=2, layers_before=1, layers_after=1, groups=2, max_tokens=16),
            decoder=DecoderConfig(noise=0.1, word_dropout=0.1),
            embedding=8,
        ),
        units=QUICK,
        loss=LossConfig(balance=0.1),
        optim=OptimConfig(batch_size=8, epochs=20, lr=5e-3, warmup_epochs=1),
        log=LogConfig(every=5, eval_every=20, save_every=10),
    )
    return replace(config, **changes)  # type: ignore[arg-type]
