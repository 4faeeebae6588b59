"""Loss against wall time: the paper's model trained on captions alone, by our step and by the paper's.

    python benchmarks/end_to_end.py [--captions SOURCE ...] [--minutes 5] [--batch 256] [--figure FILE.svg]

Both sides begin with the same weights, take the same batches with the same noise, and have a clock of their own: they
take turns, whoever is behind, until both have had their minutes. The peer pads captions to 77 tokens, makes the logits
of all positions and goes through the batch in chunks (`train_step.py`, without its images).
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from common import Row, compared, figure, finish, parser, run
from textgroup.data.batches import Batch
from textgroup.data.captions import CaptionData
from textgroup.keys import key_of
from textgroup.report.figures import curves, save
from textgroup.training.objectives.total import compute
from textgroup.training.placement import to_device
from train_step import MERGES, Contender, caption_data, encode, padded, reconstruction

CAPTIONS = ("coco.jsonl.gz", *(f"multi30k/{language}.train.txt.gz" for language in ("en", "de", "fr", "cs")))
WARM_UP = 20
"""Steps until the learning rate is at its maximum, where it stays."""
SMOOTH = 5
"""Steps in the mean of a loss."""


def main() -> None:
    """Train both, report the losses at equal times."""
    options_parser = parser(__doc__)
    options_parser.add_argument(
        "--captions", nargs="+", default=[f"../shared/captions/{name}" for name in CAPTIONS], help="sources of captions"
    )
    options_parser.add_argument("--tokenizer", default=MERGES, help="CLIP's merges, or a directory with tokenizer.json")
    options_parser.add_argument("--minutes", type=float, default=5, help="of each side")
    options_parser.add_argument("--batch", type=int, default=256)
    options_parser.add_argument("--chunk", type=int, default=32, help="captions that the peer has in memory at once")
    options_parser.add_argument("--lr", type=float, default=1e-3)
    options_parser.add_argument("--figure", type=Path, help="losses over the minutes, as SVG")
    options = options_parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data = caption_data(options.captions, options.tokenizer)

    def new_side(gradients: Callable[[Contender], Tensor]) -> Side:
        return Side(data, gradients, options.batch, options.lr, device)

    sides = {
        "ours": new_side(our_step),
        "the paper's way": new_side(lambda contender: padded_step(contender, options.chunk)),
    }
    while behind := [side for side in sides.values() if side.minutes < options.minutes]:
        min(behind, key=lambda side: side.minutes).step()
    ours, peer = sides.values()
    marks = [options.minutes / 4, options.minutes / 2, options.minutes]
    rows = [loss_row(ours, peer, minutes) for minutes in marks]
    rows.append(figure("captions", "captions seen by us, times the peer's", "times", [ours.captions / peer.captions]))
    finish(rows, options.out)
    if options.figure:
        panel = {name: (side.times, side.smooth()) for name, side in sides.items()}
        save(curves([("reconstruction, nats a token", panel)], "minutes"), options.figure)


class Side:
    """A contender, its clock and its losses."""

    def __init__(
        self, data: CaptionData, gradients: Callable[[Contender], Tensor], size: int, lr: float, device: torch.device
    ) -> None:
        self.data, self.size, self.lr, self.device = data, size, lr, device
        self.contender = Contender(self._batch(0), gradients, "no_contrastive")
        self.minutes, self.captions = 0.0, 0
        self.times: list[float] = []
        self.losses: list[float] = []

    def _batch(self, number: int) -> Batch:
        return to_device(self.data.batch(number, self.size, 0), self.device)

    def step(self) -> None:
        """One step of the optimiser, drawing the batch included."""
        started, number = time.perf_counter(), self.contender.steps
        self.contender.batch = self._batch(number)
        for group in self.contender.optimizer.param_groups:
            group["lr"] = self.lr * min(1, (number + 1) / WARM_UP)
        self.losses.append(self.contender.step())
        self.minutes += (time.perf_counter() - started) / 60
        self.captions += self.contender.batch.size
        self.times.append(self.minutes)

    def smooth(self) -> list[float]:
        """Each loss as the mean of the newest ones."""
        return [sum(self.losses[max(0, i - SMOOTH + 1) : i + 1]) / min(SMOOTH, i + 1) for i in range(len(self.losses))]

    def loss(self, minutes: float) -> float:
        """The newest loss at that time; at least the first."""
        done = sum(time <= minutes for time in self.times)
        return self.smooth()[max(0, done - 1)]


def our_step(contender: Contender) -> Tensor:
    """The loss as `textgroup train` takes it."""
    return compute(contender.model, contender.batch, contender.objectives, key_of(0, contender.steps)).total


def padded_step(contender: Contender, chunk: int) -> Tensor:
    """Gradients of captions padded to the full length, with dense logits, chunk by chunk; the loss."""
    total = torch.zeros((), device=contender.batch.chunks[0].ids.device)
    for chunk_rows in padded(contender.batch, chunk):
        loss = reconstruction(contender, chunk_rows, encode(contender, chunk_rows))
        loss.backward()
        total += loss.detach()
    return total


def loss_row(ours: Side, peer: Side, minutes: float) -> Row:
    """The losses of both after so many minutes."""
    description = f"reconstruction after {minutes:g} minutes"
    return compared(
        f"loss_{minutes:g}", description, "nats", [ours.loss(minutes)], [peer.loss(minutes)], "below 1 times"
    )


if __name__ == "__main__":
    run(main)
