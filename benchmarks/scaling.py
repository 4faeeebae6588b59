"""What a training step costs a caption, against batch, K, caption length, vocabulary and size of the data set.

    python benchmarks/scaling.py [--out FILE.json]

The paper's model at a base setting (BASE); one setting at a time is changed, and the cost of a caption is compared with
that of its smallest value, round by round. Data sets are synthetic files of 1e4 to 1e7 captions with an image each,
read through memory maps in a fresh process; memory is what is held beside the pages of those files.
"""

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from common import Row, Spread, alternate, figure, finish, fresh_model, held_memory, parser, run, run_fresh
from textgroup.config.command_line import SHIPPED, load_run
from textgroup.data.batches import Batch, pad
from textgroup.data.captions import CaptionData
from textgroup.training.objectives.total import compute, objectives_for
from textgroup.vision.store.manifest import Manifest, Part, Stored
from textgroup.vision.store.reading import FeatureStore

BASE = {"batch": 64, "K": 4, "length": 12, "vocabulary": 8_192}
AXES = {
    "batch": ((16, 64, 256), "flat: 1.0"),
    "K": ((1, 4, 16), "no faster than the number of vectors, length + K"),
    "length": ((8, 16, 32), "in proportion: 4.0"),
    "vocabulary": ((1_024, 8_192, 49_408), "in proportion to the width times the vocabulary"),
}
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
WIDTH = 384


def main() -> None:
    """Measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--rounds", type=int, default=3)
    options_parser.add_argument("--rows", type=int, help="only the reading of a data set of so many captions")
    options_parser.add_argument("--keys", type=int, help="only the memory of so many keys")
    options = options_parser.parse_args()
    if options.rows or options.keys:
        print(json.dumps(time_reading(options.rows) if options.rows else key_memory(options.keys)))
        return
    rows = []
    for axis, (values, goal) in AXES.items():
        rates = alternate({str(value): make_step(**{**BASE, axis: value}) for value in values}, options.rounds)
        for value in values:
            times = [1e6 / rate for rate in rates[str(value)]]
            rows.append(figure(f"{axis}_{value}", f"a caption's share of a step, {axis} {value:,}", "µs", times))
        least, most = rates[str(values[0])], rates[str(values[-1])]
        growth = [a / b for a, b in zip(least, most)]
        description = f"growth from {axis} {values[0]:,} to {values[-1]:,}"
        rows.append(figure(f"growth_{axis}", description, "times", growth, goal))
    finish(rows + size_rows(), options.out)


def make_step(batch: int, K: int, length: int, vocabulary: int):  # type: ignore[no-untyped-def]
    """A training step of the paper's model on random captions, backward included."""
    config = load_run(["--config", str(SHIPPED / "paper.yaml")])
    encoder = replace(config.model.encoder, groups=K)
    model = fresh_model(replace(config, model=replace(config.model, encoder=encoder)), vocabulary)
    objectives = objectives_for(config.loss)
    captions = torch.randint(0, vocabulary - 2, (batch, length)).tolist()
    data = Batch([pad(captions)], torch.randn(batch, WIDTH))

    def work() -> int:
        model.zero_grad()
        compute(model, data, objectives, None).total.backward()
        return batch

    return work


def size_rows() -> list[Row]:
    """Time to draw a batch, and memory, for every size of data set."""
    measured = [run_fresh(__file__, "--rows", str(size)) for size in SIZES]
    rows = []
    for size, (times, held) in zip(SIZES, measured):
        rows.append(figure(f"draw_{size}", f"drawing a caption of {size:,}", "µs", times))
        rows.append(figure(f"memory_{size}", f"memory held with {size:,} captions", "MiB", [held]))
    (first, smallest), (last, largest) = measured[0], measured[-1]
    draw = Spread.of(last).median / Spread.of(first).median
    many = f"growth from {SIZES[0]:,} to {SIZES[-1]:,} captions"
    rows.append(figure("growth_draw", f"{many}, drawing", "times", [draw], "flat: 1.0"))
    rows.append(figure("growth_memory", f"{many}, memory held", "times", [largest / smallest], "flat: 1.0"))
    held = [run_fresh(__file__, "--keys", str(size)) for size in SIZES[:3]]
    slope = (held[-1] - held[0]) / (SIZES[2] - SIZES[0]) * (1 << 20)
    return [*rows, figure("key", "memory of an image's key while captions are joined with features", "bytes", [slope])]


def time_reading(size: int, batch: int = 4096, batches: int = 8) -> tuple[list[float], float]:
    """Microseconds a caption of each batch after the first of the epoch, and MiB held at the end."""
    length = BASE["length"]
    with tempfile.TemporaryDirectory() as folder:

        def array(name: str, kind: str, shape: tuple[int, ...]) -> np.ndarray:
            return np.memmap(Path(folder) / name, kind, "w+", shape=shape)  # zeros take no disk space

        ids, pooled = array("ids", "<u2", (size * length,)), array("pooled", "<f2", (size, WIDTH))
        starts, first, rows = (array(name, "<i8", (size + 1,)) for name in ("starts", "first", "rows"))
        for a in range(0, size + 1, 1 << 20):
            numbers = np.arange(a, min(a + (1 << 20), size + 1))
            starts[numbers], first[numbers], rows[numbers] = numbers * length, numbers, numbers
        data = CaptionData(ids, starts, first, pooled, rows[:size])
        data.batch(0, batch, seed=0)  # draws the order of the epoch
        times = []
        for number in range(1, batches + 1):
            started = time.perf_counter()
            data.batch(number % data.steps_per_epoch(batch), batch, seed=0)
            times.append(1e6 * (time.perf_counter() - started) / batch)
        return times, held_memory()


def key_memory(count: int) -> float:
    """MiB held with the keys of a feature store in memory, as when captions are joined with it."""
    with tempfile.TemporaryDirectory() as folder:
        shard = Part(count, count, {name: Stored(0, "") for name in ("pooled.f16", "keys.txt")})
        np.memmap(Path(folder) / "pooled.f16", "<f2", "w+", shape=(count, 1))
        (Path(folder) / "keys.txt").write_text("".join(f'"{number:09}"\n' for number in range(count)))
        store = FeatureStore(Path(folder), Manifest("", {}, 1, 1, False, True, [shard]))
        store.index_of("000000000")
        return held_memory()


if __name__ == "__main__":
    run(main)
