"""podpy.sqlite: the one truth about names, images, layers, containers and volumes.

`_sqlite3`, the C half, is used directly: the `sqlite3` package adds `datetime` and its adapters, and doubles the
import.

Journal: WAL, except on network file systems (its shared memory needs one host and coherent mmap), where it is a
rollback journal. In WAL a commit with `synchronous=NORMAL` may be lost in a power cut but never tears the database, and
costs no fsync: that is right for container state, since the containers are gone after a power cut too. A transaction
that makes an image visible is `durable=True` (`synchronous=FULL`): its files were synced before it.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import InUseError, NoSpaceError, StorageError, UsageError
from podpy.storage.database import schema
from podpy.storage.database.sqlite import _sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from podpy.config.paths import Paths

    Values = tuple[Any, ...] | list[Any]

FILE_NAME = "podpy.sqlite"
BUSY_TIMEOUT_SECONDS = 60.0
# The next opener reads the whole WAL, so it is kept short. SQLite's own way isn't enough: after a commit it copies the
# WAL home, but the "may restart" flag lives in shared memory and is lost when the last connection closes.
_LONGEST_WAL = 1 << 20  # bytes
_ATTEMPTS = 3  # to find room for SQLite's shared memory
_LITTLE_ROOM = 1 << 20  # bytes; a removal's rows and directories take less
_NO_CHECKPOINT: int | None = getattr(_sqlite3, "SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE", None)  # since Python 3.12
_left: list[object] = []


class Database:
    """One connection. It may move between threads, but only one thread at a time may use it."""

    keeps_events: Callable[[], bool] | None = None
    """Is asked when an event is told; without it they are kept."""
    on_events: Callable[[Database, int], None] | None = None
    """Is called after a commit that had events, with how many."""
    _told = 0  # events in the transaction under way

    def __init__(self, path: str) -> None:
        """Open the database file at `path`, which must exist. Raises StorageError."""
        self.path = path
        self._depth = 0
        self._durable = False
        self._told = 0
        for _ in range(_ATTEMPTS):
            try:
                self._connection = _connect(path)
            except NoSpaceError:
                from podpy.storage.database import reserve

                if not reserve.give_up_some(os.path.dirname(path)):
                    raise
            else:
                return
        self._connection = _connect(path)

    @classmethod
    def open(cls, paths: Paths) -> Database:
        """Open the user's database, and make or migrate it where needed. Raises StorageError."""
        path = os.path.join(os.fspath(paths.graphroot), FILE_NAME)
        if not os.path.exists(path):
            _create(path)
        database = cls(path)
        version = database.query("PRAGMA user_version")[0][0]
        if version != schema.VERSION:
            _migrate(database, version)
        return database

    def query(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Return all rows. A text that isn't UTF-8 (a name of the command line) equals none. Raises StorageError."""
        try:
            rows: list[tuple[Any, ...]] = self._connection.execute(sql, values).fetchall()
        except UnicodeEncodeError:
            return self.query(sql, [_comparable(value) for value in values])
        except _sqlite3.Error as error:
            raise _storage_error(self.path, error) from error
        return rows

    def execute(self, sql: str, values: Values = ()) -> int:
        """Run a statement and return how many rows it changed. Raises InUseError (a unique value is taken), UsageError
        (a text isn't UTF-8), StorageError.
        """
        try:
            count: int = self._connection.execute(sql, values).rowcount
        except UnicodeEncodeError as error:
            raise UsageError(f"{error.object!r} isn't UTF-8: invalid argument") from None
        except _sqlite3.IntegrityError as error:
            raise InUseError(f"already in use: {error}") from error
        except _sqlite3.Error as error:
            raise _storage_error(self.path, error) from error
        return count

    def insert(self, sql: str, values: Values = ()) -> int:
        """Run an INSERT and return the new row's number. Raises InUseError, StorageError."""
        self.execute(sql, values)
        row: int = self.query("SELECT last_insert_rowid()")[0][0]
        return row

    def transaction(self, *, durable: bool = False) -> Transaction:
        """Return a context: everything in it is committed together, or rolled back if it raises.

        It takes the write lock at once (no later upgrade that could fail). A transaction within one is part of it.
        """
        return Transaction(self, durable)

    def get_meta(self, key: str) -> str:
        """Return a value of the meta table, or an empty text."""
        rows = self.query("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else ""

    def set_meta(self, key: str, value: str) -> None:
        """Store a value in the meta table."""
        self.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )

    def make_room(self) -> None:
        """Make room for the first writes of a removal: on a full file system the reserve is given up.

        Call it outside of transactions, and only before freeing space.
        """
        graphroot = os.path.dirname(self.path)
        room = os.statvfs(graphroot)
        if self._depth or room.f_bavail * room.f_frsize >= _LITTLE_ROOM:
            return
        from podpy.storage.database import reserve

        reserve.give_up(graphroot)
        try:
            # If another process takes that room at once: a WAL that was copied home is written again from its
            # beginning.
            self.query("PRAGMA wal_checkpoint(RESTART)")
        except StorageError:
            pass  # what comes now says it

    def begin_event(self) -> bool:
        """Return whether events are kept; to be called in the transaction that writes one."""
        if self.keeps_events is not None and not self.keeps_events():
            return False
        self._told += 1
        return True

    def close(self) -> None:
        """Close the connection."""
        if _NO_CHECKPOINT is not None:
            self._connection.setconfig(_NO_CHECKPOINT, True)
        self._connection.close()

    def leave(self) -> None:
        """Close the connection at the end of a command, without the two fsyncs that its last closer would make.

        SQLite copies the WAL home and removes it when the last connection closes. That is right for a server. Here
        every call is the last, so the WAL stays until it is long. Python 3.11 can't turn the copying off, so there the
        connection stays open until the process is gone (`os._exit`), or the next one is left.
        """
        self._bring_home()
        if _NO_CHECKPOINT is not None:
            self.close()
        else:
            _left[:] = [self._connection]

    def _bring_home(self) -> None:
        """Copy a long WAL into the database and empty it, unless another call is at work: then its end will."""
        try:
            if os.stat(self.path + "-wal").st_size > _LONGEST_WAL:
                self._connection.execute("PRAGMA busy_timeout=0")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except (OSError, _sqlite3.Error):
            pass  # no WAL, or a full disk: the rows may stay in the WAL

    def _begin(self, durable: bool) -> None:
        if self._depth == 0:
            # The pragma can't be changed within a transaction; it costs no input or output.
            if durable != self._durable:
                self.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self.execute("BEGIN IMMEDIATE")
        self._depth += 1

    def _end(self, commit: bool) -> None:
        self._depth -= 1
        if self._depth:
            return
        if commit:
            try:
                self.execute("COMMIT")
            except BaseException:
                self._rollback()
                raise
        else:
            self._rollback()
        told, self._told = self._told, 0
        if told and commit and self.on_events is not None:
            self.on_events(self, told)

    def _rollback(self) -> None:
        # A full disk or an I/O error may have rolled back already; then ROLLBACK itself is an error.
        if self._connection.in_transaction:
            self.execute("ROLLBACK")


class Transaction:
    """What `Database.transaction` returns."""

    def __init__(self, database: Database, durable: bool) -> None:
        self._database = database
        self._is_durable = durable

    def __enter__(self) -> Database:
        self._database._begin(self._is_durable)
        return self._database

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database._end(kind is None)


def _create(path: str) -> None:
    # Made aside and linked into place: so nobody sees half a schema, and two first calls need no lock. The second link
    # fails, and its call uses the first one's database. Aside is a staging directory, so a kill leaves nothing.
    from podpy.storage import crash_point
    from podpy.storage.layers import filesystem
    from podpy.storage.staging import Staging

    graphroot = os.path.dirname(path)
    staging = Staging(graphroot)
    try:
        os.makedirs(graphroot, mode=0o700, exist_ok=True)
        aside = staging.new_path("database")
        _build(aside, wal=not filesystem.is_network(graphroot))
        crash_point("database:built")
        os.link(aside, path)
        files.fsync_directory(graphroot)
    except FileExistsError:
        pass
    except _sqlite3.Error as error:
        raise _storage_error(path, error) from error
    except OSError as error:
        raise StorageError(f"can't create {path}: {error.strerror}") from error
    finally:
        staging.close()


def _connect(path: str) -> _sqlite3.Connection:
    """Return a new connection. Raises StorageError; NoSpaceError if there is no room for SQLite's shared memory.

    Whenever nobody else has the database open, that is truncated and its blocks are taken again (`-shm`,
    sqlite.org/walformat.html): on a full file system somebody else may have been faster.
    """
    try:
        connection = _sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous=NORMAL")  # reads the schema, and so makes the shared memory
            connection.execute("PRAGMA foreign_keys=ON")
        except BaseException:
            connection.close()
            raise
    except _sqlite3.Error as error:
        raise _storage_error(path, error) from error
    return connection


def _build(path: str, *, wal: bool) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    connection = _sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}")
        connection.execute("PRAGMA synchronous=FULL")
        script = "".join(schema.MIGRATIONS)
        connection.executescript(f"BEGIN;{script}PRAGMA user_version={schema.VERSION};COMMIT;")
    finally:
        connection.close()


