"""The manager of secrets: `runtime.secrets`."""

from __future__ import annotations

from podpy import linux
from podpy.errors import NoSuchSecretError
from podpy.storage.secrets.table import SIZE_LIMIT as SIZE_LIMIT
from podpy.storage.secrets.table import Secret as Secret
from podpy.storage.secrets.table import Secrets as Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podpy.libpod.engine import Engine

FILTERS = ("name", "id")


def keep_memory_private() -> None:
    """Keep this process's memory out of core dumps, and from debuggers of the same user (PR_SET_DUMPABLE).

    Only in a process of podpy's own, once it is in its user namespace. It lasts until the process ends, since Python
    can't wipe what it has read; a program that is started has its own.
    """
    linux.prctl(linux.PR_SET_DUMPABLE, 0)


class Secrets:
    """The secrets of one store. Their data is bytes; only `data` returns it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name_or_id: str) -> Secret:
        """Return a secret by name, id, or beginning of its id. Raises NoSuchSecretError, AmbiguousNameError."""
        return self._table().find(name_or_id)

    def exists(self, name_or_id: str) -> bool:
        """Return whether there is such a secret."""
        try:
            self.get(name_or_id)
        except NoSuchSecretError:
            return False
        return True

    def list(self, filters: Sequence[str] = ()) -> Sequence[Secret]:
        """Return the secrets that match the filters ("name=…", "id=…": regular expressions), sorted by name.

        Raises UsageError for an unknown filter.
        """
        from podpy.libpod.filters.parse import match_pattern, parse

        wanted = parse(list(filters), FILTERS, unknown='invalid filter "{}"')
        return [
            secret
            for secret in self._table().all()
            if all(match_pattern(values, getattr(secret, key)) for key, values in wanted.items())
        ]

    def create(
        self,
        name: str,
        data: bytes,
        *,
        driver: str = "",
        options: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        replace: bool = False,
        ignore: bool = False,
        part_of: str = "",
    ) -> Secret:
        """Store data (1 to 511,999 bytes) under a name.

        `driver`: file, pass, shell, or one of a Python package; "": containers.conf's, with its options if none are
        given. `replace`: replace a secret of that name; `ignore`: return the existing one unchanged. `part_of`:
        the id of an Unfinished, which a new one belongs to. Raises InUseError, UsageError, StorageError; then nothing
        has changed.
        """
        conf = self._engine.conf
        chosen = driver or conf.secrets_driver
        if not options and chosen == conf.secrets_driver:
            options = conf.secrets_opts
        return self._table().create(
            name,
            data,
            driver=chosen,
            options=options,
            labels=labels,
            replace=replace,
            ignore=ignore,
            part_of=part_of,
        )

    def remove(self, name_or_id: str) -> Secret:
        """Remove a secret; containers that use it run on, but can't be started again. Raises NoSuchSecretError."""
        return self._table().remove(name_or_id)

    def data(self, name_or_id: str) -> bytes:
        """Return a secret's data. Raises NoSuchSecretError, AmbiguousNameError, StorageError (its driver failed)."""
        table = self._table()
        return table.data(table.find(name_or_id))

    def _table(self) -> Table:
        return Table(self._engine.paths, self._engine.database, self._engine.caller.environ)
