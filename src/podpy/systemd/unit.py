"""podpy as a unit's own process: ExecStart=podpy …, of the user's systemd or, with User=, of the system's.

A monitor stays in the unit's cgroup: an unprivileged service may name only a process of its own as its main process
(systemd.service(5), NotifyAccess=; sd_notify(3), MAINPID=), and the unit's end must find it.

    unit NAME.service             podpy, until the container runs; its monitor; pasta, podpy-forward
    podpy-HOLDER.scope            what outlives the unit because others need it (podpy.systemd.scope): the holder of the
                                  namespaces, the resolver and the way out of all user networks
"""

from __future__ import annotations

import os

from podpy import files
from podpy.rootless.cgroups import LEAF, ROOT, UNIFIED, cgroup_mode, own_cgroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Mapping, Sequence

    from podpy.config.paths import Paths

_SYSTEM_BUS = "/run/dbus/system_bus_socket"
_LASTING = ("podpy-holder", "podpy-resolver")  # their first arguments


def is_own_process(environ: Mapping[str, str]) -> bool:
    """Return whether systemd has started this very process, or waits for its word (systemd.exec(5), sd_notify(3))."""
    return environ.get("SYSTEMD_EXEC_PID") == str(os.getpid()) or bool(environ.get("NOTIFY_SOCKET"))


def keeps_containers(uid: int) -> bool:
    """Return whether this process is in a unit of the system's manager that runs as this user (User=).

    Its own process's containers stay in its cgroup: the user's manager, if it runs at all, would put them into its own
    tree, out of reach of the unit's end and limits.
    """
    own = own_cgroup() + "/"
    return ".service/" in own and f"/user@{uid}.service/" not in own


def release_lasting(paths: Paths, word: str) -> None:
    """Let what other containers need outlive this unit: it moves into podpy's scope. Never raises.

    `word` stands on the command line of such a process, besides those that are known by their own names. Outside of a
    unit, and without a user's manager, nothing happens: what a unit's end kills then, the next start makes anew.
    """
    cgroup = own_cgroup().removesuffix(f"/{LEAF}")
    if not paths.rootless or not cgroup.endswith(".service"):
        return
    top = (UNIFIED if cgroup_mode() == "hybrid" else ROOT) + cgroup
    pids = [
        int(pid)
        for directory in (top, f"{top}/{LEAF}")
        for pid in files.read_small(f"{directory}/cgroup.procs").split()
        if _is_lasting(files.read_small(f"/proc/{pid}/cmdline").split("\0"), word)
    ]
    if pids:
        from podpy.systemd.scope import move_in_background

        move_in_background(paths, pids)


class UnitMove:
    """This process's move into a unit of the system's manager in which a container of this user is.

    From elsewhere the kernel doesn't let an OCI runtime move a command into the container's cgroup (cgroups(7),
    delegation containment). systemd does, for processes of the unit's user (org.freedesktop.systemd1(5),
    AttachProcessesToUnit).
    """

    def __init__(self, paths: Paths, cgroup: str) -> None:
        """Ask for the move if `cgroup`, the container's, is in such a unit, and this process isn't. Never raises for a
        systemd that doesn't answer.
        """
        self._socket: socket | None = None
        unit = _unit_of(cgroup)
        if not paths.rootless or not unit or f"{own_cgroup()}/".startswith(f"{unit}/"):
            return
        from podpy.systemd.dbus import send
        from podpy.systemd.scope import attach_by_bus

        leaf = (UNIFIED if cgroup_mode() == "hybrid" else ROOT) + f"{unit}/{LEAF}"
        try:
            os.makedirs(leaf, exist_ok=True)
            message = attach_by_bus(unit.rpartition("/")[2], f"/{LEAF}", [os.getpid()])
            self._socket = send(_SYSTEM_BUS, paths.uid, message)
        except OSError:
            pass

    def finish(self) -> None:
        """Wait until this process is there, or can't be."""
        if self._socket is None:
            return
        from podpy.systemd.dbus import has_agreed

        try:
            has_agreed(self._socket, before=1)
        except OSError:
            return


def _unit_of(cgroup: str) -> str:
    """Return the cgroup of the service that a cgroup is in, or an empty text."""
    head, found, _ = f"{cgroup}/".partition(".service/")
    return f"{head}.service" if found else ""


def _is_lasting(command: Sequence[str], word: str) -> bool:
    return command[0] in _LASTING or word in command


def is_in(cgroup: str, unit: str) -> bool:
    """Return whether a cgroup is a service's or a scope's, or below it with none between.

    systemd puts `_` before the name of a directory that might be taken for a file of the kernel's: `cpu.service`.
    """
    units = [name for name in cgroup.split("/") if name.endswith((".service", ".scope"))]
    return bool(units) and units[-1] in (unit, f"_{unit}")
