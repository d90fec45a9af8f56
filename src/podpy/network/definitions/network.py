"""A network as netavark's JSON files define it, in Podman's order of the keys (Go: types.Network of libnetwork).

    {"name": "web", "id": "…64 hex digits…", "driver": "bridge", "network_interface": "podman1",
     "created": "2026-12-01T08:44:49.289982284Z",
     "subnets": [{"subnet": "10.89.0.0/24", "gateway": "10.89.0.1",
                  "lease_range": {"start_ip": "10.89.0.2", "end_ip": "10.89.0.99"}}],
     "routes": [{"destination": "10.9.0.0/16", "gateway": "10.89.0.9", "metric": 100, "route_type": "blackhole"}],
     "ipv6_enabled": false, "internal": false, "dns_enabled": true, "network_dns_servers": ["1.1.1.1"],
     "labels": {}, "options": {}, "ipam_options": {"driver": "host-local"}}

subnets, routes, network_dns_servers, labels, options, network_interface, gateway, lease_range, metric and route_type
are left out while they are empty. Keys that podpy doesn't know are kept behind the others.
"""

from __future__ import annotations

from podpy.errors import ConfigError
from podpy.network.definitions.cidr import Prefix, is_address
from podpy.record import Record
from podpy.times import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BRIDGE, MACVLAN, IPVLAN = "bridge", "macvlan", "ipvlan"
HOST_LOCAL, DHCP, NO_IPAM = "host-local", "dhcp", "none"
NOWHERE = ("blackhole", "unreachable", "prohibit")
"""Kinds of routes that have no gateway."""
DEFAULT = "podman"
DEFAULT_ID = "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"  # Podman's, for ever the same
DEFAULT_INTERFACE = "podman0"
DEFAULT_SUBNET = "10.88.0.0/16"
_NAME_FIRST = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_NAME_REST = _NAME_FIRST + "_.-"
_ID_LENGTH = 64
_UINT32 = (1 << 32) - 1
_INTERFACE_LENGTH = 15  # IFNAMSIZ of linux/if.h without its NUL
_EVERYWHERE = ("lo", "all", "default")  # the loopback device; what sysctls are called by


class Subnet(Record):
    """A network's subnet: CIDR, the bridge's address in it, and the range that addresses are given from, if narrower.

    Empty texts: not said. `other`: what else the file has there.
    """

    subnet: str
    gateway: str = ""
    range_start: str = ""
    range_end: str = ""
    other: dict[str, Any] = {}

    @property
    def prefix(self) -> Prefix:
        """The subnet as numbers."""
        return Prefix.parse(self.subnet)

    def as_json(self) -> dict[str, Any]:
        """Return what the file has."""
        found: dict[str, Any] = {"subnet": self.subnet}
        if self.gateway:
            found["gateway"] = self.gateway
        limits = {"start_ip": self.range_start, "end_ip": self.range_end}
        if self.range_start or self.range_end:
            found["lease_range"] = {key: value for key, value in limits.items() if value}
        return found | self.other

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Subnet:
        """Return the subnet that the file has. Raises ValueError, TypeError."""
        rest = dict(found)
        limits = _taken(rest, "lease_range", dict)
        subnet = cls(
            subnet=_taken(rest, "subnet", str),
            gateway=_taken(rest, "gateway", str),
            range_start=_taken(limits, "start_ip", str),
            range_end=_taken(limits, "end_ip", str),
            other=rest,
        )
        prefix = subnet.prefix
        for what in ("gateway", "range_start", "range_end"):
            address = getattr(subnet, what)
            if address and not prefix.contains(address):
                told = {"range_start": "lease range start ip", "range_end": "lease range end ip"}.get(what, what)
                raise ValueError(f"{told} {address} not in subnet {subnet.subnet}")
        return subnet


