"""One training step of the paper's model, with a random GroupViT as its image encoder: shapes, sizes, time.

    python benchmarks/paper_step.py [--batch 64]

A check of sizes, not a claim of speed: it shows what configs/paper.yaml builds, on any machine, without a download.
"""

import argparse
import time

import torch

from common import fresh_model, run
from textgroup.config.command_line import SHIPPED, load_run
from textgroup.data.batches import Batch, pad
from textgroup.keys import key_of
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.optim import adamw
from textgroup.vision.encoders.groupvit import GroupViT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    size = parser.parse_args().batch
    config = load_run(["--config", str(SHIPPED / "paper.yaml")])
    model = fresh_model(config)
    torch.manual_seed(1)
    images = torch.randn(size, 3, 224, 224)
    started = time.perf_counter()
    objects = GroupViT.random(seed=0).encode(images, vectors=True)
    print(f"image encoder: {size} images in {time.perf_counter() - started:.1f} s", shape("pooled", objects.pooled))
    assert objects.vectors is not None
    print(shape("object groups", objects.vectors))

    lengths = torch.randint(8, 20, (size,)).tolist()
    captions = [[49406, *torch.randint(0, 49406, (n,)).tolist(), 49407] for n in lengths]
    batch = Batch([pad(captions)], objects.pooled)
    optimizer = adamw(model, config.optim)
    started = time.perf_counter()
    losses = compute(model, batch, objectives_for(config.loss), key_of(0, 0))
    losses.total.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.optim.clip)
    optimizer.step()
    print(f"text step: {size} captions, {sum(lengths)} tokens in {time.perf_counter() - started:.1f} s")
    out = model.encode(*batch.chunks[0])
    print(shape("tokens", batch.chunks[0].ids), shape("text groups", out.groups), shape("assignment", out.assignment))
    print(
        shape("text embedding", model.embed_text(out)),
        shape("image embedding", model.embed_image(objects.pooled)),
    )
    print(", ".join(f"{name} {value.item():.3f}" for name, value in losses.as_dict().items()))
    print(f"gradient norm {norm.item():.2f}")
    for name, count in model.parameter_counts().items():
        print(f"{name:<12} {count:>10,}")


def shape(name: str, tensor: torch.Tensor) -> str:
    return f"{name} {tuple(tensor.shape)}"


if __name__ == "__main__":
    run(main)
