"""Segmenting in several processes, for more captions than one core can cut: each worker has a model and one thread."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TypeVar

from textgroup.errors import InputError
from textgroup.inference.given import checked_captions
from textgroup.inference.opening import load_segmenter
from textgroup.inference.result import Units
from textgroup.inference.segmenter import TextSegmenter
from textgroup.inference.streaming import stream_windows

T = TypeVar("T")

_loaded: TextSegmenter | None = None
"""The model of a worker."""


def segment_in_workers(
    checkpoint: str | Path | None,
    captions: Iterable[str],
    workers: int,
    give: Callable[[Units], T],
    *,
    device: str = "cpu",
) -> Iterator[T]:
    """`give(units)` of each caption, in order and in constant memory; the units are those of `segment_stream`.

    checkpoint, device: as `load_segmenter` takes them. give: a function of a module, run in the workers. They are
    started afresh (spawned), so a script that calls this keeps what it does under `if __name__ == "__main__":`. At most
    one window of captions a worker is read ahead, and one more. Raises `InputError` as `load` and `segment_stream` do,
    for fewer workers than one, and for one that was ended from outside.
    """
    if workers < 1:
        raise InputError(f"{workers} workers: give at least 1")
    load_segmenter(checkpoint, device=device)  # what is wrong with them is said here, and once
    stream = checked_captions(captions, "segment_in_workers")
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _open, (checkpoint, device))
    try:
        yield from stream_windows(pool, workers, partial(_segment_window, give), stream)
    except BrokenProcessPool:
        raise InputError(f"one of {workers} workers was ended, for want of memory perhaps: give fewer") from None


def _open(checkpoint: str | Path | None, device: str) -> None:
    """Make this process a worker. An interrupt is for the process that started it."""
    global _loaded
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _loaded = load_segmenter(checkpoint, device=device)
    if torch := sys.modules.get("torch"):  # what was exported does without
        torch.set_num_threads(1)


def _segment_window(give: Callable[[Units], T], captions: list[str]) -> list[T]:
    assert _loaded is not None, "a worker begins with _open"
    return [give(units) for units in _loaded.segment_window(captions)]
