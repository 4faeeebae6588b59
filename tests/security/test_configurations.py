"""Configuration files that explode, nest or are something else: one line, at once."""

import json
import os
from pathlib import Path
from time import process_time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.security.hostile import mutated_bytes, mutated_json
from textgroup.config.command_line import SHIPPED, load_run
from textgroup.errors import InputError

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB + "out: *j\n", r"it has an alias \(\*a\)"),
        ("[" * 100_000, "nested too deep"),
        ('{"a":' * 50_000, "nested too deep"),
        ("".join(f"{' ' * i}a:\n" for i in range(400)), "nested too deep"),
        ("- " * 10_000, "nested too deep"),
        ("#" * 1_000_000, "bytes; a configuration has"),
        ("out: !!python/object/apply:os.system ['touch planted']\n", "python/object"),
        ("a: [", "not YAML"),
        ("\x00\x01", "not YAML"),
        ("out: \ud800", "not YAML"),
    ],
)
def test_a_hostile_file_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(content, encoding="utf-8", errors="surrogatepass")
    for words in (["--config", "run.yaml"], ["--config=run.yaml"]):
        begun = process_time()
        with pytest.raises(InputError, match=reason) as raised:
            load_run(words)
        assert "\n" not in str(raised.value)
        assert process_time() - begun < 2
    assert not Path("planted").exists()


def test_a_pipe_or_a_folder_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path / "pipe.yaml", tmp_path):
        with pytest.raises(InputError, match=r"not a file|no such file"):
            load_run(["--config", str(path)])


few = settings(max_examples=settings().max_examples // 8)
"""The parser takes a tenth of a second."""


def read_or_refused(words: list[str]) -> None:
    """What refuses a configuration says so in a line."""
    try:
        load_run(words)
    except InputError as error:
        assert "\n" not in str(error)


SHIPPED_FILES = [file.read_bytes() for file in sorted(SHIPPED.glob("*.yaml"))]


@few
@given(data=st.data())
def test_a_damaged_configuration_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(SHIPPED_FILES))
    (tmp_path / "run.yaml").write_bytes(data.draw(mutated_bytes(good)))
    read_or_refused(["--config", str(tmp_path / "run.yaml")])


@few
@given(data=st.data())
def test_a_configuration_with_other_values_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    good = json.dumps(yaml.safe_load(data.draw(st.sampled_from(SHIPPED_FILES)))).encode()
    (tmp_path / "run.yaml").write_bytes(data.draw(mutated_json(good)))  # JSON is YAML
    read_or_refused(["--config", str(tmp_path / "run.yaml")])


WORDS = [
    *("--config", "paper", "--optim.lr", "--optim.lr=1e-3", "--model.encoder.kind", "fixed", "--loss", "--data", "--"),
    *("--seed", "-1", "1e400", "null", "true", "{}", "[1, 2]", "{a: 1}", "--optim.betas", "[2,3]", "--log.every"),
    *("--data.captions", "pipe:", "--optim+", "--optim.lr.x", "--config=", "=", "--out", "", "*a", "~x", "\0"),
]


@few
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=20), max_size=6))
def test_whatever_words_are_given_for_a_run_they_are_read_or_refused(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    read_or_refused(words)
