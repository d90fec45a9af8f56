"""Networks: libpod's in Docker's form. The default network, `podman` elsewhere, is called `bridge` here.

As with dockerd, whether a network is in use is a matter of running containers; podpy's networks belong to whoever is
configured for them, so a removal is refused for a stopped container, too.
"""

from __future__ import annotations

from podpy.api.call import NOTHING, Answer
from podpy.api.compat.networking import BRIDGE, attachment, own_name, shown_name
from podpy.api.errors import HttpError
from podpy.errors import AlreadyError, InUseError, NoSuchContainerError, NotSupportedError, StateError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call
    from podpy.network.definitions.network import Network, Subnet

_PREDEFINED = ("bridge", "host", "none", "default")
_IGNORED = ("scope", "type")
_LATER = "com.docker.network."
"""Docker's options of drivers: those that podpy has no use for are left out, as Podman does it."""


def networks(call: Call) -> Answer:
    """List networks; Docker's lists name no containers."""
    return Answer([_shown(call, network) for network in _matching(call)])


def _matching(call: Call) -> list[Network]:
    filters = call.query["filters"]
    for text in filters:
        key, _, value = text.partition("=")
        if key == "scope" and value not in ("local", "global", "swarm"):
            raise HttpError(400, f"invalid filter 'scope={value}'")
        if key == "type" and value not in ("custom", "builtin"):
            raise HttpError(400, f"invalid filter: 'type'='{value}'")
    default = call.runtime.conf.default_network
    found = call.runtime.networks.list([_own(call, text) for text in filters if text.partition("=")[0] not in _IGNORED])
    kinds = {text.partition("=")[2] for text in filters if text.startswith("type=")}
    scopes = {text.partition("=")[2] for text in filters if text.startswith("scope=")}
    if scopes and "local" not in scopes:
        return []
    return [each for each in found if not kinds or ("builtin" if each.name == default else "custom") in kinds]


def _own(call: Call, text: str) -> str:
    """Return a filter in podpy's words. A name without metacharacters is found anywhere in names, as in Docker."""
    key, _, value = text.partition("=")
    return f"name={own_name(call.runtime, value)}" if key == "name" and value == BRIDGE else text


def _shown(call: Call, network: Network, containers: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "Name": shown_name(call.runtime, network.name),
        "Id": network.id,
        "Created": network.created or "0001-01-01T00:00:00Z",
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv4": any(subnet.prefix.version == 4 for subnet in network.subnets),
        "EnableIPv6": network.ipv6_enabled,
        "IPAM": {
            "Driver": "default",
            "Options": None,
            "Config": [_pool(subnet) for subnet in network.subnets],
        },
        "Internal": network.internal,
        "Attachable": False,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": containers or {},
        "Options": network.options,
        "Labels": network.labels,
    }


def _pool(subnet: Subnet) -> dict[str, str]:
    gateway = {"Gateway": subnet.gateway} if subnet.gateway else {}
    return {"Subnet": subnet.subnet, **gateway}


def inspect(call: Call) -> Answer:
    """Return everything about a network, with the running containers on it."""
    network = _network(call)
    data = call.runtime.networks.inspect(network.name)
    return Answer(_shown(call, network, {key: _endpoint(key, each) for key, each in data["containers"].items()}))


def _endpoint(container_id: str, data: dict[str, Any]) -> dict[str, str]:
    interface: dict[str, Any] = next(iter(data["interfaces"].values()), {})
    addresses = [each["ipnet"] for each in interface.get("subnets") or ()]
    return {
        "Name": data["name"],
        "EndpointID": container_id,
        "MacAddress": interface.get("mac_address") or "",
        "IPv4Address": next((each for each in addresses if ":" not in each), ""),
        "IPv6Address": next((each for each in addresses if ":" in each), ""),
    }


def _network(call: Call) -> Network:
    return call.runtime.networks.get(own_name(call.runtime, call.name))


def create(call: Call) -> Answer:
    """Create a network."""
    body = call.json()
    name: str = body.get("Name") or ""
    driver: str = body.get("Driver") or "bridge"
    _check(body, name)
    ipam = body.get("IPAM") or {}
    if ipam.get("Driver") not in (None, "", "default"):
        raise HttpError(400, f'ipam driver "{ipam["Driver"]}" not found')
    subnets = _subnets(ipam.get("Config") or [])
    options: dict[str, str] = body.get("Options") or {}
    try:
        network = call.runtime.networks.create(
            name,
            driver=driver,
            subnets=[each["Subnet"] for each in subnets],
            gateways=[each["Gateway"] for each in subnets if each.get("Gateway")],
            ip_ranges=[each["IPRange"] for each in subnets if each.get("IPRange")],
            options={key: value for key, value in options.items() if not key.startswith(_LATER) or _is_used(key)},
            labels=body.get("Labels") or {},
            internal=bool(body.get("Internal")),
            ipv6=bool(body.get("EnableIPv6")),
        )
    except NotSupportedError:
        raise HttpError(404, f'plugin "{driver}" not found') from None
    except InUseError as error:
        raise _taken(name, error) from None
    return Answer({"Id": network.id, "Warning": ""}, 201)


