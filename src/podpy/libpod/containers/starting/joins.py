"""Namespaces that a container joins instead of getting its own: `container:NAME` and `ns:PATH`."""

from __future__ import annotations

import os

from podpy import pids
from podpy.errors import StateError, UsageError
from podpy.libpod.containers.held import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.launch import Launch
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec

# OCI's name of a namespace, and the kernel's file in /proc/PID/ns (namespaces(7)).
_FILES = {"pid": "pid", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup", "network": "net", "user": "user"}


def namespaces_to_join(launch: Launch, spec: ContainerSpec) -> dict[str, str]:
    """Return OCI namespace type → path. Raises StateError (a container that doesn't run), UsageError (no such path)."""
    modes = {
        "pid": spec.pid,
        "ipc": spec.ipc,
        "uts": spec.uts,
        "cgroup": spec.cgroupns,
        "network": spec.network,
        "user": spec.userns,
    }
    paths = {}
    for kind, mode in modes.items():
        how, _, where = mode.partition(":")
        if how == "container":
            paths[kind] = _of_container(launch.engine, where, kind)
        elif how == "ns":
            paths[kind] = _existing(where, kind)
    if launch.network.netns_path and "network" not in paths:
        paths["network"] = launch.network.netns_path
    return paths


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
