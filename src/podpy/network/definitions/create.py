"""What `network create` checks and fills in, by Podman's rules and in its words; nothing is written here.

A bridge gets the first free name podmanN and the first free subnet of default_subnet_pools: neither another network's,
nor where the host's routes lead. Only if every subnet of the pools is behind some wide route is one taken that merely
isn't the host's own.
"""

from __future__ import annotations

import os
from time import time_ns

from podpy.errors import ConfigError, InUseError, NotSupportedError, UsageError
from podpy.network.definitions import options as driver_options
from podpy.network.definitions.cidr import Prefix, is_address, parse_address
from podpy.network.definitions.network import (
    BRIDGE,
    DHCP,
    HOST_LOCAL,
    IPVLAN,
    MACVLAN,
    NO_IPAM,
    Network,
    Subnet,
    is_name,
    with_gateway,
    wrong_new_interface,
)
from podpy.record import Record
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.config.containers_conf import ContainersConf
    from podpy.network.definitions.host import HostRoutes
    from podpy.network.definitions.request import Request

_MODES = ("none", "host", "bridge", "private", "slirp4netns", "pasta", "container", "ns", "default")
_NAME_RULE = "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"
_INTERFACES = 1_000_000
_WAY_OUT = "out0"  # of bridges
_TRIES = 10_000
_ULA = 0xFD << 56  # RFC 4193: fd00::/8, the rest is random


class Existing(Record):
    """What is there already: networks, the host's routes, and its interfaces."""

    networks: list[Network]
    host: HostRoutes
    interfaces: set[str]

    def names(self) -> set[str]:
        """Return all names that a new interface can't have."""
        bridges = {network.interface for network in self.networks if network.driver == BRIDGE}
        return bridges | {network.name for network in self.networks} | self.interfaces

    def subnets(self) -> list[Prefix]:
        """Return the networks' subnets."""
        return [subnet.prefix for network in self.networks for subnet in network.subnets]


def new(request: Request, existing: Existing, conf: ContainersConf) -> Network:
    """Return the network that was asked for. Raises UsageError, InUseError, NotSupportedError, ConfigError."""
    _check_name(request, existing)
    free = _free_interface(existing)
    network = Network(
        name=request.name or free,
        id=_new_id(existing),
        driver=request.driver,
        interface=request.interface,
        created=rfc3339(time_ns()),
        subnets=request.subnets,
        routes=request.routes,
        ipv6_enabled=request.ipv6,
        internal=request.internal,
        dns_enabled=request.dns,
        dns_servers=request.dns_servers,
        labels=request.labels,
        options=request.options,
        ipam_options={"driver": request.ipam_driver} if request.ipam_driver else {},
    )
    _check_ipam(network)
    if network.driver == BRIDGE:
        network = _bridge(network, free, existing, conf)
    elif network.driver in (MACVLAN, IPVLAN):
        network = _on_a_parent(network, existing)
    else:
        raise NotSupportedError(
            f'failed to find driver or plugin "{network.driver}"', hint="The drivers are bridge, macvlan and ipvlan"
        )
    network = _with_checked_subnets(network)
    _check_servers(network)
    return network


def _check_name(request: Request, existing: Existing) -> None:
    name = request.name
    if name in _MODES:
        raise UsageError(f'cannot create network with name "{name}" because it conflicts with a valid network mode')
    if name and not is_name(name):
        raise UsageError(f"network name {name} invalid: {_NAME_RULE}")
    if any(network.name == name for network in existing.networks):
        raise InUseError(f"network name {name} already used: network already exists", hint="See: podpy network ls")
    if request.interface:
        _check_interface(request.interface)


def _check_interface(name: str) -> None:
    if told := "it has a meaning of its own" if name == _WAY_OUT else wrong_new_interface(name):
        raise UsageError(f"network interface name {name} invalid: {told}: invalid argument")


def _check_ipam(network: Network) -> None:
    driver = network.ipam_options.get("driver", "")
    if driver not in ("", HOST_LOCAL, DHCP, NO_IPAM) or (driver == DHCP and network.driver == BRIDGE):
        raise UsageError(f'unsupported ipam driver "{driver}"', hint=f"Of a bridge: {HOST_LOCAL} or {NO_IPAM}")
    if driver == NO_IPAM and network.subnets:
        raise UsageError("none ipam driver is set but subnets are given")


