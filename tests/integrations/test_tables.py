"""A column of captions in, a column of units out."""

from pathlib import Path
from typing import Any

import pytest

import textgroup
from textgroup import InputError
from textgroup.inference.streaming import WINDOW
from textgroup.integrations.tables import segment_parquet, units_column

CAPTIONS = ["A man in a blue hat.", None, "", "Two dogs run."]


def expected(captions: list[Any]) -> list[Any]:
    units = iter(textgroup.load().segment([caption for caption in captions if caption is not None]))
    return [None if caption is None else next(units).to_dict()["units"] for caption in captions]


def write(path: Path, columns: dict[str, Any], **settings: Any) -> Path:
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'textgroup[parquet]'")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table(columns), path, **settings)
    return path


def read(path: Path) -> dict[str, list[Any]]:
    import pyarrow.parquet

    columns: dict[str, list[Any]] = pyarrow.parquet.read_table(path).to_pydict()
    return columns


def test_a_missing_caption_has_missing_units() -> None:
    assert units_column(textgroup.load(), iter(CAPTIONS)) == expected(CAPTIONS)
    assert units_column(textgroup.load(), [float("nan")]) == [None]
    assert units_column(textgroup.load(), []) == []


def test_what_is_no_text_is_named() -> None:
    with pytest.raises(InputError, match=r"captions\[1\] is 7"):
        units_column(textgroup.load(), [None, 7])


@pytest.mark.parametrize("dtype", ["object", "string", "str"])
def test_a_column_of_pandas(dtype: str) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas")
    frame = pandas.DataFrame({"caption": pandas.Series(CAPTIONS, dtype=dtype, index=[7, 7, 3, 1])})
    frame["units"] = units_column(textgroup.load(), frame["caption"])
    assert [None if units is None else list(units) for units in frame["units"]] == expected(CAPTIONS)


def test_a_parquet_file_keeps_its_rows_and_columns_and_gets_one_more(tmp_path: Path) -> None:
    captions = [f"A man holds {i} flags." if i % 7 else None for i in range(2 * WINDOW + 100)]
    numbers = list(range(len(captions)))
    source = write(tmp_path / "in.parquet", {"n": numbers, "caption": captions}, row_group_size=1000)
    assert segment_parquet(source, tmp_path / "out.parquet") == len(captions)
    assert read(tmp_path / "out.parquet") == {"n": numbers, "caption": captions, "units": expected(captions)}


def test_an_empty_table_gets_an_empty_column(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'textgroup[parquet]'")
    source = write(tmp_path / "in.parquet", {"caption": pa.array([], pa.string())})
    assert segment_parquet(source, tmp_path / "out.parquet") == 0
    assert read(tmp_path / "out.parquet") == {"caption": [], "units": []}


def test_several_workers_write_the_same(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", {"text": CAPTIONS})
    segment_parquet(source, tmp_path / "two.parquet", column="text", workers=2)
    assert read(tmp_path / "two.parquet") == {"text": CAPTIONS, "units": expected(CAPTIONS)}


def test_a_table_that_cannot_be_cut_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    out = write(tmp_path / "out.parquet", {"old": [1]})
    source = write(tmp_path / "in.parquet", {"n": [1], "units": ["x"], "caption": ["a dog"]})
    (tmp_path / "text.txt").write_text("a dog\n")
    for given, column, said in (
        (source, "captions", "no column 'captions': its columns are 'n', 'units', 'caption'"),
        (source, "n", "column 'n' holds int64, not text"),
        (source, "caption", "has a column 'units' already"),
        (tmp_path / "text.txt", "caption", "cannot be read as Parquet"),
        (tmp_path / "nowhere", "caption", "cannot be read as Parquet"),
    ):
        with pytest.raises(InputError, match=said):
            segment_parquet(given, out, column=column)
    assert read(out) == {"old": [1]}
