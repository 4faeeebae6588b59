"""Killed at random moments and started again, the command ends with what an undisturbed one ends with."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = """
from pathlib import Path
from textgroup.experiments.reproduce import command
from textgroup.experiments.reproduce.scenes import Scenes, Sizes

if __name__ == "__main__":
    sizes = Sizes(train=260, test=12, encoder_steps=4, oracle_steps=6, steps=6, units_steps=2)
    command.open_scale = lambda *_: Scenes(sizes)
    command.run_reproduce(["figure2", "table2"], "scenes", seeds=[0], out=Path("OUT"), processes=2)
"""


KILLS = 30


@pytest.mark.slow
def test_kills_at_random_moments_and_a_rerun_give_the_same_results(tmp_path: Path) -> None:
    """Again and again in one run until it ends by itself; then in another, until there were enough."""
    moments = random.Random(0)

    def start(name: str) -> subprocess.Popen[bytes]:
        script = tmp_path / f"{name}.py"
        script.write_text(RUN.replace("OUT", str(tmp_path / name)), encoding="utf-8")
        return subprocess.Popen([sys.executable, str(script)], start_new_session=True)

    began = time.monotonic()
    assert start("undisturbed").wait() == 0
    whole = time.monotonic() - began
    expected = (tmp_path / "undisturbed" / "results.json").read_bytes()
    kills = runs = 0
    while kills < KILLS:
        name, runs, status = f"killed{runs}", runs + 1, None
        while status is None:
            process = start(name)
            try:
                status = process.wait(timeout=moments.uniform(0.1, 0.6) * whole)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
        assert status == 0
        assert (tmp_path / name / "results.json").read_bytes() == expected, f"after {kills} kills, run {runs}"
    print(f"{kills} kills in {runs} runs")