def _bridge(network: Network, free: str, existing: Existing, conf: ContainersConf) -> Network:
    said = dict(network.options)
    name = said.pop(driver_options.DOCKERS_NAME, network.interface)
    if driver_options.DOCKERS_MTU in said:
        said["mtu"] = said.pop(driver_options.DOCKERS_MTU)
    said = driver_options.checked(BRIDGE, said)
    # Several networks may share a bridge by VLANs, or one that somebody else manages, and then a subnet of the host's.
    shares = "vlan" in said or said.get("mode") == "unmanaged"
    if name and not is_name(name):
        raise UsageError(f"bridge name {name} invalid: {_NAME_RULE}")
    _check_interface(name)
    bridges = {other.interface for other in existing.networks if other.driver == BRIDGE}
    if name and name in bridges and not shares:
        raise InUseError(f"bridge name {name} already in use")
    network = network.replace(options=said, interface=name or free)
    if network.ipam_options.get("driver") == NO_IPAM:
        return network.replace(dns_enabled=False)
    if not shares:
        _check_free(network.subnets, existing)
    subnets = network.subnets + _missing_subnets(network, existing, conf)
    return network.replace(subnets=subnets, ipam_options={"driver": HOST_LOCAL})


def _missing_subnets(network: Network, existing: Existing, conf: ContainersConf) -> list[Subnet]:
    versions = {subnet.prefix.version for subnet in network.subnets}
    taken = existing.subnets() + [subnet.prefix for subnet in network.subnets]
    found = []
    if 4 not in versions and (network.ipv6_enabled or not versions):
        found.append(_free_v4(taken, existing.host, conf))
    if 6 not in versions and network.ipv6_enabled:
        found.append(_free_v6(taken, existing.host))
    return [Subnet(subnet=str(prefix)) for prefix in found]


def _free_v4(taken: Sequence[Prefix], host: HostRoutes, conf: ContainersConf) -> Prefix:
    pools = [_pool(pool) for pool in conf.default_subnet_pools]
    for refused in (host.touches, host.takes):
        for base, length in pools:
            found = _first_free(base, length, taken, refused)
            if found is not None:
                return found
    raise UsageError(
        "could not find free subnet from subnet pools", hint="Give one by --subnet, or set default_subnet_pools"
    )


