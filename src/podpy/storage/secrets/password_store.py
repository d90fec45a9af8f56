"""The driver `pass`: files encrypted by gpg in a password store, as pass(1) keeps them: ROOT/ID.gpg.

The program pass isn't needed. A store is for one key, which the nearest file .gpg-id at or above ROOT names.
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.errors import NotFoundError, StorageError, UsageError
from podpy.storage.secrets.ids import is_id, no_data
from podpy.storage.secrets.programs import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTIONS = {"root", "key", "gpghomedir"}
_STORES = (".password-store", ".local/share/gopass/stores/root")  # below the home, as Podman looks for them
_SUFFIX = ".gpg"


class PasswordStoreDriver:
    """Keeps data in a password store."""

    def __init__(self, options: Mapping[str, str], environ: Mapping[str, str]) -> None:
        """`root`, `key`, `gpghomedir`: podman-secret-create(1). Raises UsageError."""
        unknown = set(options) - _OPTIONS
        if unknown:
            raise UsageError(
                f"invalid pass driver option: {', '.join(sorted(unknown))!r}", hint=f"One of {sorted(_OPTIONS)}"
            )
        self._root = options.get("root") or _usual_root(environ.get("HOME", ""))
        if not self._root.startswith("/"):
            raise UsageError(f"pass driver: root={self._root!r} must be an absolute path")
        self._key = options.get("key") or _key_of(self._root)
        self._home = options.get("gpghomedir", "")
        self._environ = environ

    def ids(self) -> list[str]:
        """Return the ids of all data that is kept. Raises OSError."""
        names = (name.removesuffix(_SUFFIX) for name in os.listdir(self._root) if name.endswith(_SUFFIX))
        return sorted(name for name in names if is_id(name))

    def lookup(self, secret_id: str) -> bytes:
        """Return what is kept, decrypted. Raises NoSuchSecretError, StorageError."""
        path = self._path(secret_id)
        if not os.path.exists(path):
            raise no_data(secret_id)
        return self._gpg("--decrypt", path, what="decrypt the secret")

    def store(self, secret_id: str, data: bytes) -> None:
        """Encrypt data for the store's key and keep it. Raises StorageError, OSError."""
        if not self._key:
            raise StorageError(
                f"no key for the password store {self._root}", hint="Run pass init KEY, or say --driver-opts key=KEY"
            )
        os.makedirs(self._root, mode=0o700, exist_ok=True)
        encrypted = self._gpg("--encrypt", "--recipient", self._key, data=data, what="encrypt the secret")
        files.replace(self._path(secret_id), encrypted, 0o600, lasting=True)

    def delete(self, secret_id: str) -> None:
        """Forget data, if it is there. Raises OSError."""
        files.unlink(self._path(secret_id))

    def _path(self, secret_id: str) -> str:
        return os.path.join(self._root, secret_id + _SUFFIX)

    def _gpg(self, *words: str, data: bytes = b"", what: str) -> bytes:
        try:
            program = process.find("gpg")
        except NotFoundError:
            raise StorageError(f"{what}: gpg isn't installed", hint="Install the package gnupg") from None
        home = ["--homedir", self._home] if self._home else []
        return run([program, "--quiet", "--no-tty", *home, *words], self._environ, data=data, what=what)


def _usual_root(home: str) -> str:
    places = [os.path.join(home, name) for name in _STORES] if home else []
    return next((place for place in places if os.path.isdir(place)), places[0] if places else "")


def _key_of(root: str) -> str:
    """Return the first key that the nearest .gpg-id at or above a directory names, or an empty text."""
    while len(root) > 1:
        lines = files.read_small(os.path.join(root, ".gpg-id")).splitlines()
        if lines:
            return lines[0].strip()
        root = os.path.dirname(root)
    return ""
