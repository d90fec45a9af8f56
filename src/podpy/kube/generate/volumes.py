"""Mounts as volumeMounts of a container and volumes of its pod."""

from __future__ import annotations

import os
import stat

from podpy.kube.generate import names, quantities
from podpy.kube.generate.words import known
from podpy.notice import warn
from podpy.spec.container import option_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.kube.generate.source import Source
    from podpy.spec.container import Mount

    Entry = dict[str, Any]

_IN_MEMORY = ("tmpfs", "ramfs")
_HOST_PATHS = {
    stat.S_IFDIR: "Directory",
    stat.S_IFSOCK: "Socket",
    stat.S_IFCHR: "CharDevice",
    stat.S_IFBLK: "BlockDevice",
}
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Volumes:
    """The volumes of one pod. Two mounts of the same source share a volume; each tmpfs is a volume of its own."""

    def __init__(self, *, podman_only: bool = False) -> None:
        """`podman_only`: claims have the volumes' names, even if no cluster accepts them."""
        self._podman_only = podman_only
        self._names = names.Unique()
        self._by_source: dict[tuple[str, str], str] = {}
        self._entries: list[Entry] = []

    @property
    def entries(self) -> list[Entry]:
        """The pod's volumes, in the order of their first use."""
        return self._entries

    def mounts_of(self, source: Source) -> list[Entry]:
        """Return a container's volumeMounts: host paths and tmpfs first, then named volumes, as in Podman."""
        own = [mount for mount in source.spec.mounts if not mount.from_image and mount.type != "devpts"]
        named = [mount for mount in own if mount.type == "volume" and not source.volumes[mount.source].anonymous]
        others = [mount for mount in own if mount not in named]
        found = [self._other(source, mount, place) for place, mount in enumerate(others)]
        found += [self._device(device.host, device.container) for device in source.spec.devices]
        return [entry for entry in (*found, *map(self._claim, named)) if entry]

    def _add(self, key: tuple[str, str], name: str, **volume: object) -> str:
        """Return the name of the volume with this key; create it if it is new."""
        if key not in self._by_source:
            self._by_source[key] = self._names.take(name)
            self._entries.append({"name": self._by_source[key], **volume})
        return self._by_source[key]

    def _claim(self, mount: Mount) -> Entry:
        claim = mount.source if self._podman_only else names.claim(mount.source)
        name = self._add(
            ("volume", mount.source),
            names.slug(mount.source, "-pvc"),
            persistentVolumeClaim={"claimName": claim},
        )
        return _entry(name, mount)

    def _other(self, source: Source, mount: Mount, place: int) -> Entry:
        ending = f"-{place}"
        if mount.type in _IN_MEMORY:
            memory = known(medium="Memory", sizeLimit=_size(option_value(mount, "size")))
            key = ("tmpfs", f"{source.id}{mount.target}")
            return _entry(self._add(key, f"tmp{ending}", emptyDir=memory), mount)
        if origin := source.spec.volume_origins.get(mount.source):
            key = ("volume", mount.source)
            return _entry(self._add(key, **origin), mount)
        if mount.type == "volume":
            empty = _empty(source, mount)
            return _entry(self._add(("volume", mount.source), names.slug(mount.target, ending), emptyDir=empty), mount)
        if mount.type == "image":
            reference = known(reference=mount.source, pullPolicy="IfNotPresent")
            key = ("image", mount.source)
            return _entry(self._add(key, names.slug(mount.source, ending), image=reference), mount)
        if mount.type != "bind":
            warn(f"container {source.name}: the {mount.type} at {mount.target} is left out: it has no form there")
            return {}
        path = {"path": mount.source, "type": _kind(mount.source)}
        name = names.slug(mount.source, f"-host{ending}") if mount.source != "/" else f"root-host{ending}"
        return _entry(self._add(("bind", mount.source), name, hostPath=path), mount)

    def _device(self, host: str, inside: str) -> Entry:
        name = self._add(("bind", host), names.slug(host, "-host"), hostPath={"path": host, "type": _kind(host)})
        return {"mountPath": inside, "name": name}


def _empty(source: Source, mount: Mount) -> Entry:
    """Return an anonymous volume's emptyDir."""
    options = source.volumes[mount.source].options
    if options.get("type") != "tmpfs":
        return {}
    pairs = (text.partition("=") for text in options.get("o", "").split(","))
    return known(medium="Memory", sizeLimit=_size(next((value for key, _, value in pairs if key == "size"), "")))


def _entry(name: str, mount: Mount) -> Entry:
    return {
        "mountPath": mount.target,
        "name": name,
        **({"readOnly": True} if "ro" in mount.options else {}),
        **({"subPath": mount.subpath} if mount.subpath else {}),
        **({"mountPropagation": "HostToContainer"} if {"rslave", "slave"} & {*mount.options} else {}),
    }


def _kind(path: str) -> str:
    """Return the type of a hostPath: the type of the existing file, or DirectoryOrCreate."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return "DirectoryOrCreate"
    return _HOST_PATHS.get(stat.S_IFMT(mode), "File")


def _size(text: str) -> str:
    """Return the size of a tmpfs ("64m") as a quantity; empty without a size, or for a share of the memory."""
    digits, unit = text.rstrip("bBkKmMgGtT"), text.lstrip("0123456789").lower()
    return quantities.memory(int(digits) * _UNITS[unit]) if digits.isdigit() and unit in _UNITS else ""
