"""`--pid`, `--ipc`, `--uts`, `--cgroupns`, `--network`, `--userns` → linux.namespaces of the OCI runtime spec."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.oci.document.context import BundleContext
    from podpy.spec.container import ContainerSpec

HOST = "host"
_JOINS = ("container:", "ns:")


def is_host(mode: str) -> bool:
    """Return whether a namespace option shares the host's (podpy's own) namespace."""
    return mode == HOST


def joins(mode: str) -> bool:
    """Return whether a namespace option joins an existing namespace."""
    return mode.startswith(_JOINS)


def has_own_userns(spec: ContainerSpec, context: BundleContext) -> bool:
    """Return whether the container gets or joins a user namespace other than podpy's own."""
    return bool(spec.uid_maps) or "user" in context.namespaces


def leaves_the_user_out(spec: ContainerSpec) -> bool:
    """Return whether podpy's own user (0 in its namespace) has no id in the container's user namespace."""
    if not spec.uid_maps:
        return False
    return not all(any(line.host == 0 and line.size for line in maps) for maps in (spec.uid_maps, spec.gid_maps))


def entries(spec: ContainerSpec, context: BundleContext) -> list[dict[str, str]]:
    """Return linux.namespaces, with paths to join from the context. A kind without an entry is shared with podpy."""
    modes = {
        "pid": spec.pid,
        "ipc": spec.ipc,
        "uts": spec.uts,
        "cgroup": spec.cgroupns,
        "network": spec.network,
    }
    result = []
    if has_own_userns(spec, context):
        result.append(_entry("user", context))
    for kind, mode in modes.items():
        if kind in context.namespaces or not is_host(mode):
            result.append(_entry(kind, context))
    result.append({"type": "mount"})
    return result


def id_mappings(spec: ContainerSpec) -> dict[str, Any]:
    """Return linux.uidMappings and gidMappings; empty if the container shares podpy's user namespace, or joins one."""
    if not spec.uid_maps or joins(spec.userns):
        return {}
    return {
        "uidMappings": [{"containerID": m.container, "hostID": m.host, "size": m.size} for m in spec.uid_maps],
        "gidMappings": [{"containerID": m.container, "hostID": m.host, "size": m.size} for m in spec.gid_maps],
    }


def _entry(kind: str, context: BundleContext) -> dict[str, str]:
    path = context.namespaces.get(kind, "")
    return {"type": kind, "path": path} if path else {"type": kind}
