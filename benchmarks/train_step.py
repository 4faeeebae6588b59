"""Captions a second of one training step of the paper's model, against the step of the paper's own code.

    python benchmarks/train_step.py [--captions FILE] [--tokenizer FILE] [--batch 256] [--rounds 3]

The same model, captions, images and noise on both sides, and the losses must agree. The peer pads every caption to 77
tokens, makes the logits of all positions, and goes through the batch in chunks by GradCache as its public package does:
representations without gradients, then every chunk again. Its image tower is live: it runs once a step, though the
package would run it in both passes. `cached`: both sides on cached image features. On a GPU both sides are in bf16.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from common import alternate, compared, finish, fresh_model, parser, run
from textgroup.config.command_line import SHIPPED, load_run
from textgroup.data.batches import Batch
from textgroup.data.captions import CaptionData
from textgroup.data.sources.samples import read_samples
from textgroup.keys import key_of
from textgroup.model.grouping.contract import TextGroups
from textgroup.model.noise import Noise
from textgroup.text.tokenizer import CaptionTokenizer
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.optim import adamw
from textgroup.training.placement import to_device
from textgroup.vision.encoders.groupvit import GroupViT

PADDED = 77
CAPTIONS, MERGES = "../shared/captions/coco.jsonl.gz", "../shared/clip_bpe/bpe_simple_vocab_16e6.txt.gz"


def main() -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--captions", default=CAPTIONS, help="any source of captions")
    options_parser.add_argument("--tokenizer", default=MERGES, help="CLIP's merges, or a directory with tokenizer.json")
    options_parser.add_argument("--batch", type=int, default=256)
    options_parser.add_argument("--chunk", type=int, default=32, help="captions that the peer has in memory at once")
    options_parser.add_argument("--rounds", type=int, default=3)
    options = options_parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = caption_data([options.captions], options.tokenizer, limit=20 * options.batch)
    tower = GroupViT.random(seed=0, device=str(device))
    pixels = torch.randn(options.batch, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(device)

    def encode_images(images: Tensor) -> Tensor:
        return torch.cat([tower.encode(chunk).pooled for chunk in images.split(options.chunk)])

    features = encode_images(pixels)

    def contenders_of(size: int) -> dict[str, Contender]:
        batch = to_device(data.batch(0, size, 0), device)._replace(image=features[:size])
        return {
            "ours": Contender(batch, lambda c: compute(c.model, batch, c.objectives, key_of(0, c.steps)).total),
            "live": Contender(
                batch, lambda c: reference_step(c, options.chunk, lambda a, b: encode_images(pixels[a:b]))
            ),
            "cached": Contender(batch, lambda c: reference_step(c, options.chunk, lambda a, b: features[a:b])),
        }

    losses = [contender.step() for contender in contenders_of(min(options.batch, 16)).values()]
    if max(losses) - min(losses) > (2e-2 if device.type == "cuda" else 1e-4) * losses[0]:
        raise SystemExit(f"the contenders do not compute the same loss: {losses}")
    contenders = contenders_of(options.batch)
    rates = alternate({name: contender.captions for name, contender in contenders.items()}, options.rounds)
    kind, goals = device.type, ("10 times", "5 times") if device.type == "cpu" else ("20 times", "5 times")
    name, description = f"{kind}_{options.batch}", f"training step on {kind}, batch {options.batch}"
    rows = [
        compared(
            f"live_{name}", f"{description}, image tower live", "captions/s", rates["ours"], rates["live"], goals[0]
        ),
        compared(
            f"cached_{name}", f"{description}, cached features", "captions/s", rates["ours"], rates["cached"], goals[1]
        ),
    ]
    finish(rows, options.out)


class Contender:
    """A model, its optimiser, a batch, and a way to get gradients."""

    def __init__(self, batch: Batch, gradients: "Callable[[Contender], Tensor]", *variants: str) -> None:
        files = ["paper.yaml", *(f"variants/{name}.yaml" for name in variants)]
        self.config = load_run([word for file in files for word in ("--config", str(SHIPPED / file))])
        self.model = fresh_model(self.config).to(batch.chunks[0].ids.device).train()
        self.optimizer, self.objectives = adamw(self.model, self.config.optim), objectives_for(self.config.loss)
        self.batch, self.gradients, self.steps = batch, gradients, 0

    def step(self) -> float:
        """One step of the optimiser; the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.gradients(self)
        if loss.requires_grad:
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optim.clip)
        self.optimizer.step()
        self.steps += 1
        return loss.item()

    def captions(self) -> int:
        """A step; the number of its captions."""
        self.step()
        return self.batch.size


