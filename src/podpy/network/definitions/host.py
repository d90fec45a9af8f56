"""Which subnets and interfaces the host's network namespace has already, from /proc/net (proc_net(5))."""

from __future__ import annotations

import sys

from podpy import files
from podpy.network.definitions.cidr import Prefix
from podpy.record import Record

_LOOPBACK = (Prefix.parse("127.0.0.0/8"), Prefix.parse("::1/128"))
# pasta's addresses in the namespace of all bridges (podpy.network.bridge.way_out)
_WAY_OUT = (Prefix.parse("10.0.2.0/24"), Prefix.parse("fd50:6f64:7079::/64"))
_MULTICAST = Prefix.parse("ff00::/8")
_MOST = 16 << 20  # bytes: a router's whole table


class HostRoutes(Record):
    """The host's subnets: `connected` ones, which an interface is in, and those `behind` a gateway, but no default."""

    connected: list[Prefix]
    behind: list[Prefix] = []

    def takes(self, wanted: Prefix) -> bool:
        """Return whether a subnet would hide what the host reaches: a connected subnet, or a route as narrow as it.

        A wide route (10.0.0.0/8 through a VPN) may have a network inside it: who names a subnet knows why.
        """
        narrow = (route for route in self.behind if route.length >= wanted.length)
        return any(wanted.overlaps(route) for route in (*self.connected, *narrow))

    def touches(self, wanted: Prefix) -> bool:
        """Return whether any route of the host leads into a subnet."""
        return any(wanted.overlaps(route) for route in (*self.connected, *self.behind))


def routes(*, rootless: bool = False) -> HostRoutes:
    """Return the host's routes, and those of a rootless user's bridges to the host; without /proc, the loopback's."""
    found = HostRoutes(connected=[*_LOOPBACK, *(_WAY_OUT if rootless else ())])
    for line in files.read_small("/proc/net/route", _MOST).splitlines()[1:]:
        fields = line.split()
        destination, gateway, mask = _native(fields[1]), _native(fields[2]), _native(fields[7])
        _add(found, Prefix(version=4, first=destination, length=mask.bit_count()), gateway)
    for line in files.read_small("/proc/net/ipv6_route", _MOST).splitlines():
        fields = line.split()
        prefix = Prefix(version=6, first=int(fields[0], 16), length=int(fields[1], 16))
        if not prefix.overlaps(_MULTICAST):
            _add(found, prefix, int(fields[4], 16))
    return found


def interfaces() -> set[str]:
    """Return the names of the host's network interfaces."""
    lines = files.read_small("/proc/net/dev").splitlines()[2:]
    return {line.partition(":")[0].strip() for line in lines}


def _add(found: HostRoutes, prefix: Prefix, gateway: int) -> None:
    if prefix.length:
        (found.behind if gateway else found.connected).append(prefix)


def _native(text: str) -> int:
    """Return the number of an IPv4 address, which the kernel prints as this machine has it in its memory."""
    return int.from_bytes(int(text, 16).to_bytes(4, sys.byteorder), "big")
