"""The types that the package promises (`py.typed`) hold under mypy in a user's code."""

import site
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SCRIPT = """\
from pathlib import Path
from typing import Any, assert_type
import numpy as np
import textgroup
from textgroup import Grounding, InputError, Phrases, Reference, TextGroup, Unit, Units
from textgroup.integrations.tables import units_column
from textgroup.integrations.tokens import token_indices

assert_type(textgroup.__version__, str)
model = assert_type(textgroup.load(), TextGroup)
captions = ("a dog" for _ in range(2))
units = assert_type(model.segment("a dog"), Units)
assert_type(model.segment(captions), list[Units])
assert_type(units[0], Unit)
assert_type(units[0].groundable, bool | None)
assert_type(units.caption, str)
assert_type(units.to_dict(), dict[str, Any])
assert_type(units.phrases, Phrases)
assert_type(model.phrases("a dog").prompt, str)
assert_type(model.phrases(["a dog"]), list[Phrases])
assert_type(units.phrases.tokens_positive, list[list[list[int]]])
assert_type(model.encode_text("a dog"), np.ndarray)
assert_type(model.encode_units(["a dog"]), list[np.ndarray])
assert_type(model.ground(Path("x.jpg"), "a dog"), list[Grounding])
assert_type(model.ground("x.jpg", ["a dog"]), list[list[Grounding]])
assert_type(model.align("a dog", b""), list[Reference])
assert_type(token_indices(units, [(0, 0)]), list[list[int]])
assert_type(units_column(model, [None]), list[list[dict[str, Any]] | None])
try:
    model.segment(7)  # type: ignore[call-overload]
except InputError as error:
    assert_type(error.args, tuple[Any, ...])
"""


@pytest.mark.slow
def test_a_script_against_the_public_calls_is_well_typed(tmp_path: Path) -> None:
    """mypy finds the package as it finds any installed one: because of py.typed."""
    pytest.importorskip("mypy", reason="needs mypy")
    environment = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "here.pth").write_text("\n".join([str(ROOT / "src"), *site.getsitepackages()]) + "\n")
    (tmp_path / "user.py").write_text(SCRIPT)
    options = ["--strict", "--python-executable", environment / "bin" / "python", "--cache-dir", tmp_path / "cache"]
    finished = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "user.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
