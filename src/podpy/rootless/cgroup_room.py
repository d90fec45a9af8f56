"""Room for the OCI runtime on the way to a container's cgroup: it passes controllers on in each cgroup above it.

The kernel refuses that in a cgroup that holds processes (cgroups(7), "no internal processes": EBUSY). crun then tries
each controller by itself: up to 1.9 a thousand or two thousand times with 1 ms between them, later once. Those that
may be threaded succeed, and the cgroup is a threaded domain from then on, in which a container has no memory controller
and can't be ended by cgroup.kill, and in which the first start fails.

At the root of a container's cgroup namespace, which is that container's alone, all processes move into one leaf,
/init, as Podman does it: then everything can be passed on. Elsewhere the processes are others', whom nobody asked, and
below a systemd unit (`Delegate=`) the unit's; so they stay, and the runtime's attempt ends in /dev/null.
"""

from __future__ import annotations

import os

from podpy import files, linux
from podpy.rootless.cgroups import ROOT, is_containers_root, lacks_controllers

_LEAF = "/init"
_MOST = 1 << 22  # bytes of cgroup.procs: all pids that there can be, which must not be cut within a number
_ROUNDS = 5  # processes that are forked meanwhile come into the old cgroup


def make_room(path: str) -> None:
    """Let an OCI runtime make the cgroup `path` (below the root that this process sees) without a futile attempt.

    This process is in a mount namespace of its own, as the runtime that it starts will be.
    """
    cgroup = ""
    for name in path.strip("/").split("/"):
        if _refuses(cgroup):
            if is_containers_root(cgroup):
                _move_all(cgroup, cgroup + _LEAF)
            if _refuses(cgroup):
                linux.mount(os.devnull, f"{ROOT}{cgroup}/cgroup.subtree_control", None, linux.MS_BIND)
        cgroup += f"/{name}"


def _refuses(cgroup: str) -> bool:
    """Return whether an attempt to pass on all that a cgroup has ends with EBUSY."""
    directory = ROOT + cgroup
    return (
        lacks_controllers(cgroup)
        and os.access(directory + "/cgroup.subtree_control", os.W_OK)
        and os.path.exists(directory + "/cgroup.type")  # which the real root, where all is allowed, doesn't have
        and bool(_processes(cgroup))
    )


def _move_all(source: str, target: str) -> None:
    try:
        os.makedirs(ROOT + target, exist_ok=True)
    except OSError:
        return
    for _ in range(_ROUNDS):
        for pid in _processes(source):
            try:
                with open(f"{ROOT}{target}/cgroup.procs", "w", encoding="utf-8") as file:
                    file.write(pid)
            except OSError:
                continue  # it has ended, or this process may not move it
        if not _processes(source):
            return


def _processes(cgroup: str) -> list[str]:
    """Return the processes in a cgroup; not those of an outer pid namespace, which have the number 0 here."""
    return [pid for pid in files.read_small(f"{ROOT}{cgroup}/cgroup.procs", _MOST).split() if pid != "0"]
