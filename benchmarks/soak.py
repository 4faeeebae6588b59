"""Long runs: memory and rate late in a run over those early in it, both of which should be 1.

    python benchmarks/soak.py [--captions 2000000] [--rows 1000000] [--out FILE.json]

Three commands, each in a process of its own with one thread: `textgroup segment --file` over captions of generated
scenes, no two of one scene; a feature store that is written from as many pictures of 16 pixels; and its rows, read in
random order by their keys and compared with what was written. Each prints a line for so many items; this process looks
at it after every hundredth of the way. Early is 10 to 30 % of the way, late is 80 to 99 %. Memory is what the process
holds without the pages of mapped files; the rate is in items a second on a processor, so that other work on the machine
hardly changes it.
"""

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from common import Row, figure, finish, held_memory, parser, run
from textgroup.data.scenes.scene import scenes
from textgroup.data.sources.sample import Sample
from textgroup.vision.encoders.objects import Objects
from textgroup.vision.preprocess import Transform
from textgroup.vision.store.reading import FeatureStore
from textgroup.vision.store.writing import encode_features

BATCH = 256
"""Images between two lines of what writes or reads a store."""
SIDE = 4
"""Pixels of a picture, each way."""
LOOKS = 100
"""How often a process is looked at on its way."""
EARLY, LATE = (10, 30), (79, 99)
"""The looks that are compared; after the hundredth the process may be gone."""
GOAL = "0.95 to 1.05"


class Look(NamedTuple):
    """What a process has done so far. held: MiB. seconds: of a processor."""

    items: int
    held: float
    seconds: float


class Pixels:
    """An `ObjectEncoder` that gives back the pixels of a picture, in which its number is written."""

    name, width, objects = "pixels", 3 * SIDE * SIDE, 1
    transform, sizes = Transform(SIDE, SIDE, (0, 0, 0), (1, 1, 1)), (SIDE,)

    def identity(self) -> dict[str, Any]:
        """What a store remembers of it."""
        return {"encoder": self.name}

    def encode(self, pixels: Tensor, vectors: bool = False, masks: bool = False) -> Objects:
        """pixels (B, 3, SIDE, SIDE) -> pooled (B, 3 * SIDE * SIDE)."""
        return Objects(None, pixels.flatten(1), None)


def main() -> None:
    """Measure and report."""
    options_parser = parser(__doc__)
    options_parser.add_argument("--captions", type=int, default=2_000_000)
    options_parser.add_argument("--rows", type=int, default=1_000_000)
    options_parser.add_argument("--write", type=Path, help="only the writing of a store of so many rows there")
    options_parser.add_argument("--read", type=Path, help="only the reading of the store there")
    options = options_parser.parse_args()
    if options.write:
        write_store(options.write, options.rows)
    elif options.read:
        read_store(options.read)
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = segmenting(Path(folder), options.captions) + storing(Path(folder), options.rows)
        finish(rows, options.out)


def segmenting(folder: Path, count: int) -> list[Row]:
    """The command over a file of captions; 0: none."""
    if not count:
        return []
    path = folder / "captions.txt"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(scene.caption + "\n" for scene in islice(scenes(0), count))
    return compare("segment", "captions", watch(["-m", "textgroup", "segment", "--file", str(path)], 1, count), count)


def storing(folder: Path, count: int) -> list[Row]:
    """A store of so many rows, written and then read; 0: none."""
    if not count:
        return []
    store = str(folder / "store")
    written = watch([__file__, "--write", store, "--rows", str(count)], BATCH, count)
    read = watch([__file__, "--read", store], BATCH, count)
    return compare("write", "rows", written, count) + compare("read", "rows", read, count)


def watch(words: Sequence[str], items: int, total: int) -> list[Look]:
    """Run `python WORDS`, which prints a line for so many items, and look at it after every hundredth of the way."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    looks, lines, step = [], 0, total // items // LOOKS
    with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        for _ in process.stdout:
            lines += 1
            if lines % step == 0 and len(looks) < LATE[1]:
                looks.append(Look(lines * items, held_memory(process.pid), processor_seconds(process.pid)))
    if process.returncode or lines < total // items:
        raise SystemExit(f"{' '.join(words)}: status {process.returncode} after {lines * items:,} of {total:,}")
    return looks


def processor_seconds(process: int) -> float:
    """Seconds that a process has had of processors."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(name: str, what: str, looks: Sequence[Look], total: int) -> list[Row]:
    """Memory and rate of the late looks, and over those of the early ones."""
    early, late = (looks[first:last] for first, last in (EARLY, LATE))
    rows = []
    for kind, unit, measure in (("memory", "MiB", held), ("rate", f"{what}/s", rate)):
        before, after = measure(early), measure(late)
        described = f"{name} {total:,} {what}: {kind}"
        rows.append(figure(f"{name}_{kind}", f"{described} late", unit, [after]))
        rows.append(figure(f"{name}_{kind}_growth", f"{described}, late over early", "times", [after / before], GOAL))
    return rows


def held(looks: Sequence[Look]) -> float:
    """Median memory, MiB."""
    return median(look.held for look in looks)


def rate(looks: Sequence[Look]) -> float:
    """Items a second of a processor, from the first look to the last."""
    return (looks[-1].items - looks[0].items) / (looks[-1].seconds - looks[0].seconds)


def write_store(where: Path, rows: int) -> None:
    """Write a store of pictures that are made as they are asked for; a line for every batch."""
    encode_features(
        pictures(rows), Pixels(), where, source="pictures", batch_size=BATCH, progress=lambda *_: print(flush=True)
    )


def pictures(count: int) -> Iterator[Sample]:
    """Pictures in which their number is written, as BMP."""
    shape = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 24, 0, 3 * SIDE * SIDE, 0, 0, 0, 0)
    head = struct.pack("<2sIHHI", b"BM", 54 + 3 * SIDE * SIDE, 0, 0, 54) + shape
    for number in range(count):
        yield Sample(f"{number:09}", (), head + number.to_bytes(3 * SIDE * SIDE, "little"))


def read_store(where: Path) -> None:
    """Read every row of a store by its key, in random order, and check it; a line for every batch."""
    store = FeatureStore.open(where)
    store.verify()
    order = np.random.default_rng(0).permutation(len(store))
    places = np.array([pixel_place(n) for n in range(3)])
    for first in range(0, len(order), BATCH):
        numbers = order[first : first + BATCH]
        rows = [store.index_of(f"{number:09}") for number in numbers]
        values = np.rint(store.pooled[rows][:, places].astype(np.float32) * 255).astype(np.int64)  # (BATCH, 3)
        if not np.array_equal(values @ [1, 1 << 8, 1 << 16], numbers):
            raise SystemExit(f"rows {first} to {first + BATCH}: not what was written")
        print(flush=True)


def pixel_place(byte: int) -> int:
    """Where the n-th byte of a BMP's pixels is in (3, SIDE, SIDE): they begin below on the left, blue, green, red."""
    return (2 - byte % 3) * SIDE * SIDE + (SIDE - 1) * SIDE + byte // 3


if __name__ == "__main__":
    run(main)
