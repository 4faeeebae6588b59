"""Reading takes constant memory, whatever the length of a table or a stream."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.data.sources.test_samples import write_tar
from textgroup.data.sources.samples import read_samples

CAPTION = "a dog runs along the beach " * 40


def write_csv(path: Path, rows: int) -> Path:
    path.write_text("image,caption\n" + "".join(f'{i}.jpg,"{CAPTION}"\n' for i in range(rows)))
    return path


def write_json(path: Path, rows: int) -> Path:
    path.write_text("[" + ",".join(f'{{"image": "{i}.jpg", "caption": "{CAPTION}"}}' for i in range(rows)) + "]")
    return path


def write_parquet(path: Path, rows: int) -> Path:
    table = pa.Table.from_pylist([{"image": f"{i}.jpg", "caption": CAPTION} for i in range(rows)])
    parquet.write_table(table, path, row_group_size=1000)
    return path


def peak(source: str | Path) -> int:
    """Most bytes that were allocated while the samples were drawn."""
    tracemalloc.start()
    for _ in read_samples(source):
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@pytest.mark.parametrize(
    ("write", "name"), [(write_csv, "t.csv"), (write_json, "t.json"), (write_parquet, "t.parquet")]
)
def test_a_long_table_takes_no_more_than_its_buffers(
    tmp_path: Path, write: Callable[[Path, int], Path], name: str
) -> None:
    peak(write(tmp_path / name, 100))  # what is imported at the first use
    table = write(tmp_path / name, 5_000)
    assert peak(table) < 3 << 20  # of 5 MB


def test_a_stream_takes_no_more_than_its_buffers(tmp_path: Path) -> None:
    tar = write_tar(tmp_path / "a.tar", {f"{i}.jpg": bytes(2000) for i in range(2_000)})
    assert peak(f"pipe:cat {tar}") < 6 << 20
