"""One container in a list: Podman's ListContainer, the form of `ps --format json`."""

from __future__ import annotations

from podpy import fastjson
from podpy.go.units import ago
from podpy.libpod.containers.ports import protocols
from podpy.libpod.containers.rows import status_words
from podpy.libpod.containers.table import EXITED, shown_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.table import ContainerRow

_SECOND = 1_000_000_000
_NEVER = -62135596800  # Go's zero time in seconds since 1970
_NAMESPACES = {
    "mnt": "Mnt",
    "cgroup": "Cgroup",
    "ipc": "Ipc",
    "net": "Net",
    "pid": "Pidns",
    "uts": "Uts",
    "user": "User",
}


def facts(
    row: ContainerRow,
    *,
    now: int,
    sizes: dict[str, tuple[int, int]] | None = None,
    namespaces: bool = False,
    health: str = "",
    pods: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return a whole row as plain data, with Podman's names in Podman's order.

    `now` is in nanoseconds since 1970; `sizes` as in `rows.Listing`; `namespaces`: read those of its process;
    `health`: its state from `monitor.files.health_states`; `pods`: the pods' names by their ids.
    """
    spec: dict[str, Any] = fastjson.loads(row.spec)
    return {
        "AutoRemove": spec["remove"],
        "Command": fastjson.loads(row.command),
        "CreatedAt": ago(row.created, now),
        "CIDFile": spec["cidfile"],
        "Exited": row.status == EXITED,
        "ExitedAt": row.finished // _SECOND if row.finished else _NEVER,
        "ExitCode": row.exit_code,
        "ExposedPorts": protocols(spec["expose"]) or None,
        "Id": row.id,
        "Image": row.image_name,
        "ImageID": row.image_id,
        "IsInfra": spec.get("is_infra", False),
        "Labels": row.labels_dict() or None,
        "Mounts": [mount["target"] for mount in spec["mounts"]],
        "Names": [row.name],
        "Namespaces": namespaces_of(row) if namespaces else {},
        "Networks": [attachment["network"] for attachment in spec.get("networks") or ()],
        "Pid": row.pid,
        "Pod": row.pod,
        "PodName": (pods or {}).get(row.pod, ""),
        "Ports": [_port(port) for port in fastjson.loads(row.ports)],
        "Restarts": row.restarts,
        "Size": _size(sizes.get(row.id, (0, 0))) if sizes is not None else None,
        "StartedAt": row.started // _SECOND if row.started else _NEVER,
        "State": shown_status(row.status, row.started),
        "Status": status_words(row.status, row.started, row.finished, row.exit_code, now, health),
        "Created": row.created // _SECOND,
    }


def namespaces_of(row: ContainerRow) -> dict[str, str]:
    """Return the inode numbers of a running container's namespaces; those that can't be read are left out."""
    from os import readlink

    numbers = {}
    for name, shown in _NAMESPACES.items() if row.pid else ():
        try:
            numbers[shown] = readlink(f"/proc/{row.pid}/ns/{name}").partition("[")[2].rstrip("]")
        except OSError:
            continue  # the process has just ended, or belongs to another user namespace
    return numbers


def _port(port: dict[str, Any]) -> dict[str, Any]:
    names = {"host_ip": "host_ip", "container_port": "container_port", "host_port": "host_port", "range": "count"}
    return {**{shown: port[name] for shown, name in names.items()}, "protocol": port["protocol"]}


def _size(sizes: tuple[int, int]) -> dict[str, int]:
    return {"rootFsSize": sizes[1], "rwSize": sizes[0]}
