"""The driver `file`: one file per secret, DIRECTORY/ID, readable by its owner alone, and encrypted if asked for."""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import UsageError
from podpy.storage.secrets.ids import is_id, no_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


SYSTEMD = "systemd-creds"
_OPTIONS = {"path", "encrypt"}


class FileDriver:
    """Keeps data in a directory of mode 0700, in files of mode 0600."""

    def __init__(self, options: Mapping[str, str]) -> None:
        """`path`: the directory; `encrypt`: systemd-creds. Raises UsageError for another option, a relative path."""
        self._directory = options.get("path", "")
        self._cipher = options.get("encrypt", "")
        unknown = set(options) - _OPTIONS
        if unknown:
            raise UsageError(f"invalid file driver option: {', '.join(sorted(unknown))!r}", hint="One of path, encrypt")
        if self._cipher not in ("", SYSTEMD):
            raise UsageError(f"encrypt={self._cipher}: invalid file driver option", hint=f"It can be {SYSTEMD}")
        if not self._directory.startswith("/"):
            raise UsageError("need path for filedriver: invalid driver option", hint="An absolute one: path=/…")

    def ids(self) -> list[str]:
        """Return the ids of all data that is kept. Raises OSError."""
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return []
        return sorted(name for name in names if is_id(name.removesuffix(".new")))

    def lookup(self, secret_id: str) -> bytes:
        """Return what is kept. Raises NoSuchSecretError, StorageError (encrypted elsewhere), OSError."""
        try:
            descriptor = os.open(self._path(secret_id), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise no_data(secret_id) from None
        with open(descriptor, "rb") as file:
            kept = file.read()
        if not self._cipher:
            return kept
        from podpy.storage.secrets import system_credentials

        return system_credentials.decrypt(secret_id, kept)

    def store(self, secret_id: str, data: bytes) -> None:
        """Keep data. Raises StorageError (there is nothing to encrypt with), OSError."""
        if self._cipher:
            from podpy.storage.secrets import system_credentials

            data = system_credentials.encrypt(secret_id, data)
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        files.replace(self._path(secret_id), data, 0o600, lasting=True)

    def delete(self, secret_id: str) -> None:
        """Forget data, if it is there. Raises OSError."""
        files.unlink(self._path(secret_id))

    def _path(self, secret_id: str) -> str:
        return os.path.join(self._directory, secret_id)
