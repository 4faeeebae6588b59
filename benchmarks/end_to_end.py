"""Loss against wall time: the paper's model trained on captions alone, by our step and by the paper's way to take one.

    python benchmarks/end_to_end.py [--captions SOURCE ...] [--minutes 5] [--batch 256] [--figure FILE.svg]

Both sides begin with the same weights, take the same batches with the same noise, and have a clock of their own: they
take turns, whoever is behind, until both have had their minutes. The peer pads captions to 77 tokens, makes the logits
of all positions and goes through the batch in chunks (`train_step.py`, without its images).
"""

import base64
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from common import Row, Spread, figure, finish, parser, run
from textgroup.config import SHIPPED, load_run
from textgroup.data.captions import Batch, CaptionData
from textgroup.data.samples import read_samples
from textgroup.keys import key_of
from textgroup.model.noise import Noise
from textgroup.model.textgroup import TextGroupModel
from textgroup.report.figures import curves
from textgroup.tokenizer import CaptionTokenizer
from textgroup.training.losses import compute
from textgroup.training.optim import adamw
from textgroup.training.trainer import to_device
from train_step import MERGES, fast, padded

CAPTIONS = ("coco.jsonl.gz", *(f"multi30k/{language}.train.txt.gz" for language in ("en", "de", "fr", "cs")))
WARM_UP = 20
"""Steps until the learning rate is at its height, where it stays."""
SMOOTH = 5
"""Steps that a loss is a mean over."""


def main() -> None:
    """Train both, report the losses at equal times."""
    options = parser(__doc__)
    options.add_argument(
        "--captions", nargs="+", default=[f"../shared/captions/{name}" for name in CAPTIONS], help="sources of captions"
    )
    options.add_argument("--tokenizer", default=MERGES, help="CLIP's merges, or a directory with tokenizer.json")
    options.add_argument("--minutes", type=float, default=5, help="of each side")
    options.add_argument("--batch", type=int, default=256)
    options.add_argument("--chunk", type=int, default=32, help="captions that the peer has in memory at once")
    options.add_argument("--lr", type=float, default=1e-3)
    options.add_argument("--figure", type=Path, help="losses over the minutes, as SVG")
    chosen = options.parse_args()
    place = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    texts = (
        text for source in chosen.captions for sample in read_samples(source, images=False) for text in sample.captions
    )
    data = CaptionData.build(((text,) for text in texts), CaptionTokenizer.from_pretrained(chosen.tokenizer))

    def side(gradients: "Callable[[Side, Batch], Tensor]") -> Side:
        return Side(data, gradients, chosen.batch, chosen.lr, place)

    sides = {
        "ours": side(our_step),
        "the paper's way": side(lambda side, batch: padded_step(side, batch, chosen.chunk)),
    }
    while behind := [side for side in sides.values() if side.minutes < chosen.minutes]:
        min(behind, key=lambda side: side.minutes).step()
    ours, peer = sides.values()
    marks = [chosen.minutes / 4, chosen.minutes / 2, chosen.minutes]
    rows = [at(ours, peer, minutes) for minutes in marks]
    rows.append(figure("captions", "captions seen by us, times the peer's", "times", [ours.captions / peer.captions]))
    finish(rows, chosen.out)
    if chosen.figure:
        panel = {name: (side.times, side.smooth()) for name, side in sides.items()}
        picture = curves([("reconstruction, nats a token", panel)], "minutes").partition(",")[2]
        chosen.figure.write_bytes(base64.b64decode(picture))


class Side:
    """A model, its optimiser, its clock and its losses."""

    def __init__(
        self, data: CaptionData, gradients: "Callable[[Side, Batch], Tensor]", size: int, lr: float, place: torch.device
    ) -> None:
        self.config = load_run(["--config", str(SHIPPED / "no_contrastive.yaml")])
        torch.manual_seed(0)
        self.model = TextGroupModel(**vars(self.config.model)).to(place).train()
        self.optimizer = adamw(self.model, self.config.optim)
        self.data, self.gradients, self.size, self.lr, self.place = data, gradients, size, lr, place
        self.minutes, self.captions = 0.0, 0
        self.times: list[float] = []
        self.losses: list[float] = []

    def step(self) -> None:
        """One step of the optimiser, drawing the batch included."""
        started, number = time.perf_counter(), len(self.losses)
        batch = to_device(self.data.batch(number, self.size, 0), self.place)
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * min(1, (number + 1) / WARM_UP)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.gradients(self, batch).item()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optim.clip)
        self.optimizer.step()
        self.minutes += (time.perf_counter() - started) / 60
        self.captions += batch.size
        self.times.append(self.minutes)
        self.losses.append(loss)

    def smooth(self) -> list[float]:
        """Each loss as the mean of the newest ones."""
        return [sum(self.losses[max(0, i - SMOOTH + 1) : i + 1]) / min(SMOOTH, i + 1) for i in range(len(self.losses))]

    def loss(self, minutes: float) -> float:
        """The newest loss at that time; at least the first."""
        done = sum(time <= minutes for time in self.times)
        return self.smooth()[max(0, done - 1)]


def our_step(side: Side, batch: Batch) -> Tensor:
    """Gradients as `textgroup train` takes them; the loss."""
    loss = compute(side.model, batch, side.config.loss, key_of(0, len(side.losses))).total
    loss.backward()
    return loss


def padded_step(side: Side, batch: Batch, chunk: int) -> Tensor:
    """Gradients of captions padded to the full length, with dense logits, chunk by chunk; the loss."""
    model, parts = side.model, list(padded(batch, chunk))
    tokens = sum(int(mask[:, 1:].sum()) for _, mask, _ in parts)
    total = torch.zeros((), device=side.place)
    for ids, mask, rows in parts:
        noise = Noise(key_of(0, len(side.losses)), rows)
        with fast(ids.device):
            out = model.encode(ids, mask, noise.gumbel("groups", model.groups, ids.shape[1]))
            states, targets, valid = model.decode(ids, mask, out)
            logits = states @ model.encoder.embedding.token.weight.T  # (B, 76, V)
        told = F.cross_entropy(
            logits.float().flatten(0, 1), targets.where(valid, -100).flatten(), reduction="sum", ignore_index=-100
        )
        (told / tokens).backward()
        total += told.detach() / tokens
    return total


def at(ours: Side, peer: Side, minutes: float) -> Row:
    """The losses of both after so many minutes."""
    a, b = ours.loss(minutes), peer.loss(minutes)
    one, other, ratio = (Spread(value, value, value) for value in (a, b, a / b))
    return Row(
        f"loss_{minutes:g}", f"reconstruction after {minutes:g} minutes", "nats", one, other, ratio, "below 1 times"
    )


if __name__ == "__main__":
    run(main)
