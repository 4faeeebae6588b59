"""Captions a second of a training step with cached features against one that trains the image tower too.

    python benchmarks/joint.py [--images SHARD] [--batch 16] [--chunk 8] [--rounds 5] [--out FILE.json]

The paper's model, and a GroupViT of the published size (random weights). The live step decodes its photographs, encodes
each twice (forward, and again in backward, chunk by chunk) and goes backward through the tower; the other one reads the
tower's vectors from memory.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np
import torch

from common import alternate, compared, finish, parser, run
from textgroup.config.run import OptimConfig, RunConfig
from textgroup.data.captions import CaptionData
from textgroup.data.sources.samples import read_samples
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.build import Inputs, build_model
from textgroup.training.exactness import joint
from textgroup.training.loop import take_step
from textgroup.training.objectives.total import objectives_for
from textgroup.training.optim import adamw
from textgroup.training.placement import to_device
from textgroup.vision.encoders.tower import ImageTower
from textgroup.vision.store.photographs import Pixels


def main() -> None:
    """Measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument(
        "--images", default="../shared/flickr8k/flickr8k-val-000000.tar", help="shards with captions"
    )
    options_parser.add_argument("--batch", type=int, default=16, help="captions of a step")
    options_parser.add_argument("--chunk", type=int, default=8, help="captions in memory at once")
    options_parser.add_argument("--rounds", type=int, default=5)
    options = options_parser.parse_args()
    config = RunConfig(
        image_encoder="trainable", optim=OptimConfig(batch_size=options.batch, chunk=options.chunk, epochs=25)
    )
    tower = ImageTower.random(0)
    live, tokenizer = photographs(options.images, options.batch, tower)
    assert live.pooled is not None
    cached = replace(live, pooled=joint.encode_rows(tower, live.pooled, np.arange(len(live))))
    contenders = {
        "cached": make_step(config, Inputs(tokenizer, cached)),
        "live": make_step(config, Inputs(tokenizer, live, tower=tower)),
    }
    rates = alternate(contenders, options.rounds)
    description = "a step with cached features against one with a live GroupViT"
    finish([compared("cached", description, "captions/s", rates["cached"], rates["live"])], options.out)


def photographs(source: str, count: int, tower: ImageTower) -> tuple[CaptionData, CaptionTokenizer]:
    """The first photographs of some shards, in memory, with their captions."""
    samples = list(islice(read_samples(source), count))
    images = [bytes(sample.image) for sample in samples if isinstance(sample.image, bytes)]
    starts = np.cumsum([0, *map(len, images)])
    pixels = Pixels(np.frombuffer(b"".join(images), np.uint8), starts, tower.transform)
    captions = [sample.captions for sample in samples]
    tokenizer = CaptionTokenizer.train([text for texts in captions for text in texts], 2000)
    return CaptionData.build(captions, tokenizer, pixels, np.arange(len(images))), tokenizer


def make_step(config: RunConfig, inputs: Inputs) -> Callable[[], int]:
    """A function that takes the next step of a run and returns the number of its captions."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, tower = build_model(config, inputs).to(device), inputs.tower
    optimizer = adamw(model, config.optim, None if tower is None else tower.to(device))
    steps, objectives = iter(range(1_000_000)), objectives_for(config.loss)

    def step() -> int:
        number = next(steps)
        batch = inputs.train.batch(number, config.optim.batch_size, config.seed, config.optim.chunk)
        take_step(model, optimizer, to_device(batch, device), config, objectives, number, tower)
        return batch.size

    return step


if __name__ == "__main__":
    run(main)
