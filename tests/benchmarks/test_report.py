"""`benchmarks/report.py` writes a page, or says how it is called."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "report.py"


def test_help_is_help_and_what_was_not_run_says_so(tmp_path: Path) -> None:
    shown = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    assert "usage: report.py" in shown.stdout
    subprocess.run([sys.executable, SCRIPT, tmp_path, tmp_path / "page.md"], check=True)
    assert "## segment\n\nNot run.\n" in (tmp_path / "page.md").read_text()