def _migrate(database: Database, version: int) -> None:
    if version > schema.VERSION:
        raise StorageError(
            f"{database.path} was written by a newer podpy (schema {version}, this one knows {schema.VERSION})",
            hint="Use the newer podpy, or another --root",
        )
    with database.transaction(durable=True):
        version = database.query("PRAGMA user_version")[0][0]  # again, under the lock: another call may have done it
        for script in schema.MIGRATIONS[version:]:
            for statement in _statements(script):
                database.execute(statement)
        database.execute(f"PRAGMA user_version={schema.VERSION}")


def _statements(script: str) -> list[str]:
    # executescript commits first; statements must be given one by one to stay in the transaction.
    statements: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if _sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements


def _comparable(value: Any) -> Any:
    """Return a text that isn't UTF-8 as bytes, which no text equals (sqlite.org/datatype3.html)."""
    try:
        if isinstance(value, str):
            value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return value


def _storage_error(path: str, error: _sqlite3.Error) -> StorageError:
    text = str(error)
    hint = ""
    if getattr(error, "sqlite_errorname", "") == "SQLITE_IOERR_SHMSIZE":
        return NoSpaceError(f"{path}: the disk is full, SQLite's shared memory finds no room; nothing was changed")
    if "locked" in text:
        hint = f"Another podpy call has held the database for {BUSY_TIMEOUT_SECONDS:.0f} seconds; try again"
    elif "full" in text:
        return NoSpaceError(f"{path}: {text}; nothing was changed")
    elif "malformed" in text or "not a database" in text:
        hint = "The file is damaged: run podpy system check"
    elif "readonly" in text:
        hint = f"Check that {os.path.dirname(path)} belongs to you and isn't on a file system that is mounted read-only"
    elif "unable to open" in text:
        hint = f"Check that {os.path.dirname(path)} exists and belongs to you"
    return StorageError(f"{path}: {text}", hint=hint)
