"""A container's volumeMounts and volumeDevices → mounts and devices."""

from __future__ import annotations

import os

from podpy.errors import UsageError
from podpy.kube.translate.environment import expand
from podpy.kube.translate.volumes import ABSENT, CLAIM, HOST, IMAGE
from podpy.spec.container import Device, Mount
from podpy.spec.text import mount_options
from podpy.spec.text.volumes import target_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.kube.translate.context import Context
    from podpy.kube.translate.volumes import Volume
    from podpy.yaml.places import Mapping

_PROPAGATION = {"": [], "None": ["private"], "HostToContainer": ["rslave"], "Bidirectional": ["rshared"]}
_DEVICES = ("CharDevice", "BlockDevice")
_NO_COPY = "nocopy"  # an empty volume gets no files of the image


def mounts(
    container: Mapping, volumes: dict[str, Volume], variables: dict[str, str], context: Context
) -> tuple[list[Mount], list[Device]]:
    """Return a container's mounts and devices. `context.volumes` gives the names of podpy's volumes.

    Raises UsageError.
    """
    found: dict[str, Mount] = {}
    devices: list[Device] = []
    for each in container.get("volumeMounts", []):
        name = each.get("name", "")
        if name not in volumes:
            raise each.wrong("name", f"volume mount {name} specified for container but not configured in volumes")
        volume = volumes[name]
        target, options = _target(each)
        if volume.kind == HOST and volume.host_type in _DEVICES:
            read = "r" if each.get("readOnly") else "rwm"
            devices.append(Device(host=volume.source, container=target, permissions=read))
        elif volume.kind != ABSENT:
            if target in found:
                raise each.wrong("mountPath", f"{target}: duplicate mount destination")
            mount = _mount(volume, target, _options(each, volume, options), context)
            found[target] = mount.replace(subpath=_subpath(each, variables))
    return list(found.values()), devices


def _target(each: Mapping) -> tuple[str, list[str]]:
    """Return a volume's target, and Podman's options behind a colon."""
    path, _, options = each.get("mountPath", "").partition(":")
    try:
        return target_path(path), options.split(",") if options else []
    except UsageError as error:
        raise each.wrong("mountPath", f"parsing MountPath: {error.message}") from None  # the hint is --volume's


def _options(each: Mapping, volume: Volume, options: list[str]) -> list[str]:
    if each.get("readOnly") or volume.read_only:
        options = [*options, "ro"]
    mode = each.get("mountPropagation", "")
    if mode not in _PROPAGATION:
        raise each.wrong("mountPropagation", f'unknown propagation mode "{mode}"')
    is_volume = volume.kind not in (HOST, IMAGE)
    try:
        checked = mount_options.check([*options, *_PROPAGATION[mode]], is_volume=True, rootless=os.geteuid() != 0)
    except UsageError as error:
        raise each.wrong("mountPath", f"parsing MountOptions: {error.message}", hint=error.hint) from None
    return [*checked, _NO_COPY] if is_volume and volume.kind != CLAIM else checked


def _mount(volume: Volume, target: str, options: list[str], context: Context) -> Mount:
    if volume.kind == HOST:
        return Mount(type="bind", source=volume.source, target=target, options=options)
    if volume.kind == IMAGE:
        return Mount(type="image", source=volume.source, target=target)
    source = context.volumes.get(volume.name, volume.source or volume.name)
    return Mount(type="volume", source=source, target=target, options=options)


def _subpath(each: Mapping, variables: dict[str, str]) -> str:
    """Return the path in the volume to mount; "": the whole volume."""
    key = "subPath" if "subPath" in each else "subPathExpr"
    path = each.get(key, "")
    if key == "subPathExpr" and (path := expand(path, variables)) and "$(" in path:
        raise each.wrong(key, f'"{path}" names an unknown variable')
    if path.startswith("/") or ".." in path.split("/"):
        raise each.wrong(key, f'subpath "{path}" must be relative to the volume and without ".."')
    normal = os.path.normpath(path) if path else ""
    return "" if normal == "." else normal
