"""What `textgroup reproduce` does: show the plan, do the jobs, write up."""

import os
import platform
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.text import Text

from textgroup.experiments.reproduce.claims import sentences
from textgroup.experiments.reproduce.flickr8k import Flickr8k
from textgroup.experiments.reproduce.jobs import Job, plan
from textgroup.experiments.reproduce.paper import Paper
from textgroup.experiments.reproduce.results import Results
from textgroup.experiments.reproduce.scale import Scale
from textgroup.experiments.reproduce.scenes import FAST, Scenes, Sizes
from textgroup.experiments.reproduce.schedule import run_all
from textgroup.experiments.reproduce.tables import rows_for
from textgroup.experiments.reproduce.write_up import Made, write_up

ENCODER_WEIGHTS = "backbone:google/mobilenet_v2_1.0_224"
"""The frozen encoder of the scale flickr8k."""
MINUTES = "minutes.txt"
"""How long the jobs took in all, over the starts of the command."""


def run_reproduce(
    names: Sequence[str],
    scale_name: str,
    *,
    seeds: Sequence[int],
    out: Path,
    fast: bool = False,
    dry_run: bool = False,
    processes: int | None = None,
    captions: Sequence[str] = (),
    data: Path = Path("data"),
    encoder: str = ENCODER_WEIGHTS,
    command: str = "textgroup reproduce",
) -> None:
    """See `textgroup reproduce --help`."""
    console = Console(highlight=False, soft_wrap=True)
    scale = open_scale(scale_name, fast, data, out, encoder)
    processes = processes or torch.get_num_threads()
    jobs = plan(scale, rows_for(names), seeds, out)
    show_plan(console, scale, jobs, processes)
    if dry_run:
        return
    started, before = time.monotonic(), _minutes(out)
    left = [job for job in jobs if not job.done]

    def report(job: Job, why: str | None) -> None:
        minutes = (time.monotonic() - started) / 60
        done = sum(one.done for one in left)
        state = "done" if why is None else f"failed: {why} (see {job.folder / 'log.txt'})"
        console.print(Text(f"{minutes:6.1f} min  {done} of {len(left)}  {job.name}, seed {job.seed}: {state}"))
        _write_minutes(out, before + minutes)

    failed: dict[tuple[str, int], str] = {}
    interrupted = False
    try:
        failed = run_all(scale, jobs, processes, report)
    except KeyboardInterrupt:  # what is done is written up
        interrupted = True
    results = Results(jobs, failed)
    made = Made(command, _commit(), _machine(), _minutes(out), tuple(seeds))
    verdicts = write_up(scale, names, jobs, results, made, captions or scale.captions, out)
    console.print()
    for sentence in sentences(verdicts):
        console.print(Text(sentence))
    console.print(f"\n{out / 'results.html'} has the tables and figures; results.md and results.json have the same")
    if interrupted:
        console.print("interrupted: they have what was done; the same command goes on")
        raise KeyboardInterrupt


def open_scale(name: str, fast: bool, data: Path, home: Path, encoder: str) -> Scale:
    """The scale of this name. Raises `InputError` where its data is not there."""
    if name == "flickr8k":
        return Flickr8k(data, home, encoder, fast)
    if name == "paper":
        return Paper(home)
    return Scenes(FAST if fast else Sizes())


def show_plan(console: Console, scale: Scale, jobs: Sequence[Job], processes: int) -> None:
    """What will be done, and about how long it takes."""
    left = [job for job in jobs if not job.done]
    seconds = sum(scale.seconds(job.name) for job in left) / processes
    names = ", ".join(dict.fromkeys(job.name for job in left))
    console.print(f"{len(jobs)} runs at the scale {scale.name}, {len(jobs) - len(left)} of them done before")
    if left:
        cores = f"{processes} core{'s' if processes > 1 else ''}"
        console.print(f"about {seconds / 60:.0f} minutes on {cores}: {names}")


def _minutes(out: Path) -> float:
    try:
        return float((out / MINUTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0.0


def _write_minutes(out: Path, minutes: float) -> None:
    (out / MINUTES).write_text(f"{minutes:.1f}\n", encoding="utf-8")


def _commit() -> str:
    """Of the checkout that this code is in; "unknown" for an installed package."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here), "describe", "--always", "--dirty"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _machine() -> str:
    return f"{os.cpu_count()} CPU cores ({platform.machine()})"
