"""examples/onnx_segment.py prints what `textgroup segment` prints."""

import ast
import subprocess
import sys

import pytest

from tests.inference.onnx.captions import ROOT, captions
from textgroup.cli import main
from textgroup.model.packaged import PACKAGED
from textgroup.text.windows import sentences

EXAMPLE = ROOT / "examples" / "onnx_segment.py"


def test_the_example_cuts_as_the_command_does(capsys: pytest.CaptureFixture[str]) -> None:
    given = [caption for caption in captions()[:300] if len(sentences(caption)) == 1]
    assert len(given) > 200
    assert main(["segment", "--format", "marked", *given]) == 0
    run = [sys.executable, EXAMPLE, PACKAGED, *given]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout == capsys.readouterr().out


def test_the_example_needs_onnxruntime_and_tokenizers_alone() -> None:
    lines = EXAMPLE.read_text()
    nodes = [node for node in ast.walk(ast.parse(lines)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in nodes}
    assert names - set(sys.stdlib_module_names) == {"numpy", "onnxruntime", "tokenizers"}
