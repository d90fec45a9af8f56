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
from podpy.libpod.secrets import keep_memory_private
from podpy.oci.root import inside
from podpy.plan import Operation
from podpy.storage.secrets.table import Secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec, SecretUse

DIRECTORY = "/run/secrets"
# What is below directories that every container has; nothing can be mounted in what only shows the kernel's data.
_EVERYWHERE = ("/run/.containerenv", "/etc/hosts", "/dev/shm/", "/proc/self", "/sys/fs")
_KERNELS = ("/proc", "/sys")
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
    """Raise UsageError if two targets are the same, if one lies below another, or if one can only be a directory."""
    taken = [mount.target for mount in spec.mounts]
    for number, target in enumerate(targets):
        if target == DIRECTORY or target in taken or target in targets[:number]:
            raise UsageError(f"{target}: duplicate mount destination", hint="Give each secret a place: target=")
        inner = next((place for place in _EVERYWHERE if place.startswith(target.rstrip("/") + "/")), "")
        if inner:
            raise _directory_at(target, "every container")
        above = next((place for place in _KERNELS if target.startswith(place + "/")), "")
        if above:
            raise UsageError(f"{target}: no secret can be in {above}", hint="Give it another place: target=")
        for other in [*targets, *taken]:
            if other.startswith(target + "/"):
                raise UsageError(f"{other}: the secret at {target} is a file, nothing can be in it")


def _directory_at(target: str, where: str) -> UsageError:
    return UsageError(
        f"a secret at {target}: it is a directory in {where}, and a secret is a file",
        hint=f"Name a file in it: target={target.rstrip('/')}/NAME",
    )


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
        for use in uses:
            if use.type == "mount":
                self._check(use)
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

    def _check(self, use: SecretUse) -> None:
        """Raise UsageError for an id that no user of the container can have, and for a directory at a file's place."""
        maps, spec = _own_maps(), self._context.spec
        for kind, number, own, host in (
            ("uid", use.uid, spec.uid_maps, maps[0]),
            ("gid", use.gid, spec.gid_maps, maps[1]),
        ):
            ranges = [(line.container, line.size) for line in own] or host
            if not any(first <= number < first + size for first, size in ranges):
                last = max(first + size for first, size in ranges) - 1
                raise UsageError(
                    f"secret {use.name}: {kind}={number} is no id of the container: its ids end at {last}",
                    hint=f"Use another {kind}=, or map more: /etc/sub{kind}, --userns, --{kind}map",
                )
        below_mount = any(use.target.startswith(mount.target.rstrip("/") + "/") for mount in spec.mounts)
        if not below_mount and inside.is_directory(self._context.rootfs, use.target):
            raise _directory_at(use.target, spec.image or spec.rootfs)

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


def _own_maps() -> list[list[tuple[int, int]]]:
    """Return the uids and the gids of podpy's own user namespace: first id and number of each range."""
    maps = []
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}", encoding="utf-8") as file:
            lines = [line.split() for line in file]
        maps.append([(int(first), int(size)) for first, _outside, size in lines])
    return maps


def _as_text(data: bytes) -> str:
    # As in execve(2): a variable ends at its first NUL.
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
