"""One run of the plan: its key, its directory, and the process that trains and measures it.

A run is known by what decides its result: configuration, code, and the facts of its scale. Its directory has the key in
its name, so that a run of anything else is another directory, and one that is finished is never repeated.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

import textgroup
from textgroup.config.command_line import to_dict
from textgroup.evaluation.segmenters.open import open_segmenter
from textgroup.experiments.outcome import of_length
from textgroup.experiments.reproduce.measured import Measured
from textgroup.experiments.reproduce.scale import Scale, configuration, units_of
from textgroup.experiments.reproduce.systems import BASELINE, CLUSTERINGS, ENCODER, TRIVIAL, System
from textgroup.files import atomic_write
from textgroup.inference.textgroup import TextGroup
from textgroup.training.loop import train
from textgroup.training.runs.checkpoint import newest_checkpoint
from textgroup.training.runs.progress import Progress

ROOMS = ("config", "data", "evaluation", "experiments/reproduce", "inference", "model", "text", "training", "vision")
"""Code that decides a result."""
SHOWS = {"claims.py", "command.py", "drawings.py", "results.py", "schedule.py", "tables.py", "write_up.py"}
"""Modules beside this one that plan runs or show what they measured: to change one repeats no run."""
CURVE = {"recipe", "fixed"}
"""Rows whose units are measured during training too."""
POINTS = 10
DONE = "done.json"


@dataclass(frozen=True)
class Job:
    """A process of its own. name: the row that it trains, or `UNTRAINED_ROWS`. rows: those that it measures."""

    name: str
    seed: int
    rows: tuple[str, ...]
    folder: Path

    @property
    def needs_encoder(self) -> bool:
        """Whether the object encoder has to be there first."""
        return self.name not in (ENCODER, UNTRAINED_ROWS) and System.parse(self.name).needs_encoder

    @property
    def done(self) -> bool:
        """Whether it is finished."""
        return (self.folder / DONE).is_file()

    def measured(self, row: str) -> Measured:
        """What it measured of a row."""
        return Measured.load(self.folder / "measured" / file_name(row))


UNTRAINED_ROWS = "untrained"


def file_name(row: str) -> str:
    """A row's name in a path."""
    return row.replace("/", "-").replace(":", "-").replace("@", "-")


def plan(scale: Scale, rows: Sequence[str], seeds: Sequence[int], home: Path) -> list[Job]:
    """The jobs of these rows; the object encoder's first, which has one seed, as the paper's has."""
    trained = [row for row in rows if row not in (*TRIVIAL, *CLUSTERINGS, ENCODER) and scale.lacks(row) is None]
    if BASELINE not in trained and set(rows) & set(CLUSTERINGS):
        trained.insert(0, BASELINE)
    trivial = tuple(row for row in rows if row in TRIVIAL)
    encoded = ENCODER in rows or any(System.parse(row).needs_encoder for row in trained)
    jobs = [_job(scale, ENCODER, 0, (ENCODER,), home)] if ENCODER in scale.bases and encoded else []
    for seed in seeds:
        for row in trained:
            clustered = tuple(one for one in rows if one in CLUSTERINGS) if row == BASELINE else ()
            jobs.append(_job(scale, row, seed, (row, *clustered), home))
        if trivial:
            jobs.append(_job(scale, UNTRAINED_ROWS, seed, trivial, home))
    return jobs


def _job(scale: Scale, name: str, seed: int, rows: tuple[str, ...], home: Path) -> Job:
    decides: dict[str, Any] = {"rows": rows, "seed": seed, "facts": scale.facts, "code": code_digest()}
    decides["steps"] = scale.steps(name)
    if name != UNTRAINED_ROWS:
        decides["config"] = to_dict(configuration(scale, name, seed, Path("run")))
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return Job(name, seed, rows, home / scale.name / f"{file_name(name)}-{seed}-{digest[:8]}")


@cache
def code_digest() -> str:
    """Of all modules and configurations that decide a result."""
    root = Path(textgroup.__file__).parent
    files = sorted(path for room in ROOMS for path in (root / room).rglob("*") if path.suffix in (".py", ".yaml"))
    shows = {Path(__file__).with_name(name) for name in SHOWS}
    digest = hashlib.sha256()
    for path in (path for path in files if path not in shows):
        digest.update(f"{path.relative_to(root).as_posix()} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _write_point(folder: Path, point: dict[str, float]) -> None:
    """A line of curve.jsonl. A run that was killed writes some steps twice, alike."""
    with (folder / "curve.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(point) + "\n")


def curve(folder: Path) -> list[dict[str, float]]:
    """The lines of curve.jsonl, each step once."""
    path = folder / "curve.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    points = {point["step"]: point for point in map(json.loads, lines)}
    return [points[step] for step in sorted(points)]


def work(scale: Scale, job: Job, encoder: Path, threads: int) -> None:
    """Train what is to be trained, going on from the newest checkpoint, and measure it. In a process of its own."""
    torch.set_num_threads(threads)
    measured: dict[str, Measured] = {}
    if job.name == UNTRAINED_ROWS:
        measured = {row: scale.measure_units(scale.trivial(row, job.seed)) for row in job.rows}
    else:
        config = configuration(scale, job.name, job.seed, job.folder)
        inputs = scale.inputs(config, job.name, encoder)
        if (steps := scale.steps(job.name)) is not None:
            config = of_length(config, inputs, steps)

        def follow(progress: Progress) -> None:
            if job.name in CURVE and progress.step % max(1, progress.steps // POINTS) == 0:
                units = scale.measure_units(units_of(TextGroup(progress.model, inputs.tokenizer)))
                _write_point(job.folder, {"step": progress.step, **progress.losses, **units.figures})

        model = train(config, inputs, resume=newest_checkpoint(job.folder) is not None, progress=follow)
        own = TextGroup(model.cpu(), inputs.tokenizer)
        measured[job.name] = scale.measure(job.name, own, job.folder, encoder)
        for row in job.rows[1:]:
            clustered = open_segmenter(row, None, features_from=str(job.folder))
            measured[row] = scale.measure_units(clustered)
    for row, of_row in measured.items():
        target = job.folder / "measured" / file_name(row)
        with atomic_write(target) as partial:
            partial.mkdir(parents=True)
            of_row.save(partial, {"row": row, "seed": job.seed})
    with atomic_write(job.folder / DONE) as partial:
        partial.write_text(json.dumps({"rows": job.rows, "seed": job.seed}) + "\n", encoding="utf-8")
