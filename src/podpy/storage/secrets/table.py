"""The secrets of one store: rows of podpy.sqlite, and the drivers that keep the data."""

from __future__ import annotations

import fcntl
import os
from time import time_ns

from podpy import fastjson
from podpy.errors import AmbiguousNameError, InUseError, NoSuchSecretError, PodpyError, StorageError, UsageError
from podpy.notice import warn
from podpy.record import Record
from podpy.storage import crash_point
from podpy.storage.database.events import tell
from podpy.storage.database.unfinished import SECRET, note
from podpy.storage.secrets import drivers
from podpy.storage.secrets.ids import ID_LENGTH, is_id_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podpy.config.paths import Paths
    from podpy.storage.database.database import Database
    from podpy.storage.secrets.drivers import SecretDriver

FILE = "file"
SIZE_LIMIT = 512_000  # bytes; data is smaller (podman-secret-create(1))
_LONGEST_NAME = 253
_WITH_FILES = (FILE, "pass")
_FORBIDDEN = frozenset("=/,\0")
_COLUMNS = "id, name, driver, options, labels, created, updated"


class Secret(Record):
    """One secret without its data. Times are nanoseconds since 1970; `id` is 25 hexadecimal digits."""

    id: str
    name: str
    driver: str = FILE
    options: dict[str, str] = {}
    labels: dict[str, str] = {}
    created: int = 0
    updated: int = 0


class Secrets:
    """The user's secrets."""

    def __init__(self, paths: Paths, database: Database, environ: Mapping[str, str]) -> None:
        """`environ`: what the drivers' programs are started with."""
        self._database = database
        self._directory = os.path.join(os.fspath(paths.graphroot), "secrets")
        self._environ = environ

    def all(self) -> list[Secret]:
        """Return every secret, by name."""
        return [_secret(row) for row in self._database.query(f"SELECT {_COLUMNS} FROM secrets ORDER BY name")]

    def find(self, name_or_id: str) -> Secret:
        """Return the secret with this name, id, or beginning of an id. Raises NoSuchSecretError, AmbiguousNameError."""
        rows = self._database.query(f"SELECT {_COLUMNS} FROM secrets WHERE name = ?", (name_or_id,))
        if not rows and is_id_start(name_or_id):
            query = f"SELECT {_COLUMNS} FROM secrets WHERE id >= ? AND id < ? LIMIT 2"
            rows = self._database.query(query, (name_or_id, name_or_id + "g"))
        if len(rows) > 1:
            raise AmbiguousNameError(
                f"more than one result secret with prefix {name_or_id}: secret is ambiguous", hint="Give more digits"
            )
        if not rows:
            raise NoSuchSecretError(
                f'no secret with name or id "{name_or_id}": no such secret', hint="See podpy secret ls"
            )
        return _secret(rows[0])

    def create(
        self,
        name: str,
        data: bytes,
        *,
        driver: str = FILE,
        options: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        replace: bool = False,
        ignore: bool = False,
        part_of: str = "",
    ) -> Secret:
        """Keep data under a name; `replace` one of that name, or with `ignore` return it as it is.

        `part_of`: the call's work that a secret of a new name belongs to (storage.database.unfinished). One that is
        replaced keeps when it was created. Raises InUseError, UsageError (name, size, driver), StorageError (the driver
        failed): then all is as it was.
        """
        _check(name, data)
        given = dict(options or {})
        if driver == FILE:
            given.setdefault("path", self._own_files)
        keeper = self._driver(driver, given)
        with self._locked():
            self._sweep()
            old = self._named(name)
            if old is not None and ignore:
                return old
            if old is not None and not replace:
                raise InUseError(f"{name}: secret name in use", hint="Use --replace to change it")
            now = time_ns()
            new = Secret(
                id=self._new_id(),
                name=name,
                driver=driver,
                options=given,
                labels=dict(labels or {}),
                created=old.created if old else now,
                updated=now,
            )
            self._store(keeper, new, data, old, part_of)
        return new

    def remove(self, name_or_id: str) -> Secret:
        """Remove a secret and its data; containers that use it run on. Raises NoSuchSecretError, StorageError.

        If its driver is gone (a package was removed) the data stays, with a warning.
        """
        self._database.make_room()
        with self._locked():
            self._sweep()
            secret = self.find(name_or_id)
            # The driver first: if it fails the row stays, and with it the means to try again.
            try:
                keeper = self._driver(secret.driver, secret.options)
            except UsageError as error:
                warn(f"the data of secret {secret.name} stays with its driver, under {secret.id}: {error.message}")
            else:
                _delete(keeper, secret)
            crash_point("secret:deleted")
            self._forget(secret)
        return secret

    def check(self, *, repair: bool = False) -> list[tuple[str, bool]]:
        """Return what is wrong, and whether it has been repaired: data without a row, rows without data.

        Only drivers that keep files are asked: a vault may be slow, closed, or ask somebody. Rows are removed for data
        in podpy's own directory alone: another one may just not be mounted.
        """
        found = []
        with self._locked():
            stray = self._stray()
            found += [(f"secrets/filedriver/{name}: no secret has it", repair) for name in stray]
            lost = self._lost()
            for secret in lost:
                is_own = secret.driver == FILE and secret.options.get("path") == self._own_files
                found.append((f"secret {secret.name}: its data is missing", repair and is_own))
                if repair and is_own:
                    self._forget(secret)
            if repair:
                self._sweep()
        return found

    def _forget(self, secret: Secret) -> None:
        with self._database.transaction(durable=True):
            self._database.execute("DELETE FROM secrets WHERE id = ?", (secret.id,))
            tell(self._database, "secret", "remove", secret.id, secret.name, secret.labels)

    def _lost(self) -> list[Secret]:
        """Return the secrets whose data isn't there, as far as their drivers keep files."""
        lost = []
        kept: dict[str, set[str] | None] = {}
        for secret in self.all():
            if secret.driver not in _WITH_FILES:
                continue
            key = f"{secret.driver} {fastjson.dumps(secret.options)}"
            if key not in kept:
                try:
                    kept[key] = {*self._driver(secret.driver, secret.options).ids()}
                except (OSError, PodpyError):
                    kept[key] = None  # an unmounted store says nothing
            ids = kept[key]
            if ids is not None and secret.id not in ids:
                lost.append(secret)
        return lost

    def data(self, secret: Secret) -> bytes:
        """Return a secret's data. Raises NoSuchSecretError, StorageError."""
        try:
            return self._driver(secret.driver, secret.options).lookup(secret.id)
        except OSError as error:
            raise StorageError(f"secret {secret.name}: {error.filename or secret.driver}: {error.strerror}") from error

    @property
    def _own_files(self) -> str:
        return os.path.join(self._directory, "filedriver")

    def _driver(self, name: str, options: Mapping[str, str]) -> SecretDriver:
        return drivers.find(name, options, self._environ)

    def _store(self, keeper: SecretDriver, new: Secret, data: bytes, old: Secret | None, part_of: str) -> None:
        try:
            keeper.store(new.id, data)
            crash_point("secret:stored")
            with self._database.transaction(durable=True):
                if old is not None:
                    self._database.execute("DELETE FROM secrets WHERE id = ?", (old.id,))
                marks = ", ".join("?" * len(Secret._fields))
                self._database.execute(f"INSERT INTO secrets ({_COLUMNS}) VALUES ({marks})", _row(new))
                tell(self._database, "secret", "create", new.id, new.name, new.labels)
                if old is None:
                    note(self._database, part_of, SECRET, new.id)
        except BaseException as error:
            try:
                if not self._has_row(new):  # it may have been committed before something was interrupted
                    keeper.delete(new.id)
            except (OSError, PodpyError):
                pass  # what failed before is the better error
            if isinstance(error, OSError):
                where = f" ({error.filename})" if error.filename else ""
                raise StorageError(f"creating secret {new.name}: {error.strerror}{where}") from error
            raise
        if old is not None:
            try:
                _delete(self._driver(old.driver, old.options), old)
            except PodpyError as error:  # too late for a refusal: the name has the new data
                warn(f"the former data of secret {old.name} stays under {old.id}: {error.message}")

    def _has_row(self, secret: Secret) -> bool:
        return bool(self._database.query("SELECT 1 FROM secrets WHERE id = ?", (secret.id,)))

    def _named(self, name: str) -> Secret | None:
        rows = self._database.query(f"SELECT {_COLUMNS} FROM secrets WHERE name = ?", (name,))
        return _secret(rows[0]) if rows else None

    def _new_id(self) -> str:
        return os.urandom(ID_LENGTH).hex()[:ID_LENGTH]

    def _locked(self) -> _Lock:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        return _Lock(os.path.join(self._directory, "lock"))

    def _sweep(self) -> None:
        """Remove the file driver's data that no row knows: a call was killed. The lock is held: nobody is at it."""
        driver = self._driver(FILE, {"path": self._own_files})
        for name in self._stray():
            driver.delete(name)

    def _stray(self) -> list[str]:
        known = {secret.id for secret in self.all()}
        return [name for name in self._driver(FILE, {"path": self._own_files}).ids() if name not in known]


