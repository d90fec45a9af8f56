"""Routes: a container's, and the rule that brings a transparent socket its packets.

A container that is on several networks has a default route by each, and no two of equal metric: of equal ones IPv6
would use all, by turns (ip-route(8), ECMP). Which one counts is the kernel's to say (`default_ways`).
"""

from __future__ import annotations

from _struct import Struct, pack, unpack_from
from errno import EAFNOSUPPORT, EEXIST, EHOSTUNREACH, EINVAL, ENETUNREACH, EOPNOTSUPP

from podpy.errors import NetworkSetupError
from podpy.network.bridge.netlink import (
    NEW,
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    KernelError,
    Netlink,
    attribute,
    parse,
    u32,
)
from podpy.record import Record

METRIC = 100
"""Of a route that names none: netavark's."""

AF_INET, AF_INET6 = 2, 10

# linux/rtnetlink.h
_RTM_NEWROUTE, _RTM_GETROUTE, _RTM_NEWRULE, _RTM_GETRULE = 24, 26, 32, 34
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_TABLE = 1, 4, 5, 6, 15
_FRA_PRIORITY, _FRA_FWMARK, _FRA_TABLE = 6, 10, 15
_RT_TABLE_MAIN, _RTPROT_STATIC = 254, 4
_RT_SCOPE_UNIVERSE, _RT_SCOPE_LINK, _RT_SCOPE_HOST = 0, 253, 254
_RTN_UNICAST, _RTN_LOCAL, _FR_ACT_TO_TBL = 1, 2, 1
_MOST = (1 << 32) - 1  # a metric
_LOOPBACK = 1  # the index of `lo` in each namespace
_TYPES = {"unicast": _RTN_UNICAST, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_DEFAULT = {AF_INET: "0.0.0.0/0", AF_INET6: "::/0"}

_ROUTE = Struct("=BBBBBBBBI")  # family, lengths of target and source, tos, table, protocol, scope, type, flags


class Route(Record):
    """A route in a container's namespace."""

    destination: str  # 10.9.0.0/16
    gateway: str = ""
    metric: int = METRIC
    kind: str = "unicast"  # or blackhole, unreachable, prohibit; those have no gateway


def add(inside: Netlink, index: int, gateways: list[str], metric: int, others: list[Route]) -> None:
    """Give a container its default routes by these gateways, and other ones, by the device with this index.

    A default route whose metric another one has already gets the next one that is free: who was there first counts.
    What `inside` has gathered is done before, in the same datagram. Raises OSError, NetworkSetupError.
    """
    defaults = [Route(destination=_DEFAULT[packed(each)[0]], gateway=each, metric=metric) for each in gateways]
    wanted = [*((route, NEW) for route in defaults), *((route, NLM_F_CREATE | NLM_F_APPEND) for route in others)]
    there = [route for route in _add(inside, index, wanted) if route in defaults]
    while there:
        there = _add(inside, index, [(each.replace(metric=each.metric % _MOST + 1), NEW) for each in there])


def _add(inside: Netlink, index: int, wanted: list[tuple[Route, int]]) -> list[Route]:
    """Add routes, with these flags; return those that were there already."""
    before = inside.gathered
    for route, flags in wanted:
        inside.add(_RTM_NEWROUTE, flags, _message(index, route))
    try:
        answers = inside.send(allowed=(EEXIST,))
    except KernelError as error:
        if error.errno not in (EINVAL, ENETUNREACH, EHOSTUNREACH) or error.place < before:
            raise
        route = wanted[error.place - before][0]
        shown = " ".join(filter(None, [route.kind, route.destination, route.gateway and f"via {route.gateway}"]))
        raise NetworkSetupError(f"can't add the route {shown}: {error.strerror}") from error
    return [route for (route, _), answer in zip(wanted, answers[before:], strict=True) if answer]


def default_ways(inside: Netlink) -> dict[str, int]:
    """Return the index of the device by which a container's default route leads: {"v4": 2, "v6": 3}.

    A family without one isn't in it. Raises OSError.
    """
    found = {}
    for name, family in (("v4", AF_INET), ("v6", AF_INET6)):
        asked = _ROUTE.pack(family, 0, 0, 0, _RT_TABLE_MAIN, 0, 0, _RTN_UNICAST, 0)
        ways = []
        for answer in inside.ask(_RTM_GETROUTE, NLM_F_DUMP, asked):
            values = parse(answer, _ROUTE.size)
            if _ROUTE.unpack_from(answer)[1] == 0 and _RTA_OIF in values:  # the length of its target
                ways.append((_number(values.get(_RTA_PRIORITY)), _number(values[_RTA_OIF])))
        if ways:
            found[name] = min(ways)[1]
    return found


def loop_back(rt: Netlink, mark: int, table: int) -> None:
    """Have packets with this mark taken for this host's own, whatever their target: what a transparent socket needs.

    Rule: Documentation/networking/tproxy.rst. Once per namespace; safe to repeat. Raises OSError, but for a kernel
    without IPv6.
    """
    for family in (AF_INET, AF_INET6):
        rule = pack("=BBBBBxxBI", family, 0, 0, 0, 0, _FR_ACT_TO_TBL, 0)
        rule += u32(_FRA_PRIORITY, table) + u32(_FRA_FWMARK, mark) + u32(_FRA_TABLE, table)
        route = _ROUTE.pack(family, 0, 0, 0, 0, _RTPROT_STATIC, _RT_SCOPE_HOST, _RTN_LOCAL, 0)
        route += u32(_RTA_TABLE, table) + u32(_RTA_OIF, _LOOPBACK)
        rt.add(_RTM_NEWRULE, NEW, rule)
        rt.add(_RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route)
        rt.send(allowed=(EEXIST,) if family == AF_INET else (EEXIST, EAFNOSUPPORT, EOPNOTSUPP))


def has_loop_back(rt: Netlink, mark: int, table: int) -> bool:
    """Return whether the IPv4 rule of `loop_back` is there (fib_rules.h). Raises OSError."""
    for answer in rt.ask(_RTM_GETRULE, NLM_F_DUMP, pack("=BBBBBxxBI", AF_INET, 0, 0, 0, 0, 0, 0)):
        values = parse(answer, 12)
        if (_number(values.get(_FRA_FWMARK)), _number(values.get(_FRA_TABLE))) == (mark, table):
            return True
    return False


def network(shown: str) -> tuple[int, bytes, int]:
    """Return family, packed address and prefix length of 10.89.0.1/24; without a length it is one address's."""
    address, _, length = shown.partition("/")
    family, raw = packed(address)
    return family, raw, int(length) if length else 8 * len(raw)


def packed(address: str) -> tuple[int, bytes]:
    """Return an address's family and bytes."""
    from _socket import inet_pton

    family = AF_INET6 if ":" in address else AF_INET
    return family, inet_pton(family, address)


def _message(index: int, route: Route) -> bytes:
    family, target, length = network(route.destination)
    kind = _TYPES[route.kind]
    goes = kind == _RTN_UNICAST
    scope = _RT_SCOPE_LINK if goes and not route.gateway and family == AF_INET else _RT_SCOPE_UNIVERSE
    body = _ROUTE.pack(family, length, 0, 0, _RT_TABLE_MAIN, _RTPROT_STATIC, scope, kind, 0)
    if length:
        body += attribute(_RTA_DST, target)
    if route.gateway:
        body += attribute(_RTA_GATEWAY, packed(route.gateway)[1])
    if goes:
        body += u32(_RTA_OIF, index)
    return body + u32(_RTA_PRIORITY, route.metric)


def _number(raw: bytes | None) -> int:
    return int(unpack_from("=I", raw)[0]) if raw else 0
