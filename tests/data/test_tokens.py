"""Tokenised captions on disk: made once, found again, made anew when anything has changed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from textgroup.data.captions import CaptionData
from textgroup.data.tokens import open_tokens, write_tokens
from textgroup.errors import InputError
from textgroup.text.tokenizer import CaptionTokenizer

TEXTS = [("a red ring", "a blue star"), ("there is a pink kite",), ("one fish",) * 3] * 2000
TOKENIZER = CaptionTokenizer.train([text for item in TEXTS[:3] for text in item], 540)
ROWS = list(range(len(TEXTS)))[::-1]


@pytest.mark.parametrize("images", [True, False])
def test_the_batches_are_those_of_captions_in_memory(tmp_path: Path, images: bool) -> None:
    pooled = np.arange(2 * len(TEXTS), dtype=np.float16).reshape(-1, 2) if images else None
    write_tokens(tmp_path / "t", {}, zip(TEXTS, ROWS if images else [None] * len(TEXTS)), TOKENIZER)
    found = open_tokens(tmp_path / "t", {}, pooled)
    assert found is not None
    mapped, tokenizer = found
    assert isinstance(mapped.ids, np.memmap)
    assert tokenizer.merges == TOKENIZER.merges
    held = CaptionData.build(TEXTS, TOKENIZER, pooled, ROWS if images else None)
    assert len(mapped) == len(held) == (6000 if images else 12000)
    for step in (0, 7):
        ours, theirs = mapped.batch(step, 50, 0), held.batch(step, 50, 0)
        for a, b in zip(ours.chunks, theirs.chunks, strict=True):
            assert torch.equal(a.ids, b.ids)
            assert torch.equal(a.mask, b.mask)
        assert (ours.image is None) == (theirs.image is None) == (not images)
        assert ours.image is None or theirs.image is None or torch.equal(ours.image, theirs.image)


def test_what_was_made_of_something_else_or_is_damaged_is_not_used(tmp_path: Path) -> None:
    where = tmp_path / "t"
    assert open_tokens(where, {"a": 1}) is None
    write_tokens(where, {"a": 1}, [(("one fish",), None)], TOKENIZER)
    assert open_tokens(where, {"a": 1}) is not None
    assert open_tokens(where, {"a": 2}) is None
    ids = where / "ids.bin"
    ids.write_bytes(ids.read_bytes()[:-2])
    assert open_tokens(where, {"a": 1}) is None
    write_tokens(where, {"a": 2}, [(("one fish",), None)], TOKENIZER)
    assert open_tokens(where, {"a": 2}) is not None


def test_a_failure_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    where = tmp_path / "t"
    write_tokens(where, {}, [(("one fish",), None)], TOKENIZER)

    def breaks() -> Iterator[tuple[tuple[str, ...], None]]:
        yield from [(("a red ring",), None)] * 5000
        raise InputError("a bad shard")

    with pytest.raises(InputError, match="a bad shard"):
        write_tokens(where, {}, breaks(), TOKENIZER)
    kept = open_tokens(where, {})
    assert kept is not None
    assert len(kept[0]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_a_directory_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"data\.tokens"):
        write_tokens(tmp_path / "photos", {}, [(("one fish",), None)], TOKENIZER)
    assert (tmp_path / "photos" / "a.jpg").exists()


def test_captions_are_written_as_they_come(tmp_path: Path) -> None:
    """Nobody collects them first: before the last ones are asked for, most are in the file."""
    sizes = []

    def items() -> Iterator[tuple[tuple[str, ...], None]]:
        for i in range(20_000):
            yield (f"a star {i % 9}",), None
        sizes.extend(path.stat().st_size for path in tmp_path.glob(".t.*.partial/ids.bin"))

    write_tokens(tmp_path / "t", {}, items(), TOKENIZER)
    (written,) = sizes
    assert written > 0.7 * (tmp_path / "t" / "ids.bin").stat().st_size


def test_no_captions_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no captions"):
        write_tokens(tmp_path / "t", {}, [], TOKENIZER)
