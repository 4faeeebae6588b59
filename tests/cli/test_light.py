"""`textgroup segment` where PyTorch is not installed, and what the commands import."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

import textgroup
from tests.inference.onnx.captions import ROOT, captions
from textgroup.experiments.demo_packaged import PHOTOGRAPH_CAPTION, photograph

MODULES = {
    "huggingface-hub": "huggingface_hub",
    "docstring-parser": "docstring_parser",
    "pillow": "PIL",
    "pyyaml": "yaml",
}
"""What a dependency is imported as, where that is not its name."""
WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from textgroup.cli import main
sys.exit(main(sys.argv[1:]))
"""


def missing() -> list[str]:
    """The dependencies that the light install of docs/onnx.md leaves out."""
    page = (ROOT / "docs" / "onnx.md").read_text()
    lines = re.search(r"^pip install --no-deps textgroup ([\w -]+)\npip install ([\w -]+)$", page, re.MULTILINE)
    assert lines is not None
    kept = {*lines[1].split(), *lines[2].split()}
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[>=<]", line)[0] for line in declared}
    assert names >= kept, "each is a dependency"
    return sorted(MODULES.get(name, name) for name in names - kept)


def light(*words: str | Path) -> subprocess.CompletedProcess[str]:
    code = WITHOUT.format(missing=missing())
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True)


def test_without_pytorch_the_units_are_the_same(tmp_path: Path) -> None:
    assert {"torch", "transformers", "safetensors", "scipy"} <= set(missing())
    given = [" ".join(caption.split()) for caption in captions()]
    (tmp_path / "captions.txt").write_text("\n".join(given) + "\n", encoding="utf-8")
    run = light("segment", "--format", "json", "--file", tmp_path / "captions.txt")
    assert run.returncode == 0, run.stderr
    expected = [json.loads(json.dumps(units.to_dict())) for units in textgroup.load().segment(given)]
    assert [json.loads(line) for line in run.stdout.splitlines()] == expected


def test_without_pytorch_a_photograph_is_grounded_and_drawn(tmp_path: Path) -> None:
    run = light("ground", photograph(), PHOTOGRAPH_CAPTION, "--out", tmp_path / "overlay.png")
    assert run.returncode == 0, run.stderr
    expected = textgroup.load().ground(photograph(), PHOTOGRAPH_CAPTION)
    lines = run.stdout.splitlines()
    assert len(lines) == len(expected) + 1
    for line, grounding in zip(lines, expected):
        assert line.endswith(grounding.unit.text)
        assert line.startswith("nothing") == (grounding.point is None)
    assert Image.open(tmp_path / "overlay.png").size[0] > 300


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["segment", "--help"], ["segment", "a dog", "--out", "{}"]]
)
def test_what_needs_no_model_or_a_file_works_too(words: list[str], tmp_path: Path) -> None:
    run = light(*(word.format(tmp_path / "out") for word in words))
    assert (run.returncode, run.stderr) == (0, "")


def test_what_needs_pytorch_says_so_in_one_line(tmp_path: Path) -> None:
    for words in (["segment", "-c", str(tmp_path), "a dog"], ["score", "picture.png", "a dog"]):
        run = light(*words)
        assert run.returncode == 2
        assert re.fullmatch(r"textgroup: .*\bnot installed: pip install textgroup\n", run.stderr), run.stderr


def imported(code: str) -> set[str]:
    run = f"{code}; import sys; print('\\n'.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", run], check=True, capture_output=True, text=True).stdout.split())


def test_a_caption_is_cut_without_what_only_other_commands_need() -> None:
    modules = imported("from textgroup.cli import main; main(['segment', '--json', 'a dog'])")
    unneeded = {"torch", "transformers", "scipy", "PIL", "ftfy", "filelock", "ijson", "huggingface_hub", "rich"}
    assert "onnxruntime" in modules
    assert not unneeded & modules


def test_opening_a_model_imports_neither_the_compiler_of_pytorch_nor_what_only_training_needs() -> None:
    modules = imported("import textgroup; textgroup.load().segment('a dog')")
    assert not {"torch._dynamo", "torch._inductor", "transformers", "scipy", "rich"} & modules
