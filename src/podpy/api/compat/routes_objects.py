"""The routes of Docker's paths about networks, volumes, and what only a swarm has."""

from __future__ import annotations

from podpy.api.routes import JSON_BODY, Route, filters, flag, route, text

_HERE = "podpy.api.compat"
_N = "network"
_V = "volume"
_TEXTS = {"*": str}
_POOL = {"Subnet": str, "Gateway": str, "IPRange": str, "AuxiliaryAddresses": _TEXTS}
_NETWORK = {
    "Name": str, "Driver": str, "Internal": bool, "Attachable": bool, "Ingress": bool, "EnableIPv4": bool,
    "EnableIPv6": bool, "Options": _TEXTS, "Labels": _TEXTS, "Scope": str, "ConfigOnly": bool,
    "ConfigFrom": {"Network": str}, "IPAM": {"Driver": str, "Options": _TEXTS, "Config": [_POOL]},
}  # fmt: skip
_CONNECT = {
    "Container": str, "Force": bool,
    "EndpointConfig": {
        "IPAMConfig": {"IPv4Address": str, "IPv6Address": str, "LinkLocalIPs": [str]},
        "Aliases": [str], "Links": [str], "MacAddress": str, "DriverOpts": _TEXTS,
    },
}  # fmt: skip
_VOLUME = {"Name": str, "Driver": str, "DriverOpts": _TEXTS, "Labels": _TEXTS}
_NETS, _VOLS = "/networks", "/volumes"

NETWORKS = (
    route(
        "GET", _NETS, f"{_HERE}.networks:networks", "List networks",
        filters("driver", "id", "label", "name", "scope", "type", "dangling"),
    ),
    route(
        "POST", _NETS + "/create", f"{_HERE}.networks:create", "Create a network", body=JSON_BODY, schema=_NETWORK,
    ),
    route(
        "POST", _NETS + "/prune", f"{_HERE}.networks:prune", "Remove unused networks",
        filters("label", "label!", "until"),
    ),
    route("GET", _NETS + "/{id}", f"{_HERE}.networks:inspect", "Everything about a network", kind=_N),
    route("DELETE", _NETS + "/{id}", f"{_HERE}.networks:remove", "Remove a network", kind=_N),
    route(
        "POST", _NETS + "/{id}/connect", f"{_HERE}.networks:connect", "Put a container on it",
        body=JSON_BODY, schema=_CONNECT, kind=_N,
    ),
    route(
        "POST", _NETS + "/{id}/disconnect", f"{_HERE}.networks:disconnect", "Take a container off it",
        body=JSON_BODY, schema=_CONNECT, kind=_N,
    ),
)  # fmt: skip

VOLUMES = (
    route(
        "GET", _VOLS, f"{_HERE}.volumes:volumes", "List volumes", filters("dangling", "driver", "label", "name"),
    ),
    route(
        "POST", _VOLS + "/create", f"{_HERE}.volumes:create", "Create a volume",
        body=JSON_BODY, schema=_VOLUME, optional_body=True,
    ),
    route(
        "POST", _VOLS + "/prune", f"{_HERE}.volumes:prune", "Remove unused volumes",
        filters("label", "label!", "all"),
    ),
    route("GET", _VOLS + "/{name}", f"{_HERE}.volumes:inspect", "Everything about a volume", kind=_V),
    route("PUT", _VOLS + "/{name}", f"{_HERE}.volumes:update", "Change a cluster's volume: refused", kind=_V),
    route("DELETE", _VOLS + "/{name}", f"{_HERE}.volumes:remove", "Remove a volume", flag("force"), kind=_V),
)  # fmt: skip


def _of_managers(noun: str) -> tuple[Route, ...]:
    """Return the routes of a kind of objects that only swarms have."""
    refused = f"{_HERE}.swarm:refused"
    one = f"/{noun}/{{id}}"
    return (
        route("GET", f"/{noun}", refused, f"List {noun}: refused"),
        route("POST", f"/{noun}/create", refused, f"Create one of the {noun}: refused"),
        route("GET", one, refused, f"Tell of one of the {noun}: refused"),
        route("GET", one + "/logs", refused, "Read its logs: refused"),
        route("POST", one + "/update", refused, f"Change one of the {noun}: refused"),
        route("DELETE", one, refused, f"Remove one of the {noun}: refused"),
    )


_PLUGIN = "/plugins/{name...}"
SWARM = (
    *(each for noun in ("secrets", "configs", "services", "nodes", "tasks") for each in _of_managers(noun)),
    route("GET", "/swarm", f"{_HERE}.swarm:refused", "The swarm: refused"),
    route("GET", "/swarm/unlockkey", f"{_HERE}.swarm:refused", "The key that unlocks it: refused"),
    route("POST", "/swarm/init", f"{_HERE}.swarm:no_clusters", "Make a swarm: refused"),
    route("POST", "/swarm/join", f"{_HERE}.swarm:no_clusters", "Join a swarm: refused"),
    route("POST", "/swarm/leave", f"{_HERE}.swarm:not_part", "Leave the swarm: refused", flag("force")),
    route("POST", "/swarm/update", f"{_HERE}.swarm:refused", "Change the swarm: refused"),
    route("POST", "/swarm/unlock", f"{_HERE}.swarm:refused", "Unlock the swarm: refused"),
    route("GET", "/plugins", f"{_HERE}.swarm:no_plugins", "List plugins: none", filters("capability", "enabled")),
    route("POST", "/plugins/pull", f"{_HERE}.swarm:no_plugins_at_all", "Install a plugin: refused", text("remote")),
    route("POST", "/plugins/create", f"{_HERE}.swarm:no_plugins_at_all", "Create a plugin: refused", text("name")),
    route("GET", _PLUGIN + "/json", f"{_HERE}.swarm:no_such_plugin", "Tell of a plugin: there is none"),
    route("POST", _PLUGIN + "/enable", f"{_HERE}.swarm:no_such_plugin", "Enable a plugin: there is none"),
    route("POST", _PLUGIN + "/disable", f"{_HERE}.swarm:no_such_plugin", "Disable a plugin: there is none"),
    route("DELETE", _PLUGIN, f"{_HERE}.swarm:no_such_plugin", "Remove a plugin: there is none", flag("force")),
)
