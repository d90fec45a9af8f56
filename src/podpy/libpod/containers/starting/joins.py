"""Namespaces that a container joins: `container:NAME` and `ns:PATH`."""

from __future__ import annotations

import os

from podpy import linux, pids, process
from podpy.errors import StateError, UsageError
from podpy.libpod.containers.held import find
from podpy.plan import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.engine import Engine
    from podpy.network.setup import NetworkPlan
    from podpy.spec.container import ContainerSpec

_UNKNOWN = 5  # EIO
# The OCI spec's name of a namespace → the kernel's file in /proc/PID/ns (namespaces(7)).
_FILES = {"pid": "pid", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup", "network": "net", "user": "user"}


class FindNamespaces(Operation):
    """Find the files of the joined namespaces. Afterwards `paths` (OCI type → path) is complete."""

    def __init__(self, context: StartContext, engine: Engine, network: NetworkPlan) -> None:
        self._modes = {
            kind: mode for kind, mode in _modes(context.spec).items() if mode.startswith(("container:", "ns:"))
        }
        self._engine = engine
        self._network = network
        self._found: dict[str, str] = {}

    @property
    def paths(self) -> dict[str, str]:
        """OCI type → path, with that of the container's own network namespace."""
        own = self._network.joined_path
        return {"network": own, **self._found} if own else self._found

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to find."""
        return bool(self._modes)

    def joins(self, kind: str) -> bool:
        """Return whether a namespace of this OCI type is joined."""
        return kind in self._modes

    def describe(self) -> str:
        """Return which ones."""
        return "find the namespaces to join: " + ", ".join(f"{kind} {mode}" for kind, mode in self._modes.items())

    def execute(self) -> None:
        """Find them. Raises StateError (a container that doesn't run), UsageError (no such path)."""
        for kind, mode in self._modes.items():
            how, _, where = mode.partition(":")
            found = _of_container(self._engine, where, kind) if how == "container" else _existing(where, kind)
            self._found[kind] = found


class BorrowSharedMemory(Operation):
    """Mount the /dev/shm of the container whose IPC namespace is joined, at `path` ("" if it has none)."""

    def __init__(self, context: StartContext, joined: FindNamespaces) -> None:
        self._joined = joined
        self._target = os.path.join(context.directory, "shm")
        self.path = ""

    def describe(self) -> str:
        """Return where it is mounted."""
        return f"mount /dev/shm of the container whose IPC namespace is joined at {self._target}"

    def execute(self) -> None:
        """Mount it. Raises StateError if that container has ended."""
        from podpy.oci.root import shm

        self.path = shm.borrow(self._joined.paths["ipc"], self._target)

    def explain_failure(self, error: OSError) -> str:
        """Return what to do about it."""
        return "See that the other container still runs: podpy ps"


class MountSysfs(Operation):
    """Mount a sysfs of the container's network in the run directory, for a container with its own user namespace.

    A sysfs shows the network namespace of the process that mounts it, which needs CAP_SYS_ADMIN there (sysfs(5)). The
    container's own user namespace has no such right over a network that podpy has made, for it or for another container
    whose network it joins.
    """

    def __init__(self, context: StartContext, joined: FindNamespaces) -> None:
        self._joined = joined
        self.target = os.path.join(context.directory, "sys")

    @staticmethod
    def is_needed(context: StartContext, network: NetworkPlan) -> bool:
        """Return whether the runtime can't mount it."""
        joins = context.spec.network.startswith(("container:", "ns:"))
        return bool(context.spec.uid_maps) and (bool(network.netns_path) or joins)

    def describe(self) -> str:
        """Return where."""
        return f"mount a sysfs of the container's network at {self.target}"

    def execute(self) -> None:
        """Mount it in a child process: this one couldn't return to the host's network. Raises OSError."""
        os.makedirs(self.target, mode=0o755, exist_ok=True)
        pid = process.fork()
        if pid == 0:
            os._exit(self._mount())
        code = process.wait(pid)
        if code:
            raise OSError(code, os.strerror(code), self.target)

    def _mount(self) -> int:
        """Return the number of the error that occurred, or 0."""
        try:
            linux.setns(os.open(self._joined.paths["network"], os.O_RDONLY | os.O_CLOEXEC), linux.CLONE_NEWNET)
            try:
                linux.mount("sysfs", self.target, "sysfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
            except PermissionError:
                # The kernel lets nobody mount one where the machine's own is partly hidden: then that one, as for crun.
                linux.mount("/sys", self.target, None, linux.MS_BIND | linux.MS_REC)
        except OSError as error:
            return error.errno or _UNKNOWN
        except BaseException:
            return _UNKNOWN
        return 0


def _modes(spec: ContainerSpec) -> dict[str, str]:
    return {
        "pid": spec.pid,
        "ipc": spec.ipc,
        "uts": spec.uts,
        "cgroup": spec.cgroupns,
        "network": spec.network,
        "user": spec.userns,
    }


def _of_container(engine: Engine, name: str, kind: str) -> str:
    row = find(engine, name).refresh()
    if not pids.is_alive(row.pid, row.pid_start):
        raise StateError.improper(
            f"can't join the {kind} namespace of {row.name}, which doesn't run",
            hint=f"Start it with: podpy start {row.name}",
        )
    return f"/proc/{row.pid}/ns/{_FILES[kind]}"


def _existing(path: str, kind: str) -> str:
    if not os.path.exists(path):
        raise UsageError(f"the {kind} namespace {path!r} doesn't exist")
    return path
