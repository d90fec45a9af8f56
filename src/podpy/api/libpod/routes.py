"""The routes of Podman's own paths."""

from __future__ import annotations

from podpy.api.libpod import bodies
from podpy.api.routes import JSON_BODY, JSON_VALUE, STREAM, Parameter, filters, flag, number, route, text, texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.routes import Route

_DOCKERS = "podpy.api.compat"
_T = number("t", "Seconds until it is killed")
_TIMEOUT = number("timeout", "Seconds until it is killed")
_FORCE, _IGNORE, _ALL = flag("force"), flag("ignore"), flag("all")
_DETACH = text("detachKeys", "Keys that end the attachment: ctrl-X or a character, separated by commas")
_TLS = Parameter(name="tlsVerify", kind="flag", help="Verify the registry's certificate", default=None)
_PATH = text("path", "Of the container, relative to its working directory or absolute")
_SIZE = (text("h"), text("w"))


def _route(method: str, path: str, handler: str, help: str, *query: Parameter, **more: Any) -> Route:
    """A route below /libpod, whose handler is in this room, or (compat.MODULE:…) in that of Docker's paths."""
    own = f"podpy.api.{handler}" if handler.startswith("compat.") else f"podpy.api.libpod.{handler}"
    return route(method, f"/libpod{path}", own, help, *query, **more)


SYSTEM = (
    _route("GET", "/_ping", "compat.system:ping", "Say that the service is there"),
    _route("HEAD", "/_ping", "compat.system:ping", "Say that the service is there"),
    _route("GET", "/version", "system:version", "Versions"),
    _route("GET", "/info", "system:info", "Host, store and settings"),
    _route(
        "GET", "/events", "system:events", "What happens",
        text("since"), text("until"), filters(), flag("stream", default=True),
    ),
    _route("GET", "/system/df", "system:df", "What everything takes up"),
    _route("POST", "/system/prune", "system:prune", "Remove what nobody uses", filters(), _ALL, flag("volumes")),
)  # fmt: skip