class _Lock:
    """The lock of whoever changes secrets; the kernel drops it when its holder dies."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_error: object) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)  # a forked helper may have a copy of the descriptor
        os.close(self._descriptor)


def _check(name: str, data: bytes) -> None:
    # "." and ".." would be no file of their own in /run/secrets; control characters are no text for a list.
    bad = name in (".", "..") or any(char in _FORBIDDEN or char < " " or char == "\x7f" for char in name)
    if bad or not 0 < len(name.encode("utf-8", "surrogateescape")) <= _LONGEST_NAME:
        raise UsageError(
            f"secret name {fastjson.dumps(name)} can not include '=', '/', ',', or the '\\0' (NULL) and be between 1 "
            f"and {_LONGEST_NAME} characters: invalid secret name"
        )
    if not 0 < len(data) < SIZE_LIMIT:
        raise UsageError(f"secret data must be larger than 0 and less than {SIZE_LIMIT} bytes")


def _delete(driver: SecretDriver, secret: Secret) -> None:
    try:
        driver.delete(secret.id)
    except OSError as error:
        raise StorageError(f"deleting secret {secret.name}: {error.strerror} ({error.filename})") from error
    except StorageError:
        # A vault's command may fail for what is gone already: a call was killed, or somebody has removed it by hand.
        if secret.id in driver.ids():
            raise


def _row(secret: Secret) -> tuple[Any, ...]:
    texts = (fastjson.dumps(secret.options), fastjson.dumps(secret.labels))
    return (secret.id, secret.name, secret.driver, *texts, secret.created, secret.updated)


def _secret(row: tuple[Any, ...]) -> Secret:
    identifier, name, driver, options, labels, created, updated = row
    return Secret(
        id=identifier,
        name=name,
        driver=driver,
        options=fastjson.loads(options),
        labels=fastjson.loads(labels),
        created=created,
        updated=updated,
    )
