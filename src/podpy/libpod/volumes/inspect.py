"""Everything about a volume, in the form of `podman volume inspect`."""

from __future__ import annotations

from podpy.go.time import GoTime
from podpy.libpod.containers.table import ALIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.storage.volumes.volume import Volume

_MARKS = ", ".join("?" * len(ALIVE))
_MOUNTERS = f"""SELECT count(*) FROM container_volumes JOIN containers ON id = container_id
    WHERE volume = ? AND status IN ({_MARKS})"""


def inspect(engine: Engine, volume: Volume) -> dict[str, Any]:
    """Return all fields in Podman's order, empty ones, too.

    MountCount is counted as in Podman: running containers and `volume mount`, for a volume that must be mounted.
    LockNumber is always 0: podpy has no numbered locks.
    """
    return {
        "Name": volume.name,
        "Driver": volume.driver,
        "Mountpoint": volume.mountpoint,
        "CreatedAt": GoTime(volume.created),
        "Status": None,
        "Labels": volume.labels,
        "Scope": "local",
        "Options": volume.options,
        "UID": volume.uid,
        "GID": volume.gid,
        "Anonymous": volume.anonymous,
        "MountCount": _mount_count(engine, volume),
        "NeedsCopyUp": not volume.copied_up,
        "NeedsChown": not volume.owned,
        "Timeout": 0,
        "StorageID": "",
        "LockNumber": 0,
    }


def _mount_count(engine: Engine, volume: Volume) -> int:
    if not volume.needs_mount:
        return 0
    from podpy.storage.volumes import mounting

    ((containers,),) = engine.database.query(_MOUNTERS, (volume.name, *ALIVE))
    return int(containers) + mounting.is_mounted(volume)