def _subnets(pools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the subnets, those with a gateway and a range first: libpod takes gateways and ranges by their places."""
    subnets = [each for each in pools if each.get("Subnet")]
    if any(each.get("AuxiliaryAddresses") for each in pools):
        raise HttpError(501, "IPAM.Config.AuxiliaryAddresses isn't supported")
    bare = [each for each in subnets if each.get("IPRange") and not each.get("Gateway")]
    if bare and any(each.get("Gateway") and not each.get("IPRange") for each in subnets):
        raise HttpError(400, f"subnet {bare[0]['Subnet']} has an IPRange: give it a Gateway, too")
    return sorted(subnets, key=lambda each: (not each.get("Gateway"), not each.get("IPRange")))


def _is_used(option: str) -> bool:
    return option in ("com.docker.network.bridge.name", "com.docker.network.driver.mtu")


def _check(body: dict[str, Any], name: str) -> None:
    """Raise HttpError for what podpy hasn't, and for what no network can be."""
    if not name.strip():
        raise HttpError(400, "invalid network name: name is empty")
    if name in _PREDEFINED:
        raise HttpError(403, f"operation is not permitted on predefined {name} network")
    if body.get("Scope") == "swarm" or body.get("Driver") == "overlay" or body.get("Ingress"):
        raise HttpError(403, "This node is not a swarm manager. Overlay networks aren't supported")
    for field in ("ConfigOnly", "ConfigFrom"):
        value = body.get(field)
        if value and value != {"Network": ""}:
            raise HttpError(501, f"{field} isn't supported")
    if body.get("EnableIPv4") is False:
        raise HttpError(501, "EnableIPv4=false isn't supported")


def _taken(name: str, error: InUseError) -> HttpError:
    if "already used: network" in error.message:
        return HttpError(409, f"network with name {name} already exists")
    if error.message.startswith("subnet"):
        return HttpError(403, "invalid pool request: Pool overlaps with other one on this address space")
    return HttpError(409, error.message)


def remove(call: Call) -> Answer:
    """Remove a network."""
    network = _network(call)
    shown = shown_name(call.runtime, network.name)
    if shown == BRIDGE:
        raise HttpError(403, f"{BRIDGE} is a pre-defined network and cannot be removed")
    try:
        call.runtime.networks.remove(network.name)
    except InUseError:
        data = call.runtime.networks.inspect(network.name)["containers"]
        users = [f'name:"{each["name"]}" id:"{key[:12]}"' for key, each in data.items()]
        who = f" ({', '.join(users)})" if users else ""
        raise HttpError(403, f"error while removing network: network {shown} has active endpoints{who}") from None
    return Answer(status=NOTHING)


def connect(call: Call) -> Answer:
    """Put a container on a network."""
    body = call.json()
    network, container = _network(call), _container(call, body)
    wanted = attachment(network.name, body.get("EndpointConfig") or {})
    try:
        call.runtime.networks.connect(network.name, container, ips=wanted.ips, mac=wanted.mac, aliases=wanted.aliases)
    except AlreadyError:
        shown = shown_name(call.runtime, network.name)
        name = call.runtime.container(container).name
        raise HttpError(403, f"endpoint with name {name} already exists in network {shown}") from None
    except UsageError as error:
        raise HttpError(400, error.message) from None
    return Answer(body=b"")


def disconnect(call: Call) -> Answer:
    """Take a container off a network."""
    body = call.json()
    network = _network(call)
    try:
        call.runtime.networks.disconnect(network.name, _container(call, body))
    except StateError:
        shown = shown_name(call.runtime, network.name)
        raise HttpError(500, f"container {body['Container']} is not connected to network {shown}") from None
    except UsageError as error:
        raise HttpError(400, error.message) from None
    return Answer(body=b"")


def _container(call: Call, body: dict[str, Any]) -> str:
    name: str = body.get("Container") or ""
    try:
        return call.runtime.container(name.removeprefix("/")).id
    except NoSuchContainerError:
        raise HttpError(404, f"No such container: {name}") from None


def prune(call: Call) -> Answer:
    """Remove the networks that no container uses."""
    done = call.runtime.networks.prune(call.query["filters"])
    return Answer({"NetworksDeleted": [*done.removed] or None})
