"""`make bench-gpu`, at sizes of seconds on a CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


@pytest.mark.slow
def test_every_row_runs_and_is_written_down(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    subprocess.run([sys.executable, SCRIPT, "--tiny", "--out", out], check=True, capture_output=True)
    rows = json.loads(out.read_text())["rows"]
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(
        ("train_step", "schedule", "features", "parity", "reproduce"), "done"
    ), out.with_suffix(".log").read_text()[-2000:]
    assert rows["reproduce"]["result"]["scale"] == "scenes"


def test_a_row_that_fails_or_takes_too_long_is_named(tmp_path: Path) -> None:
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import gpu
    finally:
        sys.path.pop(0)
    result = tmp_path / "none.json"
    with (tmp_path / "log").open("w") as log:
        failed = gpu.run_row(gpu.Row("a", ["-c", "print('why'); exit(3)"], 20, result), log)
        late = gpu.run_row(gpu.Row("b", ["-c", "import time; time.sleep(20)"], 1, result), log)
    assert failed["status"] == "failed with status 3: see the log"
    assert late["status"] == "stopped after 1 s"
    assert "why" in (tmp_path / "log").read_text()
