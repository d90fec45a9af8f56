"""Reads events, past and new. Nothing is polled: the kernel reports changes of the database's files (inotify(7))."""

from __future__ import annotations

import os
from time import time_ns

from podpy.libpod.filters.events import wanted
from podpy.storage.database import event_rows
from podpy.storage.database.event_rows import Event as Event  # the items of a stream
from podpy.times import SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from podpy.libpod.engine import Engine
    from podpy.storage.database.database import Database
    from podpy.storage.database.event_rows import Row


def _written_file(database: Database) -> str:
    """Return the name of the file that each commit writes: the WAL (sqlite.org/wal.html), else the database."""
    mode = database.query("PRAGMA journal_mode")[0][0]
    return os.path.basename(database.path) + ("-wal" if mode == "wal" else "")


class EventStream:
    """An iterator of events, and a context that closes it.

    First past events in order of time; then, with `follow`, new ones in the order of their commits. `close` also ends a
    wait, from any thread.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        since: int = 0,
        until: int = 0,
        filters: Sequence[str] = (),
        follow: bool = False,
        past: bool = True,
        output: int = -1,
    ) -> None:
        """See Runtime.events. Without `past` there are only new events. Raises UsageError."""
        self._engine = engine
        self._until = until
        self._wanted = wanted(filters, since=since, until=until)
        self._follow = follow
        self._past = past
        self._output = output
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._closed = False
        self._events = self._one_by_one()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        self._events.close()
        os.close(self._bell)
        self._bell = -1

    def close(self) -> None:
        """End the stream: a thread that is waiting for the next event gets StopIteration."""
        self._closed = True
        if self._bell >= 0:
            os.eventfd_write(self._bell, 1)

    def batches(self) -> Iterator[list[Event]]:
        """Yield the same events in lists, as they are read: each list has all events that there are at the moment."""
        for rows in self._rows():
            yield [event_rows.event_of(row) for row in rows]

    def texts(self, *, cut: bool = False) -> Iterator[str]:
        """Yield Podman's lines, several events at a time; `cut`: only the first 12 digits of ids."""
        for rows in self._rows():
            yield event_rows.text_of(rows, cut=cut)

    def _rows(self) -> Iterator[list[Row]]:
        database = self._engine.database  # opening creates it, so that its files can be watched
        if not self._follow:
            self._take_over()
            yield from self._stored(event_rows.newest(database))
            return
        from podpy.libpod.io.watch import FileWatch

        noted = self._engine.health_events_directory
        os.makedirs(noted, mode=0o700, exist_ok=True)
        directory = os.path.dirname(database.path)
        with FileWatch(directory, written=_written_file(database), moved_into=noted) as watch:
            self._take_over()
            last = event_rows.newest(database)
            if self._past:
                yield from self._stored(last)
            while not self._closed:
                self._take_over()
                before, last = last, self._newest(last)
                if last != before:
                    yield event_rows.between(database, before, last, self._wanted)
                left = (self._until - time_ns()) / SECOND if self._until else None
                if self._closed or (left is not None and left <= 0):
                    return
                if last == before:
                    watch.wait(timeout=left, bell=self._bell, output=self._output)

    def _take_over(self) -> None:
        """Move health changes from the monitors' files into the table of events."""
        from podpy.errors import StorageError
        from podpy.libpod.containers.health import take_over

        try:
            take_over(self._engine)
        except StorageError:
            pass  # for example a full disk: the next call does it

    def _one_by_one(self) -> Generator[Event]:
        for rows in self._rows():
            yield from map(event_rows.event_of, rows)

    def _stored(self, last: int) -> Iterator[list[Row]]:
        for rows in event_rows.until(self._engine.database, last, self._wanted):
            if self._closed:
                return
            yield rows

    def _newest(self, last: int) -> int:
        """Return the number of the newest event. If it is `last`, no transaction is in progress.

        A commit first writes to the file, which wakes us, and then to the shared memory, which makes it visible
        (sqlite.org/walformat.html). Between the two we would see nothing new, and nothing would wake us again.
        """
        database = self._engine.database
        found = event_rows.newest(database)
        if found == last:
            with database.transaction():  # waits for a writer's end
                found = event_rows.newest(database)
        return found