class Route(Record):
    """A route of the network's containers: through a gateway, or (`kind`: blackhole, unreachable, prohibit) nowhere."""

    destination: str
    gateway: str = ""
    metric: int | None = None  # None: the network's
    kind: str = ""
    other: dict[str, Any] = {}

    def as_json(self) -> dict[str, Any]:
        """Return what the file has."""
        found: dict[str, Any] = {"destination": self.destination}
        if self.gateway:
            found["gateway"] = self.gateway
        if self.metric is not None:
            found["metric"] = self.metric
        if self.kind:
            found["route_type"] = self.kind
        return found | self.other

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Route:
        """Return the route that the file has. Raises ValueError, TypeError."""
        rest = dict(found)
        metric = rest.pop("metric", None)
        if metric is not None and (type(metric) is not int or not 0 <= metric <= _UINT32):
            raise TypeError("metric has the wrong type")
        route = cls(
            destination=_taken(rest, "destination", str),
            gateway=_taken(rest, "gateway", str),
            metric=metric,
            kind=_taken(rest, "route_type", str).replace("unicast", ""),
            other=rest,
        )
        Prefix.parse(route.destination)
        if route.kind not in ("", *NOWHERE):
            raise ValueError(f'invalid route type "{route.kind}"')
        if not route.kind and not is_address(route.gateway):
            raise ValueError(f'invalid route gateway "{route.gateway}"')
        return route


class Network(Record):
    """A network. `created`: RFC 3339, as the file has it. `options`: the driver's. `ipam_options`: {"driver": …}."""

    name: str
    id: str
    driver: str = BRIDGE
    interface: str = ""  # the bridge; macvlan and ipvlan: the parent
    created: str = ""
    subnets: list[Subnet] = []
    routes: list[Route] = []
    ipv6_enabled: bool = False
    internal: bool = False
    dns_enabled: bool = False
    dns_servers: list[str] = []
    labels: dict[str, str] = {}
    options: dict[str, str] = {}
    ipam_options: dict[str, str] = {}
    other: dict[str, Any] = {}

    @property
    def created_ns(self) -> int:
        """When it was created: nanoseconds since 1970; 0: nobody knows."""
        return nanoseconds(self.created)

    @property
    def ipam_driver(self) -> str:
        """Who gives addresses: host-local, dhcp, none."""
        return self.ipam_options.get("driver", HOST_LOCAL)

    @property
    def isolation(self) -> str:
        """The option isolate: "strict" (by default, as in Podman 6: no other bridge is reached), "true" (no isolated
        one), "false".
        """
        return self.options.get("isolate", "strict")

    @property
    def mtu(self) -> int:
        """The option mtu; 0: not said."""
        return _number(self.options.get("mtu", ""))

    @property
    def vlan(self) -> int:
        """The option vlan; 0: not said."""
        return _number(self.options.get("vlan", ""), 0xFFFF)

    @property
    def metric(self) -> int:
        """The metric of the default routes: the option metric, else 100 as netavark's."""
        return _number(self.options.get("metric", "")) or 100

    @property
    def has_default_route(self) -> bool:
        """Whether its containers get a default route."""
        return not self.internal and self.options.get("no_default_route") not in ("true", "1")

    def as_json(self) -> dict[str, Any]:
        """Return what the file has, in its order; labels and options by name, as Go writes maps."""
        found: dict[str, Any] = {"name": self.name, "id": self.id, "driver": self.driver}
        if self.interface:
            found["network_interface"] = self.interface
        found["created"] = self.created
        if self.subnets:
            found["subnets"] = [subnet.as_json() for subnet in self.subnets]
        if self.routes:
            found["routes"] = [route.as_json() for route in self.routes]
        found |= {"ipv6_enabled": self.ipv6_enabled, "internal": self.internal, "dns_enabled": self.dns_enabled}
        if self.dns_servers:
            found["network_dns_servers"] = list(self.dns_servers)
        maps = {"labels": self.labels, "options": self.options, "ipam_options": self.ipam_options}
        for key, value in maps.items():
            if value:
                found[key] = dict(sorted(value.items()))
        return found | self.other

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Network:
        """Return the network that a file has. A gateway that it lacks is the subnet's first address, as for Podman.

        Raises ValueError or TypeError, which say what is wrong.
        """
        if not isinstance(found, dict):
            raise TypeError("it isn't a JSON object")
        rest = dict(found)
        internal, names = _taken(rest, "internal", bool), _taken(rest, "dns_enabled", bool)
        network = cls(
            name=_taken(rest, "name", str),
            id=_taken(rest, "id", str),
            driver=_taken(rest, "driver", str),
            interface=_taken(rest, "network_interface", str),
            created=_taken(rest, "created", str),
            subnets=[
                with_gateway(Subnet.from_json(subnet)) if names or not internal else Subnet.from_json(subnet)
                for subnet in _objects(rest, "subnets")
            ],
            routes=[Route.from_json(route) for route in _objects(rest, "routes")],
            ipv6_enabled=_taken(rest, "ipv6_enabled", bool),
            internal=internal,
            dns_enabled=names,
            dns_servers=_texts(rest, "network_dns_servers"),
            labels=_text_map(rest, "labels"),
            options=_text_map(rest, "options"),
            ipam_options=_text_map(rest, "ipam_options"),
            other=rest,
        )
        _check(network)
        return network


