"""The Dockerfile names what is there, and starts the page so that it can be reached. Docker itself is not run."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from textgroup.app import comparing, serving
from textgroup.cli import main

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def instructions(name: str) -> list[str]:
    return [line.removeprefix(name).strip() for line in LINES if line.startswith(f"{name} ")]


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    copied = [source for line in instructions("COPY") for source in line.split()[:-1]]
    assert {"src", "pyproject.toml", "constraints.txt"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORED, source
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {needed["readme"], *needed["license-files"]} <= set(copied), "the build reads them"


def test_the_packages_and_the_python_that_it_names_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extra,) = re.findall(r"'\.\[(\w+)\]'", " ".join(instructions("RUN")))
    assert extra in project["optional-dependencies"]
    assert len(re.findall("^torch==", (ROOT / "constraints.txt").read_text(), flags=re.MULTILINE)) == 1
    (image,) = instructions("FROM")
    assert image == f"python:{project['requires-python'].removeprefix('>=')}-slim"


def test_it_serves_at_the_port_that_it_exposes_and_asks_there_whether_all_is_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(comparing, "load_models", lambda *_: {})
    monkeypatch.setattr(serving, "serve", lambda models, host, port: served.append((host, port)))
    program, *words = json.loads(instructions("ENTRYPOINT")[0])
    assert program == "textgroup"
    assert main(words) == 0
    assert served == [("0.0.0.0", int(instructions("EXPOSE")[0]))]

    asks = json.loads(instructions("HEALTHCHECK")[0].partition("CMD ")[2])
    assert f"http://127.0.0.1:{served[0][1]}/" in asks[-1]
    run = subprocess.run([sys.executable, *asks[1:-1], asks[-1].replace("7860", "9")], capture_output=True, text=True)
    assert run.returncode != 0
    assert "URLError" in run.stderr, "nobody answers there"


def test_it_does_not_run_as_root() -> None:
    (user,) = instructions("USER")
    assert user != "root"
    assert any(line.startswith("useradd") and line.endswith(user) for line in instructions("RUN"))
    assert [line for line in LINES if re.match("(RUN|COPY) ", line)][-1].startswith("RUN useradd"), "nothing after it"
