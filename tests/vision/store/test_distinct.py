"""Keys that have come are known again, in constant memory."""

import sys

import pytest

from tests.training.runs.test_memory import held
from textgroup.errors import InputError
from textgroup.vision.store.distinct import DistinctKeys


@pytest.mark.parametrize("key", ["", "a", "a\0b", "\ud800", "naïve", "a" * 100_000])
def test_a_key_is_new_once(key: str) -> None:
    keys = DistinctKeys()
    assert keys.add(key + "!")
    assert keys.add(key)
    assert not keys.add(key)
    assert keys.add(key + "?")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_many_keys_take_no_memory() -> None:
    keys = DistinctKeys()
    for number in range(5_000):
        keys.add(f"{number:04}")
    before = held()
    for number in range(40_000):
        keys.add(f"{number:0600}")  # 23 MiB of text
    assert held() < before + 5
    assert not keys.add(f"{0:0600}")


def test_where_they_do_not_fit_on_the_disk_the_remedy_is_named() -> None:
    keys = DistinctKeys()
    keys._database.execute("PRAGMA max_page_count = 8")
    with pytest.raises(InputError, match=r"temporary files is full: set TMPDIR"):
        for number in range(1_000):
            keys.add(f"{number:0600}")
