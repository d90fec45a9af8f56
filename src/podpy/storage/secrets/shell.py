"""The driver `shell`: four commands of the user's own, for a vault, a keyring, a key management service.

Each is run by /bin/sh with the id in the variable SECRET_ID: the shell reads what the user wrote, never an id or
data as its text. Data goes through standard input (store) and output (lookup).
"""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.storage.secrets.ids import is_id
from podpy.storage.secrets.programs import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMANDS = ("list", "lookup", "store", "delete")


class ShellDriver:
    """Keeps data where the user's commands keep it."""

    def __init__(self, options: Mapping[str, str], environ: Mapping[str, str]) -> None:
        """`list`, `lookup`, `store`, `delete`: the commands. Raises UsageError."""
        for name in options:
            if name not in _COMMANDS:
                raise UsageError(f'invalid shell driver option: "{name}"', hint=f"It has {', '.join(_COMMANDS)}")
        missing = [name for name in _COMMANDS if not options.get(name)]
        if missing:
            raise UsageError("missing config value", hint=f"The shell driver needs the options {', '.join(missing)}")
        self._commands = dict(options)
        self._environ = environ

    def ids(self) -> list[str]:
        """Return the ids of all data that is kept. Raises StorageError."""
        lines = self._run("list").decode(errors="replace").splitlines()
        return sorted(line.strip() for line in lines if is_id(line.strip()))

    def lookup(self, secret_id: str) -> bytes:
        """Return what is kept. Raises StorageError."""
        return self._run("lookup", secret_id)

    def store(self, secret_id: str, data: bytes) -> None:
        """Keep data. Raises StorageError."""
        self._run("store", secret_id, data)

    def delete(self, secret_id: str) -> None:
        """Forget data. Raises StorageError, also if the command fails because nothing is there."""
        self._run("delete", secret_id)

    def _run(self, name: str, secret_id: str = "", data: bytes = b"") -> bytes:
        environ = {**self._environ, **({"SECRET_ID": secret_id} if secret_id else {})}
        what = f"the shell driver's {name} command"
        return run(["/bin/sh", "-c", self._commands[name]], environ, data=data, what=what)
