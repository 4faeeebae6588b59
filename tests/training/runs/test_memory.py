"""What is freed is given back."""

import sys
from pathlib import Path

import pytest

from textgroup.training.runs.memory import trim_memory


def held() -> float:
    """Memory of this process, without the pages of files, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_pieces_of_the_heap_between_what_is_in_use_are_given_back() -> None:
    pieces = [bytes(60_000) for _ in range(4000)]  # 229 MiB, each too small for the C library to map it alone
    last = pieces.pop()
    pieces.clear()
    before = held()
    trim_memory()
    assert held() < before - 150
    assert last is not None, "it lies above all others, and is why they were not given back at once"


def test_where_the_c_library_cannot_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Other:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            raise AttributeError(name)

    monkeypatch.setattr("textgroup.training.runs.memory.ctypes.CDLL", lambda name: Other())
    trim_memory()  # and no error
    assert asked == ["malloc_trim"]
