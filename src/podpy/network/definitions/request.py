"""What somebody asks for: the texts of `network create` as a Request. Rule: podman-network-create(1)."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.network.definitions.cidr import Prefix, normal_address
from podpy.network.definitions.network import BRIDGE, NOWHERE, Route, Subnet
from podpy.numbers import whole
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_METRICS = (1 << 32) - 1
_ROUTE = (
    "--route <destination>,<gateway>[,<metric>] or --route <destination>,<type>[,<metric>] where type is blackhole, "
    "unreachable, or prohibit"
)


class Request(Record):
    """A network to be made; what is left out podpy chooses. Subnets may lack a gateway, and have a host's bits."""

    name: str = ""
    driver: str = BRIDGE
    subnets: list[Subnet] = []
    routes: list[Route] = []
    options: dict[str, str] = {}
    labels: dict[str, str] = {}
    internal: bool = False
    ipv6: bool = False
    dns: bool = True
    dns_servers: list[str] = []
    interface: str = ""
    ipam_driver: str = ""


def subnets(texts: Sequence[str], gateways: Sequence[str], ranges: Sequence[str]) -> list[Subnet]:
    """Return the subnets (CIDR) with their gateways and ranges (CIDR, or FIRST-LAST), matched by their places.

    Raises UsageError.
    """
    if not texts and (gateways or ranges):
        raise UsageError("cannot set gateway or range without subnet", hint="Add --subnet")
    if len(gateways) > len(texts):
        raise UsageError("cannot set more gateways than subnets")
    if len(ranges) > len(texts):
        raise UsageError("cannot set more ranges than subnets")
    found = []
    for place, text in enumerate(texts):
        first, last = _range(ranges[place]) if place < len(ranges) else ("", "")
        gateway = _gateway(gateways[place]) if place < len(gateways) else ""
        found.append(Subnet(subnet=str(_prefix(text)), gateway=gateway, range_start=first, range_end=last))
    return found


def route(text: str) -> Route:
    """Return the route of `--route DESTINATION,GATEWAY[,METRIC]`, or with a kind instead of the gateway.

    Raises UsageError.
    """
    parts = text.split(",")
    if len(parts) not in (2, 3):
        raise UsageError(f"invalid route: {text}", hint=f"Format: {_ROUTE}")
    destination, towards = parts[0], parts[1].lower()
    try:
        prefix = Prefix.parse(destination)
    except ValueError as error:
        raise UsageError(f"invalid route destination {destination}: {error}") from None
    if not _is_network(prefix, destination):
        raise UsageError("route destination invalid", hint=f"The network's own address: {prefix}")
    metric = whole(parts[2], _METRICS) if len(parts) == 3 else None
    if len(parts) == 3 and metric is None:
        raise UsageError(f"invalid route metric {parts[2]}")
    if towards in NOWHERE:
        return Route(destination=str(prefix), metric=metric, kind=towards)
    if towards == "unicast":
        raise UsageError("unicast route requires a gateway, format: --route <destination>,<gateway>[,<metric>]")
    try:
        return Route(destination=str(prefix), gateway=normal_address(towards), metric=metric)
    except ValueError:
        raise UsageError(f"invalid route gateway {parts[1]}", hint=f"Format: {_ROUTE}") from None


def _is_network(prefix: Prefix, text: str) -> bool:
    return normal_address(text.partition("/")[0]) == prefix.address(prefix.first)


def _prefix(text: str) -> Prefix:
    try:
        return Prefix.parse(text)
    except ValueError as error:
        raise UsageError(str(error), hint="A subnet is like 10.5.0.0/24 or fd00:5::/64") from None


def _gateway(text: str) -> str:
    try:
        return normal_address(text)
    except ValueError:
        raise UsageError(
            f'invalid argument "{text}" for "--gateway" flag: invalid string being converted to IP address: {text}'
        ) from None


def _range(text: str) -> tuple[str, str]:
    """Return first and last address. Of a whole subnet that are all but its own address, as for Podman."""
    start, dash, end = text.partition("-")
    if not dash:
        prefix = _prefix(text)
        return prefix.address(prefix.first + (0 if prefix.is_one_address else 1)), prefix.address(prefix.last)
    limits = []
    for what, address in (("start", start), ("end", end)):
        try:
            limits.append(normal_address(address))
        except ValueError:
            raise UsageError(f'range {what} ip "{address}" is not a ip address') from None
    return limits[0], limits[1]