_ID = "/containers/{id}"
CONTAINERS = (
    _route(
        "POST", "/containers/create", "containers:create", "Create a container", body=JSON_BODY, schema=bodies.CREATE
    ),
    _route(
        "GET", "/containers/json", "containers:listed", "List containers",
        _ALL, number("limit"), number("last"), flag("size"), flag("namespace"), filters(),
    ),
    _route("POST", "/containers/prune", "containers:prune", "Remove stopped containers", filters()),
    _route("GET", "/containers/showmounted", "containers:show_mounted", "List mounted containers"),
    _route(
        "GET", "/containers/stats", "containers:stats", "What containers use",
        texts("containers"), flag("stream", default=True), number("interval"), _ALL,
    ),
    _route("GET", _ID + "/json", "containers:inspect", "Everything about a container", flag("size")),
    _route("GET", _ID + "/exists", "containers:exists", "Whether there is such a container"),
    _route("POST", _ID + "/start", "containers:start", "Start a container", _DETACH),
    _route("POST", _ID + "/init", "containers:init", "Prepare a start"),
    _route("POST", _ID + "/stop", "containers:stop", "Stop a container", _T, _TIMEOUT, _IGNORE),
    _route("POST", _ID + "/restart", "containers:restart", "Stop and start it", _T, _TIMEOUT),
    _route("POST", _ID + "/kill", "containers:kill", "Send a signal", text("signal", default="KILL")),
    _route("POST", _ID + "/pause", "containers:pause", "Freeze a container"),
    _route("POST", _ID + "/unpause", "containers:unpause", "Let it go on"),
    _route("POST", _ID + "/rename", "containers:rename", "Rename a container", text("name")),
    _route("POST", _ID + "/wait", "containers:wait", "Wait for its end, or a state", texts("condition")),
    _route(
        "POST", _ID + "/update", "containers:update", "Change limits and restart policy",
        text("restartPolicy"), number("restartRetries"), body=JSON_BODY, schema=bodies.UPDATE, optional_body=True,
    ),
    _route("GET", _ID + "/healthcheck", "containers:health", "Run the health check once"),
    _route("POST", _ID + "/checkpoint", "containers:refuse_checkpoint", "Refused"),
    _route("POST", _ID + "/restore", "containers:refuse_checkpoint", "Refused"),
    _route("POST", _ID + "/mount", "containers:mount", "Mount its file system"),
    _route("POST", _ID + "/unmount", "containers:unmount", "Unmount it"),
    _route(
        "DELETE", _ID, "containers:remove", "Remove a container",
        _FORCE, flag("v"), flag("depend"), _IGNORE, _TIMEOUT,
    ),
    _route(
        "GET", _ID + "/top", "containers:top", "The processes", texts("ps_args"), flag("stream"), number("delay")
    ),
    _route(
        "GET", _ID + "/stats", "containers:stats_of_one", "What a container uses, in Docker's form",
        flag("stream", default=True), flag("one-shot"),
    ),
    _route(
        "GET", _ID + "/logs", "compat.logs:logs", "What a container has written",
        flag("follow"), flag("stdout"), flag("stderr"), text("since"), text("until"), flag("timestamps"),
        flag("details"), text("tail", default="all"),
    ),
    _route(
        "POST", _ID + "/attach", "compat.attach:attach", "A container's streams, on this connection",
        _DETACH, flag("logs"), flag("stream", default=True), flag("stdin"), flag("stdout"), flag("stderr"),
    ),
    _route("POST", _ID + "/resize", "compat.execs:container_resize", "Set the size of its terminal", *_SIZE),
    _route("GET", _ID + "/archive", "compat.files:archive", "A tar of a path", _PATH),
    _route("HEAD", _ID + "/archive", "compat.files:archive", "What is at a path", _PATH),
    _route(
        "PUT", _ID + "/archive", "compat.files:put_archive", "Unpack a tar into a directory",
        _PATH, flag("noOverwriteDirNonDir"), flag("copyUIDGID"), body=STREAM,
    ),
    _route("GET", _ID + "/export", "compat.files:export", "A tar of the whole file system"),
    _route("GET", _ID + "/changes", "compat.files:changes", "What differs from the image"),
    _route(
        "POST", "/commit", "containers:commit", "Make an image of a container",
        text("container"), text("repo"), text("tag"), text("author"), text("comment"), texts("changes"),
        text("format"), flag("pause"), flag("squash"),
    ),
    _route(
        "POST", _ID + "/exec", "compat.execs:create", "Say which command is to run in a container",
        body=JSON_BODY, schema=bodies.EXEC,
    ),
    _route(
        "POST", "/exec/{id}/start", "compat.execs:start", "Run it, on this connection or in the background",
        body=JSON_BODY, schema=bodies.EXEC_START, optional_body=True,
    ),
    _route("GET", "/exec/{id}/json", "compat.execs:inspect", "Whether it runs, how it has ended"),
    _route(
        "POST", "/exec/{id}/remove", "compat.execs:remove", "Forget a command that has ended",
        body=JSON_BODY, schema=bodies.EXEC_REMOVE, optional_body=True,
    ),
    _route("POST", "/exec/{id}/resize", "compat.execs:resize", "Set the size of its terminal", *_SIZE),
)  # fmt: skip

