"""Configuration files that explode, nest or are something else: one line, at once."""

import os
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.hostile import mutated_bytes
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_configuration_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    good = data.draw(st.sampled_from(sorted(SHIPPED.glob("*.yaml")))).read_bytes()
    (tmp_path / "run.yaml").write_bytes(data.draw(mutated_bytes(good)))
    try:
        load_run(["--config", str(tmp_path / "run.yaml")])
    except InputError as error:
        assert "\n" not in str(error)
