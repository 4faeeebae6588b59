"""What `pip install textgroup` brings: the wheel holds the whole package and nothing else, and works away from here."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import islice
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from textgroup.data.sources.count import Count
from textgroup.data.sources.samples import read_samples

ROOT = Path(__file__).parents[1]
BUILD = ("pyproject.toml", "README.md", "LICENSE")
KINDS = {".py", ".typed", ".yaml", ".html", ".md", ".json", ".safetensors", ".onnx", ".css", ".js"}
PACKED = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"PAR1")
"""How photographs, archives and tables begin."""
LARGEST = 100_000
"""Bytes of a file that people have written."""
PACKAGE = ROOT / "src/textgroup"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, by the packages that are installed here: no test goes to the network."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in BUILD:
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(source)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=source)
    assert run.returncode == 0, run.stdout + run.stderr
    (built,) = (source / "dist").iterdir()
    return built


def shipped() -> dict[str, bytes]:
    """Every file of the package, which are those of the wheel: see below."""
    files = [file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    return {str(file.relative_to(PACKAGE)): file.read_bytes() for file in files}


def test_nothing_but_trained_models_is_large_and_nothing_is_a_photograph_or_an_archive() -> None:
    files = shipped()
    assert {name for name, content in files.items() if content.startswith(PACKED)} == set()
    large = {name for name, content in files.items() if len(content) > LARGEST}
    assert {Path(name).parts[0] for name in large} == {"packaged", "packaged_multilingual"}
    assert {Path(name).suffix for name in large} <= {".safetensors", ".onnx", ".json"}
    assert {Path(name).name for name in large if name.endswith(".json")} == {"tokenizer.json"}


def test_no_caption_of_a_data_set_is_in_the_package(shared: Path) -> None:
    """Nowhere do eight words follow one another as at the beginning of a caption."""
    held: set[tuple[str, ...]] = set()
    for name, content in shipped().items():
        if not name.endswith((".safetensors", ".onnx")):
            words = re.findall(r"\w+", content.decode().lower())
            held |= set(zip(*(words[first:] for first in range(8))))
    source = read_samples(shared / "captions" / "coco.jsonl.gz", images=False, count=Count())
    captions = [text.lower() for sample in islice(source, 20_000) for text in sample.captions]
    begins = {tuple(re.findall(r"\w+", caption)[:8]): caption for caption in captions}
    assert len(begins) > 10_000
    assert [caption for begin, caption in begins.items() if begin in held] == []


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == {f"textgroup/{name}" for name in shipped()}
    assert {Path(name).suffix for name in held} <= KINDS
    assert {"textgroup/py.typed", "textgroup/packaged/segmenter.onnx", "textgroup/packaged/README.md"} <= held
    assert wheel.stat().st_size < 22_000_000


def test_the_packaged_grounded_model_and_its_image_encoder_are_small() -> None:
    """The same again for onnxruntime, in files of its own, is not counted here; it is in the wheel's size."""
    files = {name: content for name, content in shipped().items() if Path(name).parts[0] == "packaged"}
    assert sum(len(content) for name, content in files.items() if not name.endswith(".onnx")) < 16_000_000


def test_the_wheel_brings_its_licence_the_command_and_its_dependencies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        about = {Path(name).name: file.read(name).decode() for name in file.namelist() if ".dist-info/" in name}
    assert about["LICENSE"] == (ROOT / "LICENSE").read_text()
    assert "textgroup = textgroup.cli:main" in about["entry_points.txt"]
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    required = re.findall(r"^Requires-Dist: (.*)", about["METADATA"], re.MULTILINE)
    assert {Requirement(line) for line in declared} <= {Requirement(line) for line in required}


def test_an_installed_wheel_cuts_captions_and_finds_its_configurations(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "installed")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    def python(*words: str) -> str:
        settings = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
        run = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=elsewhere, env=settings)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    assert python("-c", "import textgroup; print(textgroup.__file__)").startswith(str(tmp_path / "installed"))
    assert python("-m", "textgroup", "segment", "A man in a blue hat") == "A man | in | a blue hat"
    opens = "from textgroup.config.command_line import load_run; print(load_run(['--config', 'k16']).model.encoder)"
    assert "groups=16" in python("-c", opens)
