"""Images a second of `textgroup features` against a plain loop over the same tower, and against the tower alone.

    python benchmarks/features.py [--images TAR] [--backbone DIRECTORY] [--out FILE.json]

The tower alone gets pixels that are ready in memory. The loop decodes a batch, encodes it, and so on. Both have the
tower as transformers gives it; the last rows have the tower that the command has, its batch norms folded. On a CPU the
tower has all cores, and decoding takes its share of the same cores: the two cannot overlap there.
Two towers: a backbone from a directory, and a GroupViT of the paper's size (random weights). That one has nothing to
fold: its last row repeats the row before, and shows the noise of a ratio on this machine.
"""

import tempfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModel

from common import Row, alternate, compared, finish, parser, run
from textgroup.data.sources.samples import Sample, read_samples
from textgroup.vision.encoders.groupvit import GroupViT
from textgroup.vision.encoders.objects import ObjectEncoder
from textgroup.vision.encoders.open import open_encoder
from textgroup.vision.store.writing import encode_features

BATCH = 256 if torch.cuda.is_available() else 4
"""The default of `textgroup features`."""
Tower = Callable[[Tensor], Tensor]
"""Pixels (B, 3, H, W) -> pooled vectors (B, D)."""


def main() -> None:
    """Measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument(
        "--images", default="../shared/flickr8k/flickr8k-val-000000.tar", help="any source of images"
    )
    options_parser.add_argument(
        "--backbone", default="../shared/vision/mobilenet_v2_1.0_224", help="a model of transformers"
    )
    options_parser.add_argument(
        "--count", type=int, default=128, help="images of a round, a quarter of it for GroupViT"
    )
    options_parser.add_argument("--rounds", type=int, default=5)
    options = options_parser.parse_args()
    samples = list(islice(read_samples(options.images, captions=False), options.count))
    backbone, groupvit = open_encoder(f"backbone:{options.backbone}"), GroupViT.random(0)
    rows = compare("mobilenet", "MobileNetV2", backbone, transformers_tower(options.backbone), samples, options.rounds)
    groupvit_samples = samples[: max(BATCH, options.count // 4)]
    finish(
        rows + compare("groupvit", "GroupViT", groupvit, own_tower(groupvit), groupvit_samples, options.rounds),
        options.out,
    )


def own_tower(encoder: ObjectEncoder) -> Tower:
    """The tower of an encoder of ours."""
    return lambda pixels: encoder.encode(pixels).pooled


def transformers_tower(where: str) -> Tower:
    """The convolutional tower in a directory as transformers gives it, fp32, in the memory layout that suits it."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModel.from_pretrained(where).eval().float().to(device, memory_format=torch.channels_last)

    @torch.no_grad()
    def encode(pixels: Tensor) -> Tensor:
        pixels = pixels.to(device, memory_format=torch.channels_last)
        return model(pixel_values=pixels).last_hidden_state.mean(dim=(2, 3)).cpu()

    return encode


def compare(
    name: str, description: str, encoder: ObjectEncoder, tower: Tower, samples: Sequence[Sample], rounds: int
) -> list[Row]:
    """One tower: the store, the plain loop, the tower alone and the one that the store has, in turn."""
    batches = [samples[a : a + BATCH] for a in range(0, len(samples), BATCH)]

    def decoded(batch: Sequence[Sample]) -> torch.Tensor:
        return torch.from_numpy(np.stack([encoder.transform(sample.image) for sample in batch]))

    ready = [decoded(batch) for batch in batches]

    def store() -> int:
        with tempfile.TemporaryDirectory() as folder:
            return encode_features(samples, encoder, Path(folder) / "store", source="benchmark").images

    def loop() -> int:
        return sum(len(tower(decoded(batch)).half().numpy()) for batch in batches)

    def alone() -> int:
        return sum(len(tower(pixels)) for pixels in ready)

    def folded() -> int:
        return sum(len(encoder.encode(pixels).pooled) for pixels in ready)

    rates = alternate({"store": store, "loop": loop, "tower": alone, "own": folded}, rounds)
    pairs = (
        ("loop", "a plain loop", "at least 1 times"),
        ("tower", "the tower alone", "at least 0.95 times"),
        ("own", "the tower alone, folded", ""),
    )
    return [
        compared(
            f"{name}_{peer}", f"features, {description}, against {label}", "images/s", rates["store"], rates[peer], goal
        )
        for peer, label, goal in pairs
    ]


if __name__ == "__main__":
    run(main)
