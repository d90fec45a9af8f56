"""The database for a process that forks helpers: no connection outlives a query or a transaction.

A child that inherits an open connection of any thread shares SQLite's table of locks, and takes its parent's locks for
its own: it reads stale pages, or fails (sqlite.org/howtocorrupt.html, 2.6). So a library's caller
has a connection open only while it holds `fork_lock`, which its forks take too.
"""

from __future__ import annotations

from podpy.process import fork_lock
from podpy.storage.database.database import Database

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from podpy.storage.database.database import Values


class BriefDatabase(Database):
    """A Database that opens a connection for each query or transaction, and closes it afterwards."""

    def __init__(self, path: str) -> None:
        """Open nothing yet."""
        self.path = path
        self._depth = 0
        self._uses = 0

    def query(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Return all rows. Raises StorageError."""
        with _Connected(self):
            return super().query(sql, values)

    def execute(self, sql: str, values: Values = ()) -> int:
        """Run a statement; see Database."""
        with _Connected(self):
            return super().execute(sql, values)

    def insert(self, sql: str, values: Values = ()) -> int:
        """Run an INSERT; see Database."""
        with _Connected(self):
            return super().insert(sql, values)

    def close(self) -> None:
        """Nothing is open."""

    def leave(self) -> None:
        """Nothing is open."""

    def _begin(self, durable: bool) -> None:
        self._connect()
        try:
            super()._begin(durable)
        except BaseException:
            self._disconnect()
            raise

    def _end(self, commit: bool) -> None:
        try:
            super()._end(commit)
        finally:
            self._disconnect()

    def _connect(self) -> None:
        fork_lock.acquire()
        self._uses += 1
        if self._uses == 1:
            try:
                super().__init__(self.path)
            except BaseException:
                self._uses -= 1
                fork_lock.release()
                raise

    def _disconnect(self) -> None:
        self._uses -= 1
        try:
            if not self._uses:
                super().close()
        finally:
            fork_lock.release()


class _Connected:
    """While the context lasts, the connection is open and nobody forks."""

    def __init__(self, database: BriefDatabase) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database._connect()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._database._disconnect()
