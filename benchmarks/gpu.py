"""Everything that waits for a GPU, in one command of less than nine minutes (`make bench-gpu`).

    python benchmarks/gpu.py [--out results/gpu.json] [--tiny]

Each row is a benchmark of this folder, or a command, in a process of its own with a limit of time; one that fails or
takes too long is named and stops no other. Captions and images are generated: nothing but the checkout is needed.
Writes one JSON object, after each row, and beside it a log of all that was printed. --tiny: sizes of seconds, to see
on a CPU that everything runs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from common import machine, parser, run
from textgroup.data.scenes.scene import render, scenes
from textgroup.text.tokenizer import CaptionTokenizer

HERE = Path(__file__).parent
ROOT = HERE.parent
BACKBONE = ROOT / "src" / "textgroup" / "packaged" / "image_encoder"
"""MobileNetV2, as the packaged model has it."""


class Row(NamedTuple):
    """name: of the row. words: the command after `python`. seconds: what it may take. result: JSON that it writes."""

    name: str
    words: list[str]
    seconds: int
    result: Path


def main() -> None:
    """Run the rows."""
    options_parser = parser(__doc__)
    options_parser.set_defaults(out=HERE / "results" / "gpu.json")
    options_parser.add_argument("--tiny", action="store_true", help="sizes of seconds")
    options = options_parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"machine": machine(), "date": time.strftime("%Y-%m-%d"), "rows": {}}
    with tempfile.TemporaryDirectory() as folder, options.out.with_suffix(".log").open("w", encoding="utf-8") as log:
        for row in rows(Path(folder), options.tiny):
            report["rows"][row.name] = outcome = run_row(row, log)
            options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
            print(f"{row.name}: {outcome['status']}, {outcome['seconds']:.0f} s", flush=True)


def rows(folder: Path, tiny: bool) -> list[Row]:
    """The rows, with generated captions and images in `folder`."""
    captions, images, tokenizer = write_data(folder, captions=600 if tiny else 20_000, images=8 if tiny else 256)
    given = ["--captions", str(captions), "--tokenizer", str(tokenizer)]

    def benchmark(name: str, seconds: int, *words: str) -> Row:
        result = folder / f"{name}.json"
        return Row(name, [str(HERE / f"{name}.py"), *words, "--out", str(result)], seconds, result)

    step = ["--batch", "8", "--chunk", "4", "--rounds", "1"] if tiny else []
    schedule = ["--batch", "16", "--steps", "2"] if tiny else ["--steps", "60"]
    features = ["--count", "4", "--rounds", "1"] if tiny else []
    reproduced = folder / "reproduced"
    reproduce = ["-m", "textgroup", "reproduce", "table3", "--fast", "--jobs", "2", "--out", str(reproduced)]
    return [
        benchmark("train_step", 100, *given, *step),
        benchmark("schedule", 120, *given, *schedule),
        benchmark("features", 60, "--images", str(images), "--backbone", str(BACKBONE), *features),
        benchmark("parity", 60, *(["--captions", "20"] if tiny else [])),
        Row("reproduce", reproduce, 180, reproduced / "results.json"),
    ]


def write_data(folder: Path, captions: int, images: int) -> tuple[Path, Path, Path]:
    """A file of captions, a folder of images, and the directory of a tokenizer."""
    drawn = list(islice(scenes(3), captions))
    file = folder / "captions.txt"
    file.write_text("".join(f"{scene.caption}\n" for scene in drawn), encoding="utf-8")
    (folder / "images").mkdir()
    for number, scene in enumerate(drawn[:images]):
        render(scene).save(folder / "images" / f"{number:04d}.jpg")
    (folder / "tokenizer").mkdir()
    CaptionTokenizer.train([scene.caption for scene in drawn], 1_024).save(folder / "tokenizer" / "tokenizer.json")
    return file, folder / "images", folder / "tokenizer"


def run_row(row: Row, log: Any) -> dict[str, Any]:
    """Run a row; its status, its time and what it wrote."""
    log.write(f"\n== {row.name}: python {' '.join(row.words)}\n")
    log.flush()
    started = time.monotonic()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    try:
        ended = subprocess.run(
            [sys.executable, *row.words], stdout=log, stderr=log, timeout=row.seconds, env=environment, check=False
        )
        status = "done" if ended.returncode == 0 else f"failed with status {ended.returncode}: see the log"
    except subprocess.TimeoutExpired:
        status = f"stopped after {row.seconds} s"
    result = json.loads(row.result.read_text(encoding="utf-8")) if status == "done" and row.result.is_file() else None
    return {"status": status, "seconds": round(time.monotonic() - started, 1), "result": result}


if __name__ == "__main__":
    run(main)
