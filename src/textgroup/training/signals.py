"""SIGINT and SIGTERM as a flag that the training loop reads between two steps."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class StopFlag:
    """by: the signals that came."""

    by: set[int] = field(default_factory=set)

    @property
    def is_set(self) -> bool:
        """Whether a signal came."""
        return bool(self.by)


@contextmanager
def stop_signals() -> Iterator[StopFlag]:
    """Turn SIGINT and SIGTERM into a flag while the block runs. The same signal twice interrupts at once."""
    flag = StopFlag()
    before = {}

    def on_signal(number: int, _: object) -> None:
        if number in flag.by:  # the same one: torchrun sends SIGTERM after the terminal's SIGINT
            raise KeyboardInterrupt
        flag.by.add(number)

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, on_signal)
    except ValueError:  # not the main thread: signals are not ours to take
        pass
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
