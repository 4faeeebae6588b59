"""Captions cut and grounded with onnxruntime against PyTorch: seconds until the first is done, and which units differ.

python benchmarks/light.py [--onnx DIR] [--rounds 7] [--out FILE]

Each contender is a new process; they take turns. DIR: what `textgroup export --onnx DIR` wrote; with it the units of
`segmenter_int8.onnx` are counted too.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

import textgroup
from common import Row, compared, figure, finish, parser, run
from textgroup.data.scenes.scene import scenes
from textgroup.experiments.demo_packaged import photograph

MIXED = Path(__file__).parent / "mixed" / "Sentences"
CAPTION = "A man in a blue hat holding a flag"
PHOTOGRAPH = str(photograph())
CONTENDERS = {
    "command": ["-m", "textgroup", "segment", CAPTION],
    "onnxruntime": ["-c", f"import textgroup; textgroup.load_segmenter().segment({CAPTION!r})"],
    "PyTorch": ["-c", f"import textgroup; textgroup.load().segment({CAPTION!r})"],
    "ground, onnxruntime": ["-c", f"import textgroup; textgroup.load_grounder().ground({PHOTOGRAPH!r}, {CAPTION!r})"],
    "ground, PyTorch": ["-c", f"import textgroup; textgroup.load().ground({PHOTOGRAPH!r}, {CAPTION!r})"],
}


def main() -> None:
    """Time, compare, write."""
    options = parser(__doc__)
    options.add_argument("--onnx", type=Path)
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    rounds = [{name: clock(words) for name, words in CONTENDERS.items()} for _ in range(given.rounds + 1)]
    # the first round fills the disk's cache and writes bytecode
    seconds, busy = ({name: [of_round[name][i] for of_round in rounds[1:]] for name in CONTENDERS} for i in (0, 1))
    rows = [
        compared("start", "a new process cuts a caption, onnxruntime", "s", seconds["onnxruntime"], seconds["PyTorch"]),
        compared("busy", "of these, on a processor", "s", busy["onnxruntime"], busy["PyTorch"]),
        compared(
            "ground",
            "a new process grounds a caption in a photograph, onnxruntime",
            "s",
            seconds["ground, onnxruntime"],
            seconds["ground, PyTorch"],
        ),
        compared("ground_busy", "of these, on a processor", "s", busy["ground, onnxruntime"], busy["ground, PyTorch"]),
        figure("command", "textgroup segment CAPTION", "s", seconds["command"], "below 1 s"),
        figure("command_busy", "of these, on a processor", "s", busy["command"]),
        *differences("segmenter.onnx", textgroup.load_segmenter()),
    ]
    if given.onnx:
        with TemporaryDirectory() as directory:
            shutil.copy(given.onnx / "tokenizer.json", directory)
            shutil.copy(given.onnx / "segmenter_int8.onnx", Path(directory, "segmenter.onnx"))
            rows += differences("segmenter_int8.onnx", textgroup.load_segmenter(directory))
    finish(rows, given.out)


def clock(words: list[str]) -> tuple[float, float]:
    """Seconds until a new Python has done it, and those of them on a processor, which other work hardly changes."""
    started, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, getrusage(RUSAGE_CHILDREN)
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def differences(name: str, model: textgroup.TextSegmenter) -> list[Row]:
    """How many of PyTorch's units it does not give, and of how many it gives the other mark."""
    expected = textgroup.load()
    rows = []
    for kind, captions in {"scenes": generated(), "mixed": mixed()}.items():
        pairs = list(zip(expected.segment(captions), model.segment(captions)))
        total = sum(len(units) for units, _ in pairs)
        of = f"{name} of PyTorch's {total:,} units of {len(captions)} captions ({kind})"
        cut = count(pairs, lambda unit: (unit.start, unit.end))
        either = count(pairs, lambda unit: (unit.start, unit.end, unit.groundable))
        rows.append(figure(f"{name}_{kind}_cut", f"not found by {of}", "units", [cut]))
        rows.append(figure(f"{name}_{kind}_mark", f"found with the other mark by {of}", "units", [either - cut]))
    return rows


def count(pairs: list[tuple[textgroup.Units, textgroup.Units]], key: Callable[[textgroup.Unit], tuple]) -> int:
    """Units of the first of each pair that the second lacks."""
    return sum(len({key(unit) for unit in one} - {key(unit) for unit in other}) for one, other in pairs)


def generated() -> list[str]:
    """Captions of generated scenes."""
    return [scene.caption for scene in islice(scenes(0), 1000)]


def mixed() -> list[str]:
    """The captions of benchmarks/mixed, without their brackets."""
    texts = [file.read_text(encoding="utf-8").strip() for file in sorted(MIXED.glob("*.txt"))]
    return [re.sub(r"\[/EN#\S+ ([^\]]*)\]", r"\1", text) for text in texts]


if __name__ == "__main__":
    run(main)
