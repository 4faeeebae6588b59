"""The keys of a store that is being written: each may come once."""

import sqlite3

from textgroup.errors import InputError


class DistinctKeys:
    """Keys that have come, in a temporary file: in memory each would take a hundred bytes.

    The file has no name and goes with the process.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE keys (key BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, key: str) -> bool:
        """Whether this key is new. Raises `InputError` if there is no room on the disk."""
        row = (key.encode("utf-8", "surrogatepass"),)
        try:
            return self._database.execute("INSERT OR IGNORE INTO keys VALUES (?)", row).rowcount == 1
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            raise InputError("the disk for temporary files is full: set TMPDIR to a folder on another") from None
