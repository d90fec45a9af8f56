"""The routes of Docker's paths about containers and the service itself."""

from __future__ import annotations

from podpy.api.compat import bodies
from podpy.api.routes import JSON_BODY, STREAM, filters, flag, number, route, text

_HERE = "podpy.api.compat"
_C = "container"
_ID = "/containers/{id}"

_OF_LISTS = (
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network",
    "publish", "since", "status", "volume", "until",
)  # fmt: skip
_DETACH = text("detachKeys", "Keys that end the attachment: ctrl-X or a character, separated by commas")
_T = number("t", "Seconds until it is killed")

SYSTEM = (
    route("GET", "/_ping", f"{_HERE}.system:ping", "Say that the service is there"),
    route("HEAD", "/_ping", f"{_HERE}.system:ping", "Say that the service is there"),
    route("GET", "/version", f"{_HERE}.system:version", "Versions"),
    route("GET", "/info", f"{_HERE}.system:info", "The host, the store, the settings"),
)

CONTAINERS = (
    route(
        "POST", "/containers/create", f"{_HERE}.containers:create", "Create a container",
        text("name"), text("platform"), body=JSON_BODY, schema=bodies.CREATE,
    ),
    route(
        "GET", "/containers/json", f"{_HERE}.listing:containers", "List containers",
        flag("all"), number("limit"), flag("size"), filters(*_OF_LISTS),
    ),
    route(
        "POST", "/containers/prune", f"{_HERE}.containers:prune", "Remove stopped containers",
        filters("label", "label!", "until"),
    ),
    route("GET", _ID + "/json", f"{_HERE}.inspecting:inspect", "Everything about a container", flag("size"), kind=_C),
    route("POST", _ID + "/start", f"{_HERE}.containers:start", "Start a container", _DETACH, kind=_C),
    route("POST", _ID + "/stop", f"{_HERE}.containers:stop", "Stop a container", _T, text("signal"), kind=_C),
    route("POST", _ID + "/restart", f"{_HERE}.containers:restart", "Stop and start it", _T, text("signal"), kind=_C),
    route("POST", _ID + "/kill", f"{_HERE}.containers:kill", "Send a signal", text("signal", default="KILL"), kind=_C),
    route("POST", _ID + "/pause", f"{_HERE}.containers:pause", "Freeze a container", kind=_C),
    route("POST", _ID + "/unpause", f"{_HERE}.containers:unpause", "Let it go on", kind=_C),
    route("POST", _ID + "/rename", f"{_HERE}.containers:rename", "Rename a container", text("name"), kind=_C),
    route(
        "POST", _ID + "/update", f"{_HERE}.containers:update", "Change limits and restart policy",
        body=JSON_BODY, schema=bodies.UPDATE, kind=_C,
    ),
    route("POST", _ID + "/wait", f"{_HERE}.waiting:wait", "Wait for a container's end", text("condition"), kind=_C),
    route(
        "GET", _ID + "/logs", f"{_HERE}.logs:logs", "What a container has written",
        flag("follow"), flag("stdout"), flag("stderr"), text("since"), text("until"), flag("timestamps"),
        flag("details"), text("tail", default="all"), kind=_C,
    ),
    route(
        "POST", _ID + "/attach", f"{_HERE}.attach:attach", "A container's streams, on this connection",
        _DETACH, flag("logs"), flag("stream"), flag("stdin"), flag("stdout"), flag("stderr"), kind=_C,
    ),
    route(
        "POST", _ID + "/resize", f"{_HERE}.execs:container_resize", "Set the size of a container's terminal",
        text("h"), text("w"), kind=_C,
    ),
    route(
        "DELETE", _ID, f"{_HERE}.containers:remove", "Remove a container",
        flag("force"), flag("v"), flag("link"), kind=_C,
    ),
)  # fmt: skip

_PATH = text("path", "Of the container, relative to its working directory or absolute")
FILES = (
    route("GET", _ID + "/archive", f"{_HERE}.files:archive", "A tar of a path", _PATH, kind=_C),
    route("HEAD", _ID + "/archive", f"{_HERE}.files:archive", "What is at a path", _PATH, kind=_C),
    route(
        "PUT", _ID + "/archive", f"{_HERE}.files:put_archive", "Unpack a tar into a directory",
        _PATH, flag("noOverwriteDirNonDir"), flag("copyUIDGID"), body=STREAM, kind=_C,
    ),
    route("GET", _ID + "/export", f"{_HERE}.files:export", "A tar of the whole file system", kind=_C),
    route("GET", _ID + "/changes", f"{_HERE}.files:changes", "What differs from the image", kind=_C),
)  # fmt: skip

USAGE = (
    route("GET", _ID + "/top", f"{_HERE}.usage:top", "The processes", text("ps_args"), kind=_C),
    route(
        "GET", _ID + "/stats", f"{_HERE}.usage:stats", "What a container uses",
        flag("stream", default=True), flag("one-shot"), kind=_C,
    ),
    route(
        "GET", "/events", f"{_HERE}.events:events", "What happens", text("since"), text("until"), filters(),
    ),
)  # fmt: skip

EXECS = (
    route(
        "POST", _ID + "/exec", f"{_HERE}.execs:create", "Say which command is to run in a container",
        body=JSON_BODY, schema=bodies.EXEC, kind=_C,
    ),
    route(
        "POST", "/exec/{id}/start", f"{_HERE}.execs:start", "Run it, on this connection or in the background",
        body=JSON_BODY, schema=bodies.EXEC_START, optional_body=True,
    ),
    route("GET", "/exec/{id}/json", f"{_HERE}.execs:inspect", "Whether it runs, how it has ended"),
    route(
        "POST", "/exec/{id}/resize", f"{_HERE}.execs:resize", "Set the size of its terminal", text("h"), text("w")
    ),
)  # fmt: skip

COMPAT = (*SYSTEM, *CONTAINERS, *FILES, *USAGE, *EXECS)
