"""The paper's whole schedule, 25 epochs of 2.9 million pairs at batch 4,096, projected from measured steps.

    python benchmarks/schedule.py [--captions FILE] [--tokenizer FILE] [--steps 200] [--batch 4096]

Steps are those of `textgroup train` on cached features: batches drawn from a data set of that size (the captions
repeated, random features), both losses, AdamW. Beside the time: peak memory, and how near it comes to what the
machine can do: the products of a step at the machine's own measured rate of matrix products, and where the rest is.
Needs a GPU, unless --batch and --steps are made small to check that it works.
"""

import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from common import Row, figure, finish, fresh_model, parser, peak_memory, run
from textgroup.config.command_line import SHIPPED, load_run
from textgroup.data.captions import CaptionData
from textgroup.keys import key_of
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.training.optim import adamw
from textgroup.training.placement import to_device
from train_step import CAPTIONS, MERGES, caption_data

PAIRS, EPOCHS = 2_900_000, 25


def main() -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("--captions", default=CAPTIONS, help="any source of captions")
    options_parser.add_argument("--tokenizer", default=MERGES, help="CLIP's merges, or a directory with tokenizer.json")
    options_parser.add_argument("--batch", type=int, default=4096)
    options_parser.add_argument("--steps", type=int, default=200)
    options = options_parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu" and options.batch * options.steps > 10_000:
        finish([Row("schedule", "the paper's schedule", "minutes", not_run="no GPU on this machine")], options.out)
        return

    config = load_run(["--config", str(SHIPPED / "paper.yaml")])
    data = repeated(caption_data([options.captions], options.tokenizer, limit=100_000), PAIRS)
    model = fresh_model(config).to(device).train()
    optimizer, objectives = adamw(model, config.optim), objectives_for(config.loss)
    seconds: dict[str, list[float]] = {"data": [], "losses": [], "gradients": [], "optimiser": []}

    def step(number: int) -> None:
        marks = [now(device)]
        batch = to_device(data.batch(number, options.batch, 0), device)
        marks.append(now(device))
        optimizer.zero_grad(set_to_none=True)
        loss = compute(model, batch, objectives, key_of(0, number)).total
        marks.append(now(device))
        loss.backward()
        marks.append(now(device))
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.optim.clip)
        optimizer.step()
        marks.append(now(device))
        for durations, a, b in zip(seconds.values(), marks, marks[1:]):
            durations.append(b - a)

    with FlopCounterMode(display=False) as counter:
        step(0)
    for durations in seconds.values():
        durations.clear()
    for number in range(1, options.steps + 1):
        step(number)
    step_seconds = [sum(durations) for durations in zip(*seconds.values())]
    steps = PAIRS // options.batch * EPOCHS
    memory = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else peak_memory()
    rate = product_rate(device)
    least = counter.get_total_flops() / rate
    rows = [
        figure(
            "schedule", f"{EPOCHS} epochs of {PAIRS:,} pairs", "minutes", [s * steps / 60 for s in step_seconds], "10"
        ),
        figure("memory", "peak memory", "MiB", [memory], "16,384"),
        figure("flop", "products of a step", "TFLOP", [counter.get_total_flops() / 1e12]),
        figure("rate", "measured rate of products", "TFLOP/s", [rate / 1e12]),
        figure("reached", "share of that rate", "%", [100 * least / s for s in step_seconds]),
        *(
            figure(f"share_{n}", f"{n}, share of a step", "%", share(durations, step_seconds))
            for n, durations in seconds.items()
        ),
    ]
    finish(rows, options.out)


def share(durations: list[float], step_seconds: list[float]) -> list[float]:
    """These durations, in per cent of each step."""
    return [100 * a / b for a, b in zip(durations, step_seconds)]


def repeated(data: CaptionData, items: int) -> CaptionData:
    """A data set of `items` items: the captions repeated, each with a random feature vector."""
    times = -(-items // len(data))
    starts = np.concatenate([[0], np.cumsum(np.tile(np.diff(data.starts), times)[:items])])
    pooled = np.random.default_rng(0).standard_normal((10_000, 384)).astype(np.float16)
    ids = np.tile(data.ids, times)[: starts[-1]]
    return CaptionData(ids, starts, np.arange(items + 1), pooled, np.arange(items) % len(pooled))


def product_rate(device: torch.device) -> float:
    """FLOP a second of large matrix products: bf16 on a GPU, fp32 on a CPU."""
    n, kind = (8192, torch.bfloat16) if device.type == "cuda" else (1024, torch.float32)
    a = torch.randn(n, n, device=device, dtype=kind)
    best = float("inf")
    for _ in range(10):
        started = now(device)
        a @ a
        best = min(best, now(device) - started)
    return 2 * n**3 / best


def now(device: torch.device) -> float:
    """Seconds, after the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    run(main)
