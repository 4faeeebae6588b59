"""What the benchmarks share: contenders timed in turn, medians with their spread, the machine, one JSON file.

A benchmark makes `Row`s and hands them to `finish`, which prints them and writes `--out`: one object with the command,
the machine, the rows, and for each row with a peer a key `ratio_NAME`, the median of ours over the peer's.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgroup.errors import InputError

if TYPE_CHECKING:
    from textgroup.config.run import RunConfig
    from textgroup.model.textgroup import TextGroupModel

CLIP_VOCABULARY, GROUPVIT_WIDTH = 49_408, 384
"""The paper's model, beyond its configuration: ids of CLIP's tokenizer, width of GroupViT's objects."""


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of some measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{format_number(self.median)} ({format_number(self.low)} to {format_number(self.high)})"


@dataclass(frozen=True)
class Row:
    """One claim. name: short, for keys (`ratio_nltk`). what: a description. unit: of ours and the peer's.

    goal: a description, or empty. not_run: why there are no figures.
    """

    name: str
    what: str
    unit: str
    ours: Spread | None = None
    peer: Spread | None = None
    ratio: Spread | None = None
    goal: str = ""
    not_run: str = ""


def compared(name: str, what: str, unit: str, ours: Sequence[float], peer: Sequence[float], goal: str = "") -> Row:
    """A row with a peer. The ratio is taken round by round, so that a slow machine does not change it."""
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    return Row(name, what, unit, Spread.of(ours), Spread.of(peer), Spread.of(ratios), goal)


def figure(name: str, what: str, unit: str, values: Sequence[float], goal: str = "") -> Row:
    """A row without a peer."""
    return Row(name, what, unit, Spread.of(values), goal=goal)


def alternate(contenders: Mapping[str, Callable[[], int]], rounds: int) -> dict[str, list[float]]:
    """Run the contenders in turn, `rounds` times after a first that is not counted: their rates, round by round.

    A contender does its work and returns the number of items done; its rate is items per second.
    """
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, work in contenders.items():
            started = time.perf_counter()
            done = work()
            _synchronise()
            seconds = time.perf_counter() - started
            if number:
                rates[name].append(done / seconds)
    return rates


def _synchronise() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()


def peak_memory() -> float:
    """Largest resident memory of this process so far, in MiB."""
    return _process_memory("self", "VmHWM")


def held_memory(process: int | str = "self") -> float:
    """Memory that a process holds now, in MiB, without the pages of mapped files."""
    return _process_memory(process, "RssAnon")


def _process_memory(process: int | str, name: str) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the memory of a process is read from /proc, which is Linux's")


def run_fresh(script: str, *words: str) -> Any:
    """What `python SCRIPT WORDS` prints last, read as JSON: for peaks, which never fall within a process."""
    finished = subprocess.run([sys.executable, script, *words], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(finished.stdout.splitlines()[-1])


def machine() -> dict[str, str | float]:
    """The machine and the versions of the libraries."""
    import torch

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "memory": f"{gib:.0f} GiB",
        "load": round(os.getloadavg()[0], 1),  # includes other work: a busy machine gives low figures
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: version(name) for name in ("tokenizers", "transformers", "numpy")},
    }


def fresh_model(config: "RunConfig", vocabulary: int = CLIP_VOCABULARY) -> "TextGroupModel":
    """The model of a configuration with fresh weights, and heads for GroupViT's features if it has an image encoder."""
    import torch

    from textgroup.model.textgroup import TextGroupModel

    torch.manual_seed(0)
    width = GROUPVIT_WIDTH if config.image_encoder else None
    return TextGroupModel(**vars(config.model), vocabulary=vocabulary, image_width=width)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with `--out`, whose help is the docstring of the script."""
    options = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, help="write the rows there, as one JSON object")
    return options


def run(main: Callable[[], None]) -> None:
    """Run a script. Bad input is one line and exit status 2, as in `textgroup`."""
    try:
        main()
    except InputError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)


def finish(rows: Sequence[Row], out: Path | None) -> None:
    """Print the rows; write them to `out` if it is given."""
    for row in rows:
        print(f"{row.what}: {describe(row)}")
    if out is not None:
        script = Path(sys.argv[0])
        ratios = {f"ratio_{row.name}": row.ratio.median for row in rows if row.ratio}
        report = {
            "benchmark": script.stem,
            "command": f"python benchmarks/{script.name} {' '.join(sys.argv[1:])}".strip(),
            "date": time.strftime("%Y-%m-%d"),
            "machine": machine(),
            **ratios,
            "rows": [asdict(row) for row in rows],
        }
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def describe(row: Row) -> str:
    """The figures of a row, for the terminal."""
    if row.not_run:
        return f"not run: {row.not_run}"
    words = f"{row.ours} {row.unit}"
    if row.ratio:
        words += f", the peer {row.peer}: {row.ratio} times"
    return words + (f"  [goal: {row.goal}]" if row.goal else "")


def format_number(value: float) -> str:
    """Three significant digits, or all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