_IMAGE = "/images/{name...}"
IMAGES = (
    _route("GET", "/images/json", "images:listed", "List images", _ALL, filters()),
    _route(
        "POST", "/images/pull", "images:pull", "Pull an image",
        text("reference"), text("policy"), text("OS"), text("Arch"), text("Variant"), flag("quiet"), flag("allTags"),
        _TLS,
    ),
    _route(
        "POST", "/images/import", "images:import_", "Make an image of a tar",
        text("reference"), text("url"), text("message"), texts("changes"), text("OS"), text("Architecture"),
        text("Variant"), body=STREAM,
    ),
    _route("POST", "/images/load", "images:load", "Load an archive's images", body=STREAM),
    _route(
        "GET", "/images/export", "images:export", "An archive of images",
        texts("references"), text("format"), flag("compress"),
    ),
    _route("POST", "/images/prune", "images:prune", "Remove unused images", filters(), _ALL, flag("buildcache")),
    _route("DELETE", "/images/remove", "images:remove_several", "Remove images", texts("images"), _ALL, _FORCE,
           _IGNORE),
    _route(
        "GET", "/images/search", "images:search", "Search registries", text("term"), number("limit"), filters(), _TLS
    ),
    _route("GET", _IMAGE + "/exists", "images:exists", "Whether there is such an image"),
    _route("GET", _IMAGE + "/json", "images:inspect", "Everything about an image"),
    _route("GET", _IMAGE + "/history", "images:history", "The steps by which it was made"),
    _route("GET", _IMAGE + "/tree", "images:tree", "Its layers", flag("whatrequires")),
    _route("GET", _IMAGE + "/changes", "images:changes", "What differs from the layer below", text("parent")),
    _route("GET", _IMAGE + "/get", "images:get", "An archive of it", text("format"), flag("compress")),
    _route("POST", _IMAGE + "/tag", "images:tag", "Give it a name", text("repo"), text("tag")),
    _route("POST", _IMAGE + "/untag", "images:untag", "Take a name away", text("repo"), text("tag")),
    _route(
        "POST", _IMAGE + "/push", "images:push", "Push it",
        text("destination"), text("format"), text("compressionFormat"), number("compressionLevel"),
        flag("forceCompressionFormat"), flag("quiet", default=True), _TLS,
    ),
    _route("DELETE", _IMAGE, "images:remove", "Remove it", _FORCE),
)  # fmt: skip

_LIST = "/manifests/{name...}"
MANIFESTS = (
    _route("GET", _LIST + "/exists", "manifests:exists", "Whether there is such a manifest list"),
    _route("GET", _LIST + "/json", "manifests:inspect", "A manifest list's document", _TLS),
    _route(
        "POST", _LIST, "manifests:create", "Create a manifest list", texts("images"), _ALL, flag("amend"), _TLS,
        body=JSON_BODY, optional_body=True,
    ),
    _route("PUT", _LIST, "manifests:modify", "Add, remove or change entries", _TLS, body=JSON_BODY),
    _route("DELETE", _LIST, "manifests:remove", "Remove it; its images stay", _IGNORE),
)  # fmt: skip

_POD = "/pods/{name}"
PODS = (
    _route("POST", "/pods/create", "pods:create", "Create a pod", body=JSON_BODY, schema=bodies.POD,
           optional_body=True),
    _route("GET", "/pods/json", "pods:listed", "List pods", filters()),
    _route("POST", "/pods/prune", "pods:prune", "Remove stopped pods"),
    _route("GET", "/pods/stats", "pods:stats", "What pods' containers use", texts("namesOrIDs"), _ALL),
    _route("GET", _POD + "/json", "pods:inspect", "Everything about a pod"),
    _route("GET", _POD + "/exists", "pods:exists", "Whether there is such a pod"),
    _route("POST", _POD + "/start", "pods:start", "Start it"),
    _route("POST", _POD + "/stop", "pods:stop", "Stop it", _T),
    _route("POST", _POD + "/restart", "pods:restart", "Restart it"),
    _route("POST", _POD + "/kill", "pods:kill", "Send a signal", text("signal", default="KILL")),
    _route("POST", _POD + "/pause", "pods:pause", "Freeze it"),
    _route("POST", _POD + "/unpause", "pods:unpause", "Let it go on"),
    _route("GET", _POD + "/top", "pods:top", "The processes", texts("ps_args")),
    _route("DELETE", _POD, "pods:remove", "Remove it", _FORCE, _TIMEOUT),
)  # fmt: skip

