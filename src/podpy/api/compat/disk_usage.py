"""`GET /system/df`: what the store takes on the disk."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.compat.images.listing import summary
from podpy.api.compat.listing import entries
from podpy.api.compat.volumes import describe
from podpy.api.errors import HttpError
from podpy.libpod.system import disk_usage as usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call

_KINDS = ("container", "image", "volume", "build-cache")


def disk_usage(call: Call) -> Answer:
    """Return the images, containers and volumes with their sizes; `type`: only those of these kinds."""
    wanted = call.query["type"] or _KINDS
    for kind in wanted:
        if kind not in _KINDS:
            raise HttpError(400, f"unknown object type: {kind}")
    found = usage.disk_usage(call.runtime)
    data: dict[str, Any] = {"LayersSize": found.images_size if "image" in wanted else 0}
    data["Images"] = _images(call, found) if "image" in wanted else None
    data["Containers"] = entries(call, size=True) if "container" in wanted else None
    data["Volumes"] = _volumes(call, found) if "volume" in wanted else None
    data["BuildCache"] = _steps(found) if "build-cache" in wanted else None
    return Answer(data)


def _images(call: Call, found: usage.DiskUsage) -> list[dict[str, Any]]:
    records = {record.id: record for record in call.runtime.images.list()}
    return [
        summary(call, records[each.image.id], each.shared, each.containers)
        for each in found.images
        if each.image.id in records
    ]


def _volumes(call: Call, found: usage.DiskUsage) -> list[dict[str, Any]]:
    sizes = {each.name: {"RefCount": each.containers, "Size": each.size} for each in found.volumes}
    return [
        {**describe(volume), "UsageData": sizes.get(volume.name, {"RefCount": -1, "Size": -1})}
        for volume in call.runtime.volumes.list()
    ]


def _steps(found: usage.DiskUsage) -> list[dict[str, Any]]:
    """Return one entry for all steps of builds: podpy counts them together."""
    if not found.steps_size:
        return []
    return [
        {
            "ID": "steps", "Type": "regular", "Description": f"{found.steps} steps of builds", "InUse": False,
            "Shared": False, "Size": found.steps_size, "CreatedAt": "0001-01-01T00:00:00Z", "LastUsedAt": None,
            "UsageCount": 0,
        }
    ]  # fmt: skip
