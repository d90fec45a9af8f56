"""What keeps the data of secrets: the interface, and the drivers by name (podman-secret-create(1)).

Another Python package can bring a driver: an entry point of the group `podpy.secret_drivers`, whose name is the
driver's and whose object is called with the options (`--driver-opts`, a dict of texts) and returns a SecretDriver.
"""

from __future__ import annotations

from podpy.errors import PodpyError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class SecretDriver(Protocol):
        """Keeps data by an id of 25 hexadecimal digits, which podpy makes up. Methods raise PodpyError or OSError."""

        def ids(self) -> list[str]:
            """Return the ids of all data that is kept."""

        def lookup(self, secret_id: str) -> bytes:
            """Return what is kept under an id."""

        def store(self, secret_id: str, data: bytes) -> None:
            """Keep data under a new id; when this returns it outlives a power cut."""

        def delete(self, secret_id: str) -> None:
            """Forget what is kept under an id; nothing there is no error."""


ENTRY_POINTS = "podpy.secret_drivers"


def find(name: str, options: Mapping[str, str], environ: Mapping[str, str]) -> SecretDriver:
    """Return the driver; `environ` is what its programs are started with. Raises UsageError."""
    if name == "file":
        from podpy.storage.secrets.file import FileDriver

        return FileDriver(options)
    if name == "pass":
        from podpy.storage.secrets.password_store import PasswordStoreDriver

        return PasswordStoreDriver(options, environ)
    if name == "shell":
        from podpy.storage.secrets.shell import ShellDriver

        return ShellDriver(options, environ)
    return _from_package(name, options)


def _from_package(name: str, options: Mapping[str, str]) -> SecretDriver:
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            driver: SecretDriver = point.load()(dict(options))
        except PodpyError:
            raise
        except Exception as error:  # whatever a package does
            told = f"{type(error).__name__}: {error}"
            raise UsageError(f"driver {name!r} can't be loaded: {told}", hint=f"See {point.value}") from error
        return driver
    raise UsageError(
        f"invalid driver: {name!r}", hint="One of file, pass, shell, or what a Python package brings: docs/secrets.md"
    )
