"""Running a function in another process, and killing that at a file operation or after a time.

The processes are forked from one that has imported everything, so that each costs a moment.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        *("tests.faults.killing", "tests.vision.tiny", "textgroup.training.inputs", "textgroup.training.loop"),
        *("textgroup.cli", "jsonargparse", "docstring_parser", "jinja2", "torch._dynamo"),  # imported when called
    ]
)
OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.truncate"}
PATIENCE = 120


def run(function: Callable[..., object], *arguments: object, out: Path, at: int | None = None) -> int:
    """Call the function in another process; the number of file operations below `out`.

    at: the operation before which the process kills itself. Then the answer is 0.
    """
    receiver, sender = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=_count_and_call, args=(sender, str(out), at, function, arguments))
    process.start()
    sender.close()
    process.join(PATIENCE)
    if at is not None:
        assert process.exitcode == -signal.SIGKILL, f"operation {at}: exit code {process.exitcode}"
        return 0
    assert process.exitcode == 0
    return int(receiver.recv())


def run_for(function: Callable[..., object], *arguments: object, seconds: float) -> bool:
    """Call the function in another process and kill it after some seconds; whether it had ended by then."""
    process = FORKS.Process(target=function, args=arguments)
    process.start()
    process.join(seconds)
    ended = process.exitcode is not None
    process.kill()
    process.join()
    return ended


def _count_and_call(
    sender: multiprocessing.connection.Connection,
    out: str,
    at: int | None,
    function: Callable[..., object],
    arguments: tuple[object, ...],
) -> None:
    count = 0

    def look(event: str, values: tuple[object, ...]) -> None:
        """Count what happens below `out`."""
        nonlocal count
        if event in OPERATIONS and any(
            isinstance(x, str | os.PathLike) and os.fspath(x).startswith(out) for x in values
        ):
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)
    function(*arguments)
    sender.send(count)