_VOLUME, _SECRET = "/volumes/{name}", "/secrets/{name}"
VOLUMES = (
    _route("POST", "/volumes/create", "volumes:create", "Create a volume", body=JSON_BODY, schema=bodies.VOLUME,
           optional_body=True),
    _route("GET", "/volumes/json", "volumes:listed", "List volumes", filters()),
    _route("POST", "/volumes/prune", "volumes:prune", "Remove unused volumes", filters()),
    _route("GET", _VOLUME + "/json", "volumes:inspect", "Everything about a volume"),
    _route("GET", _VOLUME + "/exists", "volumes:exists", "Whether there is such a volume"),
    _route("GET", _VOLUME + "/export", "volumes:export", "A tar of its files"),
    _route("POST", _VOLUME + "/import", "volumes:import_", "Unpack a tar into it", body=STREAM),
    _route("DELETE", _VOLUME, "volumes:remove", "Remove it", _FORCE, _TIMEOUT),
    _route(
        "POST", "/secrets/create", "volumes:create_secret", "Store a secret",
        text("name"), text("driver"), Parameter(name="driveropts", kind=JSON_VALUE),
        Parameter(name="labels", kind=JSON_VALUE), flag("replace"), _IGNORE, body=STREAM,
    ),
    _route("GET", "/secrets/json", "volumes:secrets", "List secrets", filters()),
    _route("GET", _SECRET + "/json", "volumes:inspect_secret", "Describe a secret", flag("showsecret")),
    _route("GET", _SECRET + "/exists", "volumes:secret_exists", "Whether there is such a secret"),
    _route("DELETE", _SECRET, "volumes:remove_secret", "Remove it"),
)  # fmt: skip

_NETWORK = "/networks/{name}"
NETWORKS = (
    _route(
        "POST", "/networks/create", "networks:create", "Create a network", flag("ignoreIfExists"),
        body=JSON_BODY, schema=bodies.NETWORK, optional_body=True,
    ),
    _route("GET", "/networks/json", "networks:listed", "List networks", filters()),
    _route("POST", "/networks/prune", "networks:prune", "Remove unused networks", filters()),
    _route("GET", _NETWORK + "/json", "networks:inspect", "Everything about a network"),
    _route("GET", _NETWORK + "/exists", "networks:exists", "Whether there is such a network"),
    _route("POST", _NETWORK + "/update", "networks:update", "Change its name servers", body=JSON_BODY,
           schema=bodies.NETWORK_UPDATE),
    _route("POST", _NETWORK + "/connect", "networks:connect", "Connect a container", body=JSON_BODY,
           schema=bodies.CONNECT),
    _route("POST", _NETWORK + "/disconnect", "networks:disconnect", "Disconnect a container", body=JSON_BODY,
           schema=bodies.DISCONNECT),
    _route("DELETE", _NETWORK, "networks:remove", "Remove it", _FORCE, _TIMEOUT),
)  # fmt: skip

_PLAY = (
    flag("start", default=True), flag("replace"), flag("build"), flag("noPodPrefix"), texts("network"),
    texts("staticIPs"), texts("staticMACs"), texts("publishPorts"), flag("publishAllPorts"), flag("noHosts"),
    text("logDriver"), texts("logOptions"), text("userns"), _TLS,
)  # fmt: skip
KUBE = (
    *(
        each
        for path in ("/kube/play", "/play/kube")
        for each in (
            _route("POST", path, "kube:play", "Make the pods of a file", *_PLAY, body=STREAM),
            _route("DELETE", path, "kube:down", "Remove them", _FORCE, body=STREAM),
        )
    ),
    _route(
        "GET", "/generate/kube", "kube:generate", "Kubernetes YAML of what is there",
        texts("names"), flag("service"), text("type", default="pod"), number("replicas"), flag("podmanOnly"),
    ),
)  # fmt: skip

LIBPOD = (*SYSTEM, *CONTAINERS, *IMAGES, *MANIFESTS, *PODS, *VOLUMES, *NETWORKS, *KUBE)