def with_gateway(subnet: Subnet) -> Subnet:
    """Return the subnet with a gateway: its own, or else its first address behind the network's."""
    if subnet.gateway:
        return subnet
    prefix = subnet.prefix
    return subnet.replace(gateway=prefix.address(prefix.first + (0 if prefix.is_one_address else 1)))


def is_name(text: str) -> bool:
    """Return whether a network can have this name: [a-zA-Z0-9][a-zA-Z0-9_.-]*."""
    return text[:1] in _NAME_FIRST and bool(text) and all(char in _NAME_REST for char in text)


def wrong_interface(name: str) -> str:
    """Return what is wrong with the name of an interface, or an empty text (IFNAMSIZ and dev_valid_name of Linux)."""
    if len(name.encode("utf-8", "surrogateescape")) > _INTERFACE_LENGTH:
        return f"interface name is too long: interface names must be {_INTERFACE_LENGTH} characters or less"
    if name in (".", ".."):
        return "interface name is . or .."
    if any(char in "/:" or char.isspace() for char in name):
        return "interface name contains / or : or whitespace characters"
    return ""


def wrong_new_interface(name: str) -> str:
    """Return what is wrong with the name of an interface that is to be made, or an empty text."""
    return "it has a meaning of its own" if name in _EVERYWHERE else wrong_interface(name)


def default(name: str = DEFAULT, subnet: str = DEFAULT_SUBNET, created: str = "") -> Network:
    """Return the default network as Podman has it while there is no file of its name. Raises ConfigError.

    `name` and `subnet`: default_network and default_subnet of containers.conf.
    """
    try:
        prefix = Prefix.parse(subnet)
    except ValueError as error:
        raise ConfigError(
            f"failed to parse default subnet: {error}", hint="default_subnet in containers.conf"
        ) from None
    return Network(
        name=name,
        id=DEFAULT_ID,
        interface=DEFAULT_INTERFACE,
        created=created,
        subnets=[with_gateway(Subnet(subnet=str(prefix)))],
        ipv6_enabled=prefix.version == 6,
        ipam_options={"driver": HOST_LOCAL},
    )


def _check(network: Network) -> None:
    if not is_name(network.name):
        raise ValueError(f'invalid network name "{network.name}"')
    if len(network.id) != _ID_LENGTH:
        raise ValueError(f'invalid network ID "{network.id}"')
    if told := wrong_interface(network.interface):
        raise ValueError(f"network_interface: {told}")
    for server in network.dns_servers:
        if not is_address(server):
            raise ValueError(f'network_dns_servers: "{server}" is no address')


def _taken(rest: dict[str, Any], key: str, kind: type) -> Any:
    """Take a value out of `rest`: Go's zero value if it isn't there. Raises TypeError."""
    value = rest.pop(key, None)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise TypeError(f"{key} has the wrong type")
    return value


def _objects(rest: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = _taken(rest, key, list)
    if not all(isinstance(item, dict) for item in items):
        raise TypeError(f"{key} has the wrong type")
    return items


def _texts(rest: dict[str, Any], key: str) -> list[str]:
    items: list[str] = _taken(rest, key, list)
    if not all(isinstance(item, str) for item in items):
        raise TypeError(f"{key} has the wrong type")
    return items


def _text_map(rest: dict[str, Any], key: str) -> dict[str, str]:
    items: dict[str, str] = _taken(rest, key, dict)
    if not all(isinstance(value, str) for value in items.values()):
        raise TypeError(f"{key} has the wrong type")
    return items


def _number(text: str, most: int = _UINT32) -> int:
    """Return an option's number. `most` is what the kernel's field holds: then it refuses the value."""
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 20 else 0
