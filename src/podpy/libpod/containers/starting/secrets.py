"""The secrets of one start: read from their drivers, written into a tmpfs that only this mount namespace sees.

Each use is a separate file, so two uses of one secret may differ in owner and mode. Those below /run/secrets are in one
directory, which is bound there; any other target is a bound file. Both vanish with the mount namespace, at the
container's end.
"""

from __future__ import annotations

import os
import posixpath

from podpy import linux
from podpy.errors import UsageError
from podpy.plan import Operation
from podpy.storage.secrets.table import Secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec, SecretUse

DIRECTORY = "/run/secrets"
_PAGE = 4096
_ROOM = 16 * _PAGE  # for directories, and for a few files of the container


def resolve(engine: Engine, spec: ContainerSpec) -> ContainerSpec:
    """Return the spec with full names, ids and targets of its secrets. Raises NoSuchSecretError, UsageError."""
    table = Secrets(engine.paths, engine.database, engine.caller.environ)
    uses = []
    for use in spec.secrets:
        secret = table.find(use.name)
        target = use.target or secret.name
        if use.type == "mount":
            target = posixpath.normpath(posixpath.join(DIRECTORY, target))
        elif "=" in target or "\0" in target:
            raise UsageError(f"secret {use.name}: {target!r} can't be a variable's name")
        uses.append(use.replace(name=secret.name, id=secret.id, target=target))
    _check_targets([use.target for use in uses if use.type == "mount"], spec)
    return spec.replace(secrets=uses)


def _check_targets(targets: list[str], spec: ContainerSpec) -> None:
    """Raise UsageError if two targets are the same, or if one lies below another."""
    taken = {mount.target for mount in spec.mounts}
    for number, target in enumerate(targets):
        if target in ("/", DIRECTORY) or target in taken or target in targets[:number]:
            raise UsageError(f"{target}: duplicate mount destination", hint="Give each secret a place: target=")
        above = next((other for other in targets if target.startswith(other + "/")), "")
        if above:
            raise UsageError(f"{target}: the secret at {above} is a file, nothing can be in it")


class WriteSecrets(Operation):
    """Read the container's secrets, and write those that are files. Afterwards `paths` and `variables` are complete."""

    def __init__(self, context: StartContext, engine: Engine) -> None:
        self._context = context
        self._engine = engine
        self._place = os.path.join(context.directory, "secrets")
        self.paths: dict[str, str] = {}  # path in the container → path to bind there
        self.variables: dict[str, str] = {}

    def describe(self) -> str:
        """Return which secrets."""
        names = ", ".join(dict.fromkeys(use.name for use in self._context.spec.secrets))
        return f"write the secrets {names} into a tmpfs at {self._place}"

    def execute(self) -> None:
        """Write them. Raises NoSuchSecretError, StorageError (a driver failed), OSError."""
        keep_memory_private()
        uses = self._context.spec.secrets
        data = self._read(uses)
        files = [use for use in uses if use.type == "mount"]
        self.variables = {use.target: _as_text(data[use.name]) for use in uses if use.type == "env"}
        if not files:
            return
        os.mkdir(self._place, 0o700)
        size = sum(len(data[use.name]) // _PAGE * _PAGE + 2 * _PAGE for use in files) + _ROOM
        flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
        linux.mount("tmpfs", self._place, "tmpfs", flags, f"mode=0700,size={size}")
        together = not any(mount.target == DIRECTORY for mount in self._context.spec.mounts)
        for number, use in enumerate(files):
            inner = use.target.removeprefix(DIRECTORY + "/")
            if together and inner != use.target:
                self._write(os.path.join(self._shared(), inner), use, data[use.name])
            else:
                self.paths[use.target] = os.path.join(self._place, str(number))
                self._write(self.paths[use.target], use, data[use.name])

    def _read(self, uses: list[SecretUse]) -> dict[str, bytes]:
        secrets = Secrets(self._engine.paths, self._engine.database, self._engine.caller.environ)
        return {name: secrets.data(secrets.find(name)) for name in {use.name for use in uses}}

    def _shared(self) -> str:
        """Return the directory that is bound at /run/secrets; the first call creates it."""
        path = os.path.join(self._place, "shared")
        if DIRECTORY not in self.paths:
            self._make_directory(path)
            self.paths[DIRECTORY] = path
        return path

    def _make_directory(self, path: str) -> None:
        os.mkdir(path)
        os.chmod(path, 0o755)
        os.chown(path, *self._context.host_ids(0, 0))

    def _write(self, path: str, use: SecretUse, data: bytes) -> None:
        missing = []
        parent = os.path.dirname(path)
        while not os.path.isdir(parent):
            missing.append(parent)
            parent = os.path.dirname(parent)
        for directory in reversed(missing):
            self._make_directory(directory)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fchown(descriptor, *self._context.host_ids(use.uid, use.gid))
            os.fchmod(descriptor, use.mode)  # after the owner: chown(2) clears set-id bits


def keep_memory_private() -> None:
    """Keep this process's memory out of core dumps, and from debuggers of the same user (PR_SET_DUMPABLE).

    Only in podpy's own process, not a library caller's. It lasts until the process ends, since Python can't wipe
    memory; programs that are started later aren't affected.
    """
    linux.prctl(linux.PR_SET_DUMPABLE, 0)


def _as_text(data: bytes) -> str:
    # As in execve(2): a variable ends at its first NUL.
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