def reference_step(contender: Contender, chunk: int, images: Callable[[int, int], Tensor]) -> Tensor:
    """The straightforward step; leaves gradients in the model and returns the loss."""
    model, config = contender.model, contender.config.loss
    padded_chunks = list(padded(contender.batch, chunk))
    pooled = [images(int(rows[0]), int(rows[-1]) + 1) for _, _, rows in padded_chunks]
    with torch.no_grad():
        text = torch.cat([model.embed_text(encode(contender, rows_of)) for rows_of in padded_chunks])
        image = torch.cat([model.embed_image(x) for x in pooled])
    text, image = text.requires_grad_(), image.requires_grad_()
    similarity, pair = text @ image.T / config.temperature, torch.arange(len(text), device=text.device)
    contrastive = (F.cross_entropy(similarity, pair) + F.cross_entropy(similarity.T, pair)) / 2
    contrastive.backward()
    assert text.grad is not None
    assert image.grad is not None
    total = contrastive.detach()
    for rows_of, pooled_of in zip(padded_chunks, pooled):
        out, rows = encode(contender, rows_of), rows_of.rows
        loss = reconstruction(contender, rows_of, out)
        surrogate = (model.embed_text(out) * text.grad[rows]).sum() + (
            model.embed_image(pooled_of) * image.grad[rows]
        ).sum()
        (surrogate + loss).backward()
        total = total + loss.detach()
    return total


def encode(contender: Contender, chunk: "Padded") -> TextGroups:
    """The groups of padded captions, with the noise of the step."""
    with autocast(chunk.ids.device):
        noise = Noise(key_of(0, contender.steps), chunk.rows)
        return contender.model.encode(
            chunk.ids, chunk.mask, noise.gumbel("groups", contender.model.most_groups, PADDED)
        )


def reconstruction(contender: Contender, chunk: "Padded", out: TextGroups) -> Tensor:
    """The chunk's share of the batch's loss, from the logits of all positions."""
    with autocast(chunk.ids.device):
        states, targets, valid = contender.model.decode(chunk.ids, chunk.mask, out)
        logits = states @ contender.model.encoder.embedding.token.weight.T  # (B, 76, V)
    tokens = sum(int(chunk.mask[:, 1:].sum()) for chunk in contender.batch.chunks)
    loss = F.cross_entropy(
        logits.float().flatten(0, 1), targets.where(valid, -100).flatten(), reduction="sum", ignore_index=-100
    )
    return loss / tokens


class Padded(NamedTuple):
    """Captions of the full length: ids and mask (B, 77), and positions in the batch (B,)."""

    ids: Tensor
    mask: Tensor
    rows: Tensor


def padded(batch: Batch, chunk: int) -> Iterator[Padded]:
    """The captions in chunks."""
    columns = [torch.cat([F.pad(x, (0, PADDED - x.shape[1])) for x in field]) for field in zip(*batch.chunks)]
    rows = torch.arange(batch.size, device=columns[0].device)
    yield from map(Padded, *(x.split(chunk) for x in (*columns, rows)))


def autocast(device: torch.device) -> torch.autocast:
    """Compute in bf16 on a GPU."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


def caption_data(sources: Sequence[str], tokenizer: str, limit: int | None = None) -> CaptionData:
    """The first captions of the sources as CLIP tokens, one an item."""
    texts = (text for source in sources for sample in read_samples(source, images=False) for text in sample.captions)
    return CaptionData.build(((text,) for text in islice(texts, limit)), CaptionTokenizer.from_pretrained(tokenizer))


if __name__ == "__main__":
    run(main)
