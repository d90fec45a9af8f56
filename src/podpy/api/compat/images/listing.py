"""Images: list, inspect, history."""

from __future__ import annotations

from podpy import fastjson
from podpy.api.call import Answer
from podpy.api.compat.images.names import familiar, find
from podpy.api.errors import HttpError
from podpy.errors import NoSuchImageError
from podpy.image.documents import describe
from podpy.times import ZERO_TIME, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.storage.images import ImageRecord

_SECOND = 1_000_000_000
_VIRTUAL_UNTIL = (1, 43)  # the last version with VirtualSize
_NONE_UNTIL = (1, 42)  # the last version in which an image without a name has <none>:<none>
_NO_SHARES = -1  # SharedSize and Containers: not counted


def images(call: Call) -> Answer:
    """List images."""
    filters = call.query["filters"]
    if call.query["filter"]:
        filters = [*filters, f"reference={call.query['filter']}"]
    try:
        found = call.runtime.images.list(filters)
    except NoSuchImageError as error:
        raise HttpError(404, f"No such image: {_named(filters)}") from error
    shared = _shared(call) if call.query["shared-size"] else {}
    return Answer([summary(call, record, shared.get(record.id, _NO_SHARES)) for record in found])


def _named(filters: list[str]) -> str:
    return next((text.partition("=")[2] for text in filters if text.startswith(("before=", "since="))), "")


def _shared(call: Call) -> dict[str, int]:
    return {image: shared for image, (shared, _) in call.runtime.store.space().by_image().items()}


def summary(call: Call, record: ImageRecord, shared: int = _NO_SHARES, containers: int = _NO_SHARES) -> dict[str, Any]:
    """Return an image as in lists. `shared`: the bytes that others have, too; `containers`: how many use it."""
    tags = [familiar(name) for name in describe.repo_tags(record)]
    digests = [familiar(name) for name in describe.repo_digests(record)]
    if not tags and not digests and call.version <= _NONE_UNTIL:
        tags, digests = ["<none>:<none>"], ["<none>@<none>"]
    virtual = {"VirtualSize": record.size} if call.version <= _VIRTUAL_UNTIL else {}
    return {
        "Containers": containers,
        "Created": record.created // _SECOND,
        "Id": f"sha256:{record.id}",
        "Labels": dict(describe.parse_config(record).labels) or None,
        "ParentId": "",
        "RepoDigests": digests,
        "RepoTags": tags,
        "SharedSize": shared,
        "Size": record.size,
        **virtual,
    }


def inspect(call: Call) -> Answer:
    """Return everything about an image."""
    record, _ = find(call, call.name)
    data = call.runtime.images.inspect(record.id)
    virtual = {"VirtualSize": record.size} if call.version <= _VIRTUAL_UNTIL else {}
    return Answer(
        {
            "Id": f"sha256:{data['Id']}",
            "RepoTags": [familiar(name) for name in data["RepoTags"]],
            "RepoDigests": [familiar(name) for name in data["RepoDigests"]],
            "Parent": "",
            "Comment": data["Comment"],
            "Created": data["Created"] or ZERO_TIME,
            "DockerVersion": "",
            "Author": data["Author"],
            "Architecture": data["Architecture"],
            "Os": data["Os"],
            "Size": data["Size"],
            **virtual,
            "GraphDriver": {"Data": data["GraphDriver"]["Data"], "Name": "overlay2"},
            "RootFS": {"Type": "layers", "Layers": data["RootFS"]["Layers"]},
            "Metadata": {"LastTagTime": _last_tagged(call, record)},
            "Config": _config(record, data),
        }
    )


def _last_tagged(call: Call, record: ImageRecord) -> str:
    rows = call.runtime.database.query("SELECT max(given) FROM name_history WHERE image_id = ?", (record.id,))
    return rfc3339(rows[0][0], utc=True) if rows and rows[0][0] else ZERO_TIME


def _config(record: ImageRecord, data: dict[str, Any]) -> dict[str, Any]:
    """Return the image's settings: what Docker always shows, and what else is set."""
    try:
        own = fastjson.loads(record.config).get("config") or {}
    except ValueError:  # what is in the store must be listable
        own = {}
    more = {name: own[name] for name in ("OnBuild", "Shell", "ArgsEscaped") if own.get(name)}
    health = {"Healthcheck": data["Healthcheck"]} if "Healthcheck" in data else {}
    settings = data["Config"]
    always = dict.fromkeys(("Cmd", "Entrypoint", "Env", "Labels", "OnBuild", "Volumes"))
    return {**always, "User": "", "WorkingDir": "", **settings, **health, **more}


def history(call: Call) -> Answer:
    """Return the steps by which an image was made, the last one first."""
    record, _ = find(call, call.name)
    return Answer(
        [
            {
                "Comment": step.comment,
                "Created": step.created_at // _SECOND,
                "CreatedBy": step.created_by,
                "Id": f"sha256:{step.image_id}" if step.image_id else "<missing>",
                "Size": step.size,
                "Tags": [familiar(name) for name in step.names] or None,
            }
            for step in call.runtime.images.history(record.id)
        ]
    )
