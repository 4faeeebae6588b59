"""Captions in windows through a pool of threads or processes: in order, and in constant memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

WINDOW = 1024
"""Captions sorted by length together, so that a stream pays for little padding in constant memory."""

T = TypeVar("T")


def stream_windows(
    pool: Executor, ahead: int, cut: Callable[[list[str]], list[T]], captions: Iterable[str]
) -> Iterator[T]:
    """What `cut` gives for each caption of a window, window by window. The pool is shut down at the end.

    ahead: windows that are read before the first is waited for; one more is read then.
    """
    stream = iter(captions)
    waiting: deque[Future[list[T]]] = deque()
    try:
        while window := list(islice(stream, WINDOW)):
            waiting.append(pool.submit(cut, window))
            if len(waiting) > ahead:
                yield from waiting.popleft().result()
        for rest in waiting:
            yield from rest.result()
    finally:
        pool.shutdown(cancel_futures=True)
