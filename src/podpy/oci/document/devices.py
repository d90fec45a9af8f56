"""`--device`, `--privileged` and `--init`: the host's files that a container gets."""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import NotFoundError, UsageError
from podpy.spec.container import Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.config.containers_conf import ContainersConf
    from podpy.spec.container import ContainerSpec

_INIT = "catatonit"
_CHARACTER, _BLOCK, _FORMAT = 0o020000, 0o060000, 0o170000
# The OCI runtime creates these itself, or they mean something else in the container.
_NOT_SHARED = frozenset(f"/dev/{name}" for name in "null zero full random urandom tty console ptmx".split())
_NOT_ENTERED = frozenset(["/dev/pts", "/dev/shm", "/dev/fd", "/dev/mqueue"])


def resolve(spec: ContainerSpec, *, rootless: bool) -> list[Device]:
    """Return the device files of `--device` (a directory means all below it), or all of the host's if privileged.

    Raises UsageError for a path that isn't a device.
    """
    found = [device for asked in spec.devices for device in _expand(asked)]
    if spec.privileged:
        named = {device.container for device in found}
        found += [Device(host=path, container=path) for path in _all(rootless=rootless) if path not in named]
    return found


def find_init(spec: ContainerSpec, conf: ContainersConf) -> str:
    """Return the host path of the init program for `--init`: catatonit, or podpy's own. Raises NotFoundError."""
    configured = spec.init_path
    try:
        return process.find(configured or _INIT, conf.helper_binaries_dir)
    except NotFoundError as error:
        if not configured:
            return process.own_program("init")
        raise NotFoundError(
            f"container-init binary not found on the host: {error.message}",
            hint="Leave --init-path out: podpy brings a small one",
        ) from None


def entries(devices: list[Device]) -> list[dict[str, Any]]:
    """Return linux.devices (root only: mknod(2) doesn't work in user namespaces)."""
    result = []
    for device in devices:
        status = os.stat(device.host)
        result.append(
            {
                "path": device.container,
                "type": _kind(status.st_mode),
                "major": os.major(status.st_rdev),
                "minor": os.minor(status.st_rdev),
                "fileMode": status.st_mode & 0o7777,
                "uid": status.st_uid,
                "gid": status.st_gid,
            }
        )
    return result


def rules(devices: list[Device], *, privileged: bool) -> list[dict[str, Any]]:
    """Return linux.resources.devices (root only): only the wanted devices."""
    if privileged:
        return [{"allow": True, "access": "rwm"}]
    result: list[dict[str, Any]] = [{"allow": False, "access": "rwm"}]
    for device, entry in zip(devices, entries(devices), strict=True):
        kind = {"type": entry["type"], "major": entry["major"], "minor": entry["minor"]}
        result.append({"allow": True, **kind, "access": device.permissions})
    return result


def _expand(asked: Device) -> list[Device]:
    host = os.path.realpath(asked.host)
    try:
        mode = os.stat(host).st_mode
    except OSError as error:
        raise UsageError(f"stat {asked.host}: {(error.strerror or '').lower()}") from error
    if mode & _FORMAT in (_CHARACTER, _BLOCK):
        return [asked.replace(host=host)]
    inside = [path for path in _walk(host) if _is_device(path)] if os.path.isdir(host) else []
    if not inside:
        raise UsageError(f"{asked.host} is not a valid device: not a device node")
    return [
        asked.replace(host=path, container=asked.container.rstrip("/") + path.removeprefix(host)) for path in inside
    ]


def _all(*, rootless: bool) -> list[str]:
    paths = [path for path in _walk("/dev") if path not in _NOT_SHARED and _is_device(path)]
    # A device that the user can't open would only be one mount more.
    return [path for path in paths if os.access(path, os.R_OK | os.W_OK)] if rootless else paths


def _walk(directory: str) -> list[str]:
    found = []
    try:
        entries_here = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        return []
    for entry in entries_here:
        if entry.is_symlink():
            continue
        if entry.is_dir():
            found += [] if entry.path in _NOT_ENTERED else _walk(entry.path)
        else:
            found.append(entry.path)
    return found


def _is_device(path: str) -> bool:
    try:
        return os.lstat(path).st_mode & _FORMAT in (_CHARACTER, _BLOCK)
    except OSError:
        return False


def _kind(mode: int) -> str:
    return "b" if mode & _FORMAT == _BLOCK else "c"