def _first_free(base: Prefix, length: int, taken: Sequence[Prefix], refused: Callable[[Prefix], bool]) -> Prefix | None:
    subnet = Prefix(version=4, first=base.first, length=length)
    while subnet.last <= base.last:
        hit = next((other for other in taken if subnet.overlaps(other)), None)
        if hit is None and not refused(subnet):
            return subnet
        if hit is not None and hit.last >= subnet.last:  # one wide network doesn't cost a step for each subnet in it
            subnet = subnet.replace(first=(hit.last // subnet.size) * subnet.size)
        try:
            subnet = subnet.following()
        except ValueError:
            return None
    return None


def _pool(pool: dict[str, object]) -> tuple[Prefix, int]:
    told = f'default_subnet_pools: {pool} isn\'t of the form {{base = "10.89.0.0/16", size = 24}}'
    base, size = pool.get("base"), pool.get("size")
    try:
        prefix = Prefix.parse(base if isinstance(base, str) else "")
    except ValueError:
        raise ConfigError(told, hint="man containers.conf") from None
    if prefix.version != 4 or type(size) is not int or not prefix.length <= size <= 32:
        raise ConfigError(told, hint="man containers.conf")
    return prefix, size


def _free_v6(taken: Sequence[Prefix], host: HostRoutes) -> Prefix:
    for _ in range(_TRIES):
        number = _ULA | int.from_bytes(os.urandom(7), "big")
        found = Prefix(version=6, first=number << 64, length=64)
        if not host.touches(found) and not any(found.overlaps(other) for other in taken):
            return found
    raise UsageError("failed to get random ipv6 subnet")


def _on_a_parent(network: Network, existing: Existing) -> Network:
    """Return a macvlan's or ipvlan's definition: no names, and addresses from outside unless it has a subnet."""
    said = dict(network.options)
    parent = said.pop("parent", network.interface)
    if parent and parent not in existing.interfaces:
        raise UsageError(f"parent interface {parent} does not exist")
    driver = network.ipam_options.get("driver", "") or (HOST_LOCAL if network.subnets else DHCP)
    if driver == DHCP and network.driver == IPVLAN:
        raise UsageError("ipam driver dhcp is not supported with ipvlan")
    if driver == DHCP and network.subnets:
        raise UsageError("ipam driver dhcp set but subnets are set")
    if driver == HOST_LOCAL and not network.subnets:
        raise UsageError(
            f"{network.driver} driver needs at least one subnet specified when the host-local ipam driver is set"
        )
    return network.replace(
        options=driver_options.checked(network.driver, said),
        interface=parent,
        dns_enabled=False,
        ipam_options={"driver": driver},
    )


def _check_free(subnets: Sequence[Subnet], existing: Existing) -> None:
    taken = existing.subnets()
    for subnet in subnets:
        prefix = subnet.prefix
        if existing.host.takes(prefix) or any(prefix.overlaps(other) for other in taken):
            raise InUseError(
                f"subnet {prefix} is already used on the host or by another config",
                hint="See: podpy network ls, ip route",
            )


def _with_checked_subnets(network: Network) -> Network:
    """Return the network with gateways. A network that reaches nobody and has no names needs none."""
    subnets = network.subnets
    for place, subnet in enumerate(subnets):
        for other in subnets[place + 1 :]:
            if subnet.subnet == other.subnet:
                raise UsageError(f"duplicate subnets detected: {subnet.subnet}")
            if subnet.prefix.overlaps(other.prefix):
                raise UsageError(f"overlapping subnets detected: {subnet.subnet} and {other.subnet}")
        _check_subnet(subnet)
    if not network.internal or network.dns_enabled:
        subnets = [_gatewayed(subnet) for subnet in subnets]
    has_v6 = any(subnet.prefix.version == 6 for subnet in subnets)
    return network.replace(subnets=subnets, ipv6_enabled=network.ipv6_enabled or has_v6)


def _check_subnet(subnet: Subnet) -> None:
    prefix = subnet.prefix
    if prefix.is_multicast:
        raise UsageError(f"subnet {prefix} is for multicast: no container can have an address of it")
    if subnet.gateway and not prefix.contains(subnet.gateway):
        raise UsageError(f"gateway {subnet.gateway} not in subnet {prefix}")
    for what, address in (("start", subnet.range_start), ("end", subnet.range_end)):
        if address and not prefix.contains(address):
            raise UsageError(f"lease range {what} ip {address} not in subnet {prefix}")
    if subnet.range_start and parse_address(subnet.range_start) > parse_address(subnet.range_end):
        raise UsageError(
            f"lease range start_ip {subnet.range_start} must be less than or equal to end_ip {subnet.range_end}"
        )


def _gatewayed(subnet: Subnet) -> Subnet:
    prefix = subnet.prefix
    most = 31 if prefix.version == 4 else 128  # of IPv4's last two, one is the network's and one the broadcast address
    if not subnet.gateway and prefix.length >= most:
        raise UsageError(
            f"could not create gateway for subnet {prefix} because it has a {most} or greater subnet prefix"
        )
    return with_gateway(subnet)


def _check_servers(network: Network) -> None:
    if network.dns_servers and not network.dns_enabled:
        raise UsageError("cannot set NetworkDNSServers if DNS is not enabled for the network: invalid argument")
    for server in network.dns_servers:
        if not is_address(server):
            raise UsageError(f"unable to parse ip {server} specified in NetworkDNSServers: invalid argument")


def _free_interface(existing: Existing) -> str:
    taken = existing.names()
    for number in range(1, _INTERFACES):
        if (name := f"podman{number}") not in taken:
            return name
    raise UsageError("could not find free device name, to many iterations")


def _new_id(existing: Existing) -> str:
    ids = {network.id for network in existing.networks}
    while (found := os.urandom(32).hex()) in ids:
        pass
    return found
