"""`GET /events`: what happens, past and new, a JSON object on each line."""

from __future__ import annotations

from time import time_ns

from podpy import fastjson
from podpy.api.call import JSON_TYPE
from podpy.api.compat.networking import shown_name
from podpy.api.errors import HttpError
from podpy.libpod.filters.times import parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.libpod.system.events import Event

_SECOND = 1_000_000_000
_KEYS = ("container", "event", "image", "label", "network", "type", "volume")
_ACTIONS = {
    ("container", "died"): "die",
    ("container", "remove"): "destroy",
    ("container", "exec"): "exec_start",
    ("container", "exec_died"): "exec_die",
    ("image", "remove"): "delete",
    ("image", "loadfromarchive"): "load",
    ("volume", "remove"): "destroy",
    ("network", "remove"): "destroy",
}
"""Docker's words for podpy's events; the others have the same."""
_OWN = {action: status for (_, status), action in _ACTIONS.items() if action != "destroy"}
_BETWEEN = ("init", "cleanup")
"""Steps that Docker has no events for."""


def events(call: Call) -> None:
    """Send events until `until`, or until the client goes."""
    query = call.query
    since, until = moment(query["since"]), moment(query["until"])
    if since and until and since > until:
        raise HttpError(400, f"`since` time ({query['since']}) cannot be after `until` time ({query['until']})")
    filters = [each for text in query["filters"] for each in _own(text)]
    follows = not until or until > time_ns()
    connection = call.connection
    with call.runtime.events(
        since=since, until=until, filters=filters, follow=follows, past=bool(since), output=connection.socket.fileno()
    ) as stream:
        connection.begin(200, [("Content-Type", JSON_TYPE)])
        for event in stream:
            if event.status not in _BETWEEN:
                connection.write((fastjson.dumps_readable(_shown(call, event)) + "\n").encode("utf-8", "replace"))
    connection.end()


def moment(text: str) -> int:
    """Return a parameter's time in nanoseconds since 1970; 0 if none was given. Raises UsageError."""
    return parse_time(text) if text else 0


def _own(text: str) -> list[str]:
    """Return a filter in podpy's words; none for one that only a swarm or a daemon has: dockerd checks no key."""
    key, _, value = text.partition("=")
    if key not in _KEYS:
        return []
    if key == "event":
        return ["event=remove", "event=prune"] if value == "destroy" else [f"event={_OWN.get(value, value)}"]
    return [text]


def _shown(call: Call, event: Event) -> dict[str, Any]:
    action = _ACTIONS.get((event.type, event.status), event.status)
    actor, attributes = _actor(call, event)
    if event.type == "container" and action == "health_status":
        action = f"health_status: {event.health_status}"
    older = {"status": action, "id": actor} if event.type in ("container", "image") else {}
    if event.type == "container":
        older["from"] = event.image
    return {
        **older,
        "Type": event.type,
        "Action": action,
        "Actor": {"ID": actor, "Attributes": dict(sorted(attributes.items()))},
        "scope": "local",
        "time": event.time // _SECOND,
        "timeNano": event.time,
    }


def _actor(call: Call, event: Event) -> tuple[str, dict[str, str]]:
    """Return who an event is about, and what is told of it."""
    found = {key: str(value) for key, value in (event.attributes or {}).items()}
    if event.type == "network":
        name = shown_name(call.runtime, event.network)
        more = {"container": event.id} if event.status in ("connect", "disconnect") else {}
        return event.network, {**found, **more, "name": name, "type": found.get("driver", "bridge")}
    if event.type == "volume":
        return event.name, {**found, "driver": "local"}
    if event.name:
        found["name"] = event.name
    if event.type == "container":
        found["image"] = event.image
        if event.exit_code is not None:
            found["exitCode"] = str(event.exit_code)
        if event.exec_id:
            found["execID"] = event.exec_id
    return event.id, found
