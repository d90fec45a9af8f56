"""`GET /containers/json`: containers as `docker ps` gets them."""

from __future__ import annotations

import os
import shlex
from time import time_ns

from podpy import fastjson
from podpy.api.call import Answer
from podpy.api.compat.networking import shown_name
from podpy.errors import UsageError
from podpy.libpod.containers.inspect_networks import of_bridge
from podpy.libpod.containers.rows import status_words
from podpy.libpod.containers.table import ALIVE, shown_status
from podpy.spec.container import PROPAGATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.libpod.containers.container import Container
    from podpy.libpod.containers.rows import Listing
    from podpy.libpod.containers.table import ContainerRow

_SECOND = 1_000_000_000
_STATES = {"initialized": "created", "stopping": "running", "starting": "created", "stopped": "exited"}
"""Docker's names for states that only podpy has."""
_KNOWN = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
_IGNORED = ("is-task", "isolation", "expose", "publish")
NO_ENDPOINT: dict[str, Any] = {
    "IPAMConfig": None, "Links": None, "Aliases": None, "MacAddress": "", "DriverOpts": None, "GwPriority": 0,
    "NetworkID": "", "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "",
    "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": None,
}  # fmt: skip
"""An endpoint of a network, without addresses."""


def state_of(row: ContainerRow) -> str:
    """Return a container's state in Docker's words."""
    shown = shown_status(row.status, row.started, row.restarts)
    return _STATES.get(shown, shown)


def containers(call: Call) -> Answer:
    """List containers."""
    query = call.query
    filters = [_checked(text) for text in query["filters"] if text.partition("=")[0] not in _IGNORED]
    by_state = any(text.startswith(("status=", "exited=")) for text in filters)
    all_of_them = query["all"] or by_state or "paused" in filters
    found = call.runtime.containers.listing(filters, all=True, last=max(query["limit"] or 0, 0), size=query["size"])
    rows = [row for row in found.rows if all_of_them or query["limit"] or row.status in (*ALIVE, "restarting")]
    now = time_ns()
    return Answer([_entry(call, row, found, now) for row in reversed(rows)])


def entries(call: Call, *, size: bool) -> list[dict[str, Any]]:
    """Return all containers as in lists, the newest first."""
    found, now = call.runtime.containers.listing([], all=True, size=size), time_ns()
    return [_entry(call, row, found, now) for row in reversed(found.rows)]


def _checked(text: str) -> str:
    """Return a filter in podpy's words. Raises UsageError in dockerd's."""
    key, _, value = text.partition("=")
    if key == "status":
        if value not in _KNOWN:
            raise UsageError(
                f"invalid filter '{text}': invalid value for state ({value}): must be one of {', '.join(_KNOWN)}"
            )
        return "status=unknown" if value == "dead" else text
    return text


def _entry(call: Call, row: ContainerRow, found: Listing, now: int) -> dict[str, Any]:
    from podpy.libpod.containers.container import Container

    container = Container(call.runtime, row)
    spec = container.spec
    words = fastjson.loads(row.command)
    status = status_words(row.status, row.started, row.finished, row.exit_code, now, found.health.get(row.id, ""))
    sizes = (found.sizes or {}).get(row.id)
    return {
        "Id": row.id,
        "Names": [f"/{row.name}"],
        "Image": row.image_name if row.image_name == spec.image or not spec.image else spec.image,
        "ImageID": f"sha256:{row.image_id}" if row.image_id else "",
        "Command": shlex.join(words),
        "Created": row.created // _SECOND,
        "Ports": _ports(row) if row.status in ALIVE else [],
        **({"SizeRw": sizes[0], "SizeRootFs": sizes[1]} if sizes else {}),
        "Labels": row.labels_dict(),
        "State": state_of(row),
        "Status": "Up " + status if row.status == "paused" else status,
        "HostConfig": {"NetworkMode": network_mode(container)},
        "NetworkSettings": {"Networks": networks(container)},
        "Mounts": [mount for each in spec.mounts if (mount := mount_data(container, each))],
    }


def _ports(row: ContainerRow) -> list[dict[str, Any]]:
    found = []
    published = set()
    for port in fastjson.loads(row.ports):
        for place in range(port["count"]):
            number, kind = port["container_port"] + place, port["protocol"]
            published.add(f"{number}/{kind}")
            host = {"PublicPort": port["host_port"] + place} if port["host_port"] else {}
            address = {"IP": port["host_ip"] or "0.0.0.0"} if host else {}
            found.append({**address, "PrivatePort": number, **host, "Type": kind})
    for text in fastjson.loads(row.spec).get("expose") or ():
        number, _, kind = text.partition("/")
        if text not in published and number.isdigit():
            found.append({"PrivatePort": int(number), "Type": kind or "tcp"})
    return found


def network_mode(container: Container) -> str:
    """Return Docker's NetworkMode: the first network's name, `host`, `none` or `container:ID`."""
    spec = container.spec
    if spec.network == "bridge":
        first = spec.networks[0].network if spec.networks else ""
        return shown_name(container.engine, first)
    return spec.network or "default"


def networks(container: Container) -> dict[str, Any]:
    """Return a container's networks by name: Docker's EndpointSettings."""
    spec = container.spec
    if spec.network != "bridge":
        mode = spec.network.partition(":")[0]
        return {} if mode in ("container", "ns") else {mode: NO_ENDPOINT}
    of_libpod: dict[str, Any] = of_bridge(container)["Networks"] or {}
    is_alive = container.row.status in ALIVE
    found = {}
    for name, endpoint in of_libpod.items():
        shown = shown_name(container.engine, name)
        given = next((each for each in spec.networks if each.network == name), None)
        known = {key: value for key, value in endpoint.items() if key in NO_ENDPOINT}
        addresses = [*given.ips] if given else []
        own = [*given.aliases] if given else []
        ids = container.engine.network_folder.get(name)
        found[shown] = {
            **NO_ENDPOINT,
            **known,
            "IPAMConfig": _fixed(addresses),
            "Aliases": own or None,
            "NetworkID": ids.id if ids is not None else "",
            "EndpointID": container.id if is_alive else "",
            "DNSNames": None if shown == "bridge" else [container.name, *own, container.id[:12]],
        }
    return found


def _fixed(addresses: list[str]) -> dict[str, str] | None:
    keys = {"IPv6Address" if ":" in address else "IPv4Address": address for address in addresses}
    return keys or None


def mount_data(container: Container, mount: Any) -> dict[str, Any] | None:
    """Return Docker's MountPoint; None for what isn't listed."""
    if mount.type not in ("bind", "volume", "tmpfs"):
        return None
    source = mount.source
    if mount.type == "volume":
        source = container.engine.volume_table.mountpoint(mount.source)
    propagation = next((option for option in mount.options if option in PROPAGATIONS), "")
    usual = "rprivate" if mount.type == "bind" else ""
    return {
        "Type": mount.type,
        **({"Name": mount.source} if mount.type == "volume" else {}),
        "Source": os.fspath(source),
        "Destination": mount.target,
        **({"Driver": "local"} if mount.type == "volume" else {}),
        "Mode": ",".join(option for option in mount.options if option in ("z", "Z", "ro", "rw")),
        "RW": "ro" not in mount.options,
        "Propagation": propagation or usual,
    }
