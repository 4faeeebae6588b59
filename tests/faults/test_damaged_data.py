"""Damaged data sets, made by a seeded generator: the reading ends, and the counts add up to what was given."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.sources.test_samples import picture, write_tar
from textgroup.data.sources.count import Count
from textgroup.data.sources.samples import read_samples

SHARDS = 10
WORDS = ["a", "dog", "naïve", "🐕", "كلب", '5"', "it's", "x,y", "end."]


def sentence(random_: random.Random) -> str:
    return " ".join(random_.choice(WORDS) for _ in range(random_.randint(3, 12)))


DAMAGED_LINES: list[Callable[[str], bytes]] = [
    lambda name: b"{" + name.encode(),  # not JSON
    lambda name: json.dumps([name]).encode(),  # no object
    lambda name: json.dumps({"image": name}).encode() + b"}",
    lambda name: b'{"image": "' + name.encode() + b'", "caption": "\xff\xfe"}',  # not UTF-8
    lambda name: json.dumps({"caption": "without an image"}).encode(),
    lambda name: json.dumps({"image": 7, "caption": "of a number"}).encode(),
    lambda name: json.dumps({"image": f"../{name}", "caption": "outside"}).encode(),
    lambda name: b"[" * 5_000,
]
DAMAGED_ROWS: list[Callable[[str], bytes]] = [
    lambda name: name.encode(),  # too few fields
    lambda name: f"{name},a,b,c".encode(),  # too many
    lambda name: f'{name},"open'.encode(),
    lambda name: f'{name},"closed" too early"'.encode(),
    lambda name: name.encode() + b",\xff\xfe not UTF-8",
    lambda name: b",without an image",
    lambda name: f"../{name},outside".encode(),
]
DAMAGED_TEXTS: list[tuple[str, bytes]] = [
    ("json", b"{bad"),
    ("json", b'{"caption": null}'),
    ("json", b'{"caption": NaN}'),
    ("json", b"[1]"),
    ("json", b"[" * 5_000),
    ("txt", b"\xff\xfe"),
    ("txt", b" \n"),
    ("json", b'{"caption": ["\\ud800"]}'),
]


def write_lines(path: Path, items: int, damaged: set[int], random_: random.Random) -> Path:
    lines = []
    for i in range(items):
        whole = json.dumps({"image": f"{i}.jpg", "caption": sentence(random_)}).encode()
        lines.append(random_.choice(DAMAGED_LINES)(f"{i}.jpg") if i in damaged else whole)
    path.write_bytes(b"\r\n".join(lines))
    return path


def write_rows(path: Path, items: int, damaged: set[int], random_: random.Random) -> Path:
    lines = [b"\xef\xbb\xbfimage,caption"]
    for i in range(items):
        quoted = sentence(random_).replace('"', '""')
        whole = f'{i}.jpg,"{quoted}"'.encode()
        lines.append(random_.choice(DAMAGED_ROWS)(f"{i}.jpg") if i in damaged else whole)
    path.write_bytes(b"\r\n".join(lines))
    return path


def write_shards(folder: Path, items: int, damaged: set[int], random_: random.Random) -> Path:
    folder.mkdir()
    for shard in range(SHARDS):
        members: dict[str, bytes] = {}
        for i in range(shard, items, SHARDS):
            text = random_.choice(DAMAGED_TEXTS) if i in damaged else ("txt", sentence(random_).encode())
            members |= {f"v1.{i}.png": picture(), f"v1.{i}.{text[0]}": text[1]}
        write_tar(folder / f"{shard:03}.tar", members)
    return folder


def check_rows(source: Path, items: int, damaged: set[int]) -> None:
    count = Count()
    keys = {sample.key for sample in read_samples(source, count=count)}
    assert keys == {f"{i}.jpg" for i in range(items) if i not in damaged}
    assert count.skipped.total() == len(damaged)
    assert count.samples == count.captions == items - len(damaged)


@pytest.mark.parametrize(
    ("items", "broken"), [(1_000, 100), pytest.param(10_000, 1_000, marks=pytest.mark.slow)], ids=["small", "full"]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_of_damaged_items_among_many_none_is_lost_from_the_count(
    tmp_path: Path, items: int, broken: int, seed: int
) -> None:
    random_ = random.Random(seed)
    damaged = set(random_.sample(range(1, items), broken))
    check_rows(write_lines(tmp_path / "t.jsonl", items, damaged, random_), items, damaged)
    check_rows(write_rows(tmp_path / "t.csv", items, damaged, random_), items, damaged)
    count = Count()
    found = list(read_samples(write_shards(tmp_path / "tars", items, damaged, random_), count=count))
    assert {sample.key for sample in found if sample.captions} == {f"v1.{i}" for i in range(items) if i not in damaged}
    assert (count.images, count.captions, count.skipped.total()) == (items, items - broken, broken)
