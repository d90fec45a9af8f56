"""The service, the store and its events on Podman's paths."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.api.addresses import path_of
from podpy.api.call import JSON_TYPE, Answer
from podpy.api.compat.events import moment
from podpy.api.compat.system import build_facts
from podpy.libpod.system.info import API_VERSION, architecture
from podpy.times import rfc3339
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.libpod.system.events import Event

_OLDEST = "4.0.0"
_SECOND = 1_000_000_000


def version(call: Call) -> Answer:
    """Return the versions: Podman's, whose interface this is, and podpy's."""

    kernel = os.uname().release
    details = {
        "APIVersion": API_VERSION,
        "Arch": architecture(),
        "BuildTime": "",
        "Experimental": "false",
        "GitCommit": "",
        "GoVersion": "",
        "KernelVersion": kernel,
        "MinAPIVersion": _OLDEST,
        "Os": "linux",
    }
    data = {
        "Platform": {"Name": f"linux/{architecture()}"},
        "Components": [
            {"Name": "Podman Engine", "Version": API_VERSION, "Details": details},
            {"Name": "Podpy Engine", "Version": VERSION, "Details": {}},
        ],
        "Version": API_VERSION,
        **build_facts(kernel),
    }
    return Answer(data)


def info(call: Call) -> Answer:
    """Describe host, store and settings: Podman's Info."""
    from podpy.libpod.system.info import info as read

    data = read(call.runtime)
    remote = {"path": f"unix://{path_of(call.connection.socket)}", "exists": True}
    return Answer({**data, "host": {**data["host"], "serviceIsRemote": False, "remoteSocket": remote}})


def df(call: Call) -> Answer:
    """Tell what images, containers and volumes take up."""
    from podpy.libpod.images.rows import split_name
    from podpy.libpod.system.disk_usage import disk_usage

    usage = disk_usage(call.runtime)
    images = [
        {
            "Repository": split_name(name)[0],
            "Tag": split_name(name)[1],
            "ImageID": each.image.id,
            "Created": rfc3339(each.image.created, utc=True),
            "Size": each.shared + each.own,
            "SharedSize": each.shared,
            "UniqueSize": each.own,
            "Containers": each.containers,
        }
        for each in usage.images
        for name in each.image.names[:1] or [""]
    ]
    containers = [
        {
            "ContainerID": each.row.id,
            "Image": each.row.image_id,
            "Command": fastjson.loads(each.row.command),
            "LocalVolumes": each.volumes,
            "Size": each.size,
            "RWSize": each.size,
            "Created": rfc3339(each.row.created),
            "Status": each.row.status,
            "Names": each.row.name,
        }
        for each in usage.containers
    ]
    volumes = [
        {
            "VolumeName": each.name,
            "Links": each.containers,
            "Size": each.size,
            "ReclaimableSize": 0 if each.containers else each.size,
        }
        for each in usage.volumes
    ]
    return Answer({"ImagesSize": usage.images_size, "Images": images, "Containers": containers, "Volumes": volumes})


def prune(call: Call) -> Answer:
    """Remove what nobody uses: pods, containers, images, networks, with `volumes` also volumes."""
    query = call.query
    done = call.runtime.prune(query["filters"], every=query["all"], volumes=query["volumes"])

    def reports(kind: str) -> list[dict[str, Any]] | None:
        found = done.get(kind)
        if found is None or not found.removed:
            return None
        return [{"Id": name, "Size": found.freed if not place else 0} for place, name in enumerate(found.removed)]

    return Answer(
        {
            "PodPruneReport": reports("pods"),
            "ContainerPruneReports": reports("containers"),
            "ImagePruneReports": reports("images"),
            "NetworkPruneReports": [{"Name": name, "Error": None} for name in done["networks"].removed] or None,
            "VolumePruneReports": reports("volumes"),
            "ReclaimedSpace": sum(each.freed for each in done.values()),
        }
    )


def events(call: Call) -> None:
    """Send events; without `stream` only past ones."""
    query = call.query
    since, until = moment(query["since"]), moment(query["until"])
    follow = query["stream"]
    connection = call.connection
    with call.runtime.events(
        since=since,
        until=until,
        filters=query["filters"],
        follow=follow,
        past=bool(since) or not follow,
        output=connection.socket.fileno(),
    ) as stream:
        connection.begin(200, [("Content-Type", JSON_TYPE)])
        for event in stream:
            connection.write((fastjson.dumps_readable(_event(event)) + "\n").encode("utf-8", "replace"))
    connection.end()


def _event(event: Event) -> dict[str, Any]:
    """Return an event in Podman's form (pkg/domain/entities/events.go, ConvertToEntitiesEvent)."""
    attributes = {key: str(value) for key, value in (event.attributes or {}).items()}
    attributes |= {"image": event.image, "name": event.name, "podId": event.pod_id}
    attributes["containerExitCode"] = str(event.exit_code or 0)  # clients before 5.0 need it with every event
    if event.network:
        attributes["network"] = event.network
    shown = {
        "status": event.status,
        "id": event.id,
        "from": event.image,
        "Type": event.type,
        "Action": event.status,
        "Actor": {"ID": event.id, "Attributes": attributes},
        "scope": "local",
        "time": event.time // _SECOND,
        "timeNano": event.time,
    }
    return {**shown, "HealthStatus": event.health_status} if event.health_status else shown
