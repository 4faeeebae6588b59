"""Every file that a model directory, a run or a feature store is opened from, damaged in thousands of ways.

What is opened then works, or is refused by an `InputError`, in one line.
"""

import json
import shutil
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import textgroup
from tests.security.hostile import mutated_bytes, mutated_json
from tests.security.kinds import FILES, USES
from textgroup.errors import InputError


def test_every_kind_works_as_it_is_and_no_file_is_forgotten(good: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(good, tmp_path / "copy"))
    for kind, use in USES.items():
        use(copy / kind)
    used = {(kind, file.name) for kind in USES for file in (good / kind).iterdir()}
    never_read = {("clip", "model.safetensors"), ("checkpoint", "README.md"), ("dynamic", "README.md")}
    same_as_checkpoint = {("dynamic", "tokenizer.json")}
    locks = {(kind, ".lock") for kind in USES}
    assert used - locks - never_read - same_as_checkpoint == set(FILES)


def check(good: Path, copy: Path, kind: str, name: str, content: bytes) -> None:
    """Replace one file, use the directory, and put it right again."""
    if not copy.exists():
        shutil.copytree(good / kind, copy)
        if kind == "half-store":
            shutil.copytree(good / "images", copy.parent / "images")
    before = {file.name: file.read_bytes() for file in copy.iterdir() if file.is_file()}
    (copy / name).write_bytes(content)
    begun = process_time()
    try:
        USES[kind](copy)
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1200
    finally:
        for file, data in before.items():
            (copy / file).write_bytes(data)
    assert process_time() - begun < 10


def hostile_content(data: st.DataObject, good: Path, kind: str, name: str) -> bytes:
    content = (good / kind / name).read_bytes()
    return data.draw(mutated_json(content) if name.endswith(".json") else mutated_bytes(content))


@pytest.mark.parametrize(("kind", "name"), FILES)
@settings(max_examples=settings().max_examples // 8)  # there are many files
@given(data=st.data())
def test_a_damaged_file_is_refused_in_one_line(
    good: Path, tmp_path: Path, kind: str, name: str, data: st.DataObject
) -> None:
    check(good, tmp_path / "copy", kind, name, hostile_content(data, good, kind, name))


@pytest.mark.parametrize(
    "fields",
    [
        *({"encoder": {name: 10**9}} for name in ("layers_before", "layers_after", "width", "groups", "max_tokens")),
        *({name: 10**9} for name in ("vocabulary", "embedding", "image_width")),
        *({"decoder": {name: 10**9}} for name in ("layers", "bottleneck")),
        *({"encoder": {name: 10**6}} for name in ("router_width", "router_hidden", "groups")),
    ],
)
@pytest.mark.parametrize("kind", ["checkpoint", "dynamic"])
def test_a_model_larger_than_its_weights_is_never_built(
    good: Path, tmp_path: Path, kind: str, fields: dict[str, Any]
) -> None:
    copy = Path(shutil.copytree(good / kind, tmp_path / "copy"))
    config = json.loads((copy / "config.json").read_text())
    for name, value in fields.items():
        config[name] = {**(config[name] or {}), **value} if isinstance(value, dict) else value
    (copy / "config.json").write_text(json.dumps(config))
    begun = process_time()
    with pytest.raises(InputError, match=r"larger model than|ids|must be"):
        textgroup.load(copy)
    assert process_time() - begun < 2
