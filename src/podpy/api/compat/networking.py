"""NetworkMode and EndpointsConfig → a container's networks.

Docker's default network is called `bridge`; podpy's has the name that containers.conf says (`podman`). On these paths
the one stands for the other, as in Podman's.
"""

from __future__ import annotations

from podpy.errors import NotFoundError
from podpy.spec.container import Attachment
from podpy.spec.text.attachments import parse_mac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.libpod.runtime import Runtime

BRIDGE = "bridge"
_DEFAULT = ("", "default", BRIDGE)
_OTHER_MODES = ("none", "host")


def fields(runtime: Runtime, body: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Return the spec's fields `network` and `networks` of the body of a create, whose HostConfig is `config`."""
    mode: str = config.get("NetworkMode") or ""
    if body.get("NetworkDisabled"):
        mode = "none"
    if mode in _OTHER_MODES or mode.startswith(("container:", "ns:")):
        return {"network": mode}
    endpoints: dict[str, Any] = dict((body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {})
    named = {own_name(runtime, name): endpoint or {} for name, endpoint in endpoints.items()}
    first = own_name(runtime, mode)
    wanted = {first: named.pop(first, {}), **named}
    networks = [attachment(name, endpoint) for name, endpoint in wanted.items()]
    if body.get("MacAddress") and not networks[0].mac:
        networks[0] = networks[0].replace(mac=parse_mac(body["MacAddress"]))
    return {"network": "bridge", "networks": networks}


def attachment(name: str, endpoint: dict[str, Any]) -> Attachment:
    """Return the attachment to a network that an endpoint's settings describe. Raises UsageError."""
    addresses = endpoint.get("IPAMConfig") or {}
    ips = [addresses.get("IPv4Address") or "", addresses.get("IPv6Address") or ""]
    mac = endpoint.get("MacAddress") or ""
    return Attachment(
        network=name,
        ips=[address for address in ips if address],
        mac=parse_mac(mac) if mac else "",
        aliases=list(dict.fromkeys(endpoint.get("Aliases") or [])),
        options=endpoint.get("DriverOpts") or {},
    )


def own_name(runtime: Runtime, name: str) -> str:
    """Return podpy's name of a network that a client of Docker names, also by id.

    One that isn't there keeps its name: whoever needs it says that it is missing.
    """
    if name in _DEFAULT:
        return runtime.conf.default_network
    try:
        return runtime.networks.get(name).name
    except NotFoundError:
        return name


def shown_name(engine: Engine, name: str) -> str:
    """Return a network's name for clients of Docker."""
    return BRIDGE if name in ("", engine.conf.default_network) else name
