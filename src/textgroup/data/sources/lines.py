"""Lines of text from any stream, numbered, of bounded length."""

from collections.abc import Generator
from pathlib import Path

from textgroup.data.sources.count import Count
from textgroup.data.sources.streams import CUT, open_stream
from textgroup.errors import InputError

MAX_LINE = 1 << 20
"""Bytes of a line."""
LONG = f"a line longer than {MAX_LINE:,} bytes"
NOT_UTF8 = "not UTF-8 (convert the file, for example with iconv)"


def numbered_lines(name: str | Path, count: Count | None = None) -> Generator[tuple[int, str], None, None]:
    """Numbered lines, from 1, without their ends. A byte order mark is no part of the first.

    count: what is too long or not UTF-8 is left out and counted; without one it is an `InputError`.
    """
    count = Count(strict=True) if count is None else count
    number = 0
    with open_stream(str(name)) as file:
        try:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    count.skip(f"{name}:{number}", LONG)
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE)
                    continue
                if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise InputError(f"{name}: it is UTF-16; convert it to UTF-8, for example with iconv")
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    count.skip(f"{name}:{number}", NOT_UTF8)
                    continue
                yield number, text.rstrip("\r\n")
        except CUT as error:
            raise InputError(f"{name}: damaged after line {number} ({error}); download or write it again") from None
