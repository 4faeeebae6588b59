"""Processes of the plan do not outlive it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PARENT = """
import multiprocessing, os, time
from pathlib import Path
from threading import Thread
from textgroup.experiments.reproduce.schedule import _end_with_parent

def child():
    Thread(target=_end_with_parent, daemon=True).start()
    Path("PID.partial").write_text(str(os.getpid()))
    os.replace("PID.partial", "PID")
    time.sleep(600)

if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=child).start()
    time.sleep(600)
"""


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_ends_when_the_process_that_plans_is_killed(deadly: signal.Signals, tmp_path: Path) -> None:
    script, pid = tmp_path / "parent.py", tmp_path / "pid"
    script.write_text(PARENT.replace("PID", str(pid)), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)]) as parent:
        try:
            assert wait_until(pid.is_file), "the job began"
        finally:
            parent.send_signal(deadly)
    job = int(pid.read_text())
    ended = wait_until(lambda: not alive(job))
    if not ended:
        os.kill(job, signal.SIGKILL)
    assert ended


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it holds before the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.1)
    return False
