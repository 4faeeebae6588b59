"""All jobs of a plan: several at once, each in a process of its own, finished ones never again.

One that fails is named and stops no other; one that is killed is gone on with at the next start.
"""

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread

import torch

from textgroup.errors import InputError
from textgroup.experiments.reproduce.jobs import Job, work
from textgroup.experiments.reproduce.scale import Scale
from textgroup.experiments.reproduce.systems import ENCODER
from textgroup.training.loop import Stopped

LOG = "log.txt"
"""What a job prints, and why it failed."""
FAILED = "failed.txt"
WITHOUT = "not begun: the object encoder failed"
POLL = 0.2
"""Seconds between two looks at the processes."""


def run_all(
    scale: Scale, jobs: Sequence[Job], processes: int, report: Callable[[Job, str | None], None]
) -> dict[tuple[str, int], str]:
    """Do the jobs that are not done; why each one failed that did, by name and seed.

    Those that need the object encoder wait for its job; the others need not. report: called with a job that has ended,
    and why it failed. A job that failed before is tried again.
    """
    failed: dict[tuple[str, int], str] = {}
    encoder = next((job for job in jobs if job.name == ENCODER), None)
    folder = encoder.folder if encoder else Path()
    waiting = [job for job in jobs if not job.done]
    if any(job is not encoder for job in waiting):
        scale.prepare()
    running: list[tuple[Job, SpawnProcess]] = []
    try:
        while waiting or running:
            ready = [job for job in waiting if encoder is None or encoder.done or not job.needs_encoder]
            for job in ready[: processes - len(running)]:
                waiting.remove(job)
                running.append((job, _start(scale, job, folder, processes)))
            time.sleep(POLL)
            for job, process in [pair for pair in running if not pair[1].is_alive()]:
                running.remove((job, process))
                why = _why_failed(job, process.exitcode)
                report(job, why)
                if why is not None:
                    failed[job.name, job.seed] = why
                for one in [one for one in waiting if why is not None and job is encoder and one.needs_encoder]:
                    waiting.remove(one)
                    report(one, WITHOUT)
                    failed[one.name, one.seed] = WITHOUT
    finally:
        for _, process in running:  # each saves itself and ends
            process.terminate()
        for _, process in running:
            process.join()
    return failed


def _start(scale: Scale, job: Job, encoder: Path, processes: int) -> SpawnProcess:
    (job.folder / FAILED).unlink(missing_ok=True)
    threads = max(1, torch.get_num_threads() // processes)  # knows of OMP_NUM_THREADS, and of cores that are not ours
    process = multiprocessing.get_context("spawn").Process(target=_in_process, args=(scale, job, encoder, threads))
    process.start()
    return process


def _in_process(scale: Scale, job: Job, encoder: Path, threads: int) -> None:
    """The job, with what it prints in a file; exit status 1 where it fails."""
    Thread(target=_end_with_parent, daemon=True).start()
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / LOG).open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            work(scale, job, encoder, threads)
        except Stopped:
            sys.exit(0)
        except BaseException as error:  # whatever it is, it is this job's alone
            traceback.print_exc()
            reason = f"{type(error).__name__}: " if not isinstance(error, InputError) else ""
            (job.folder / FAILED).write_text(f"{reason}{error}\n", encoding="utf-8")
            sys.exit(1)


def _end_with_parent() -> None:
    """Once the process that plans is gone, however it went, save what is being trained and end."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a process of its own"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _why_failed(job: Job, status: int | None) -> str | None:
    if job.done:
        return None
    try:
        return " ".join((job.folder / FAILED).read_text(encoding="utf-8").split())
    except OSError:
        return f"the process ended with status {status}"
