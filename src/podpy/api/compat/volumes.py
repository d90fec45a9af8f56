"""Volumes: libpod's in Docker's form."""

from __future__ import annotations

from podpy.api.call import NOTHING, Answer
from podpy.api.errors import HttpError
from podpy.errors import InUseError, NoSuchVolumeError, NotSupportedError, UsageError
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.storage.volumes.volume import Volume

_ANONYMOUS = "com.docker.volume.anonymous"
_ALL_SINCE = (1, 42)  # before, a prune took the named volumes, too


def volumes(call: Call) -> Answer:
    """List volumes."""
    found = call.runtime.volumes.list(call.query["filters"])
    return Answer({"Volumes": [describe(volume) for volume in found], "Warnings": None})


def describe(volume: Volume) -> dict[str, Any]:
    """Return a volume in Docker's form."""
    labels = {**volume.labels, **({_ANONYMOUS: ""} if volume.anonymous else {})}
    return {
        "CreatedAt": rfc3339(volume.created // 1_000_000_000 * 1_000_000_000, utc=True),
        "Driver": volume.driver,
        "Labels": labels or None,
        "Mountpoint": volume.mountpoint,
        "Name": volume.name,
        "Options": volume.options or None,
        "Scope": "local",
    }


def inspect(call: Call) -> Answer:
    """Return everything about a volume."""
    return Answer(describe(_volume(call)))


def _volume(call: Call) -> Volume:
    """Return the volume of the path: by its whole name, since dockerd knows no beginnings of names."""
    if not call.runtime.volumes.exists(call.name):
        raise HttpError(404, f"get {call.name}: no such volume")
    return call.runtime.volumes.get(call.name)


def create(call: Call) -> Answer:
    """Create a volume; one of this name that is there is returned as it is."""
    body = call.json()
    name: str = body.get("Name") or ""
    driver: str = body.get("Driver") or "local"
    labels: dict[str, str] = dict(body.get("Labels") or {})
    if body.get("ClusterVolumeSpec"):
        raise HttpError(503, "This node is not a swarm manager: cluster volumes aren't supported")
    if not name:
        labels[_ANONYMOUS] = ""
    try:
        made = call.runtime.volumes.create(
            name, labels=labels, options=body.get("DriverOpts") or {}, driver=driver, ignore=True
        )
    except NotSupportedError as error:
        if driver == "local":
            raise
        raise HttpError(
            404, f'create {name}: error looking up volume plugin {driver}: plugin "{driver}" not found'
        ) from error
    except UsageError as error:
        raise HttpError(400, f"create {name}: {error.message}") from None
    return Answer(describe(made), 201)


def remove(call: Call) -> Answer:
    """Remove a volume; with `force` one that isn't there is no error. Docker never removes one that is in use."""
    try:
        call.runtime.volumes.remove(_volume(call).name)
    except (HttpError, NoSuchVolumeError) as error:
        if not call.query["force"]:
            raise HttpError(404, f"get {call.name}: no such volume") from error
    except InUseError:
        users = call.runtime.volume_table.users(call.name)
        raise HttpError(409, f"remove {call.name}: volume is in use - [{', '.join(users)}]") from None
    return Answer(status=NOTHING)


def update(call: Call) -> Answer:
    """Refuse to change a volume: only those of a cluster can be."""
    _volume(call)
    raise HttpError(
        503,
        "This node is not a swarm manager. Only cluster volumes can be updated, and podpy hasn't any",
    )


def prune(call: Call) -> Answer:
    """Remove the anonymous volumes that no container uses; with the filter `all=true` the named ones, too."""
    filters = [text for text in call.query["filters"] if not text.startswith("all=")]
    said = [text.partition("=")[2] for text in call.query["filters"] if text.startswith("all=")]
    every = call.version < _ALL_SINCE or any(value.lower() in ("1", "true", "t") for value in said)
    volumes = call.runtime.volumes
    runs = [volumes.prune(filters, every=every)]
    if not every:  # those that a client has made without a name bear Docker's label
        runs.append(volumes.prune([*filters, f"label={_ANONYMOUS}"], every=True))
    removed = [name for done in runs for name in done.removed]
    return Answer({"VolumesDeleted": removed, "SpaceReclaimed": sum(done.freed for done in runs)})
