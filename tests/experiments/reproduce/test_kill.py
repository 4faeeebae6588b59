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


@pytest.mark.slow
def test_two_kills_and_a_rerun_give_the_same_results(tmp_path: Path) -> None:
    moments = random.Random(0)

    def start(name: str) -> subprocess.Popen[bytes]:
        script = tmp_path / f"{name}.py"
        script.write_text(RUN.replace("OUT", str(tmp_path / name)), encoding="utf-8")
        return subprocess.Popen([sys.executable, str(script)], start_new_session=True)

    began = time.monotonic()
    assert start("undisturbed").wait() == 0
    whole = time.monotonic() - began
    for _ in range(2):
        process = start("killed")
        time.sleep(moments.uniform(0.2, 0.6) * whole)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert start("killed").wait() == 0
    first, second = (tmp_path / name / "results.json" for name in ("undisturbed", "killed"))
    assert first.read_bytes() == second.read_bytes()
