"""One event in `events`: Podman's JSON, and the fields that --format can show."""

from __future__ import annotations

from podpy.go.template.values import Map, Struct
from podpy.times import SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.system.events import Event

# Go's encoding/json escapes these, so that JSON can be embedded in HTML.
_ESCAPED = (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e"))


class ShownEvent(Struct):
    """An event as a template sees it; its JSON is Podman's line."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event
        details = {"ContainerInspectData": "", "PodID": event.pod_id, "Attributes": Map(event.attributes)}
        super().__init__(
            {
                "ContainerExitCode": event.exit_code,
                "OOMKilled": True if event.oom_killed else None,
                "ID": event.id,
                "Image": event.image,
                "Name": event.name,
                "Network": event.network,
                "Status": event.status,
                "Time": event.time // SECOND,
                "TimeNano": event.time,
                "Type": event.type,
                "HealthStatus": event.health_status,
                "Error": event.error,
                "Details": Struct(details),
            }
        )
        self.update({name: _field(value) for name, value in details.items()})

    def json_form(self) -> Struct:
        """Return Podman's keys in their order; what is empty is left out."""
        return Struct(fields(self._event))


def _field(value: Any) -> Any:
    return lambda: value  # a field of the embedded struct: a printed struct shows it only once


def fields(event: Event) -> dict[str, Any]:
    """Return the fields of the JSON, in Podman's order."""
    found: dict[str, Any] = {
        "ContainerExitCode": event.exit_code,
        "OOMKilled": event.oom_killed or None,
        "ID": event.id or None,
        "Image": event.image or None,
        "Name": event.name or None,
        "network": event.network or None,
        "Status": event.status,
        "time": event.time // SECOND,
        "timeNano": event.time,
        "Type": event.type,
        "health_status": event.health_status or None,
        "Error": event.error or None,
        "PodID": event.pod_id or None,
    }
    found = {name: value for name, value in found.items() if value is not None}
    found["Attributes"] = (
        None if event.attributes is None else {k: event.attributes[k] for k in sorted(event.attributes)}
    )
    return found


def json_line(event: Event) -> str:
    """Return Podman's JSON of an event, with a line end."""
    from podpy.fastjson import dumps_readable

    text = dumps_readable(fields(event))
    for character, written in _ESCAPED:
        if character in text:
            text = text.replace(character, written)
    return text + "\n"
