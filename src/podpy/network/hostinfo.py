"""What the host's own network looks like at this moment: never an error, an empty text where there is nothing."""

from __future__ import annotations

from podpy import files

_DEFAULT_V4 = "0" * 8
_DEFAULT_V6 = "0" * 32
_UP, _REJECT = 0x1, 0x200  # of a route (route(7), <linux/route.h>)
_BINDTODEVICE = 25  # socket(7)
_ANY_PUBLIC_V4 = "192.0.2.1"  # TEST-NET-1 (RFC 5737): only the routing table is asked, nothing is sent
_ANY_PUBLIC_V6 = "2001:db8::1"


def ipv4_interface() -> str:
    """Return the interface of the host's IPv4 default route, or an empty text (proc_net(5), route).

    It is the one that pasta takes for its template: of several the first, the one with the lowest metric.
    """
    for row in map(str.split, files.read_small("/proc/net/route").splitlines()[1:]):
        if len(row) > 7 and row[1] == row[7] == _DEFAULT_V4 and int(row[3], 16) & (_UP | _REJECT) == _UP:
            return row[0]
    return ""


def ipv6_interface() -> str:
    """Return the interface of the host's IPv6 default route, or an empty text (proc_net(5), ipv6_route)."""
    for row in map(str.split, files.read_small("/proc/net/ipv6_route").splitlines()):
        if len(row) == 10 and row[0] == _DEFAULT_V6 and row[1] == "00" and row[9] != "lo" and _has_global(row[9]):
            return row[9]
    return ""


def _has_global(interface: str) -> bool:
    rows = [line.split() for line in files.read_small("/proc/net/if_inet6").splitlines()]
    scopes = {row[3] for row in rows if row[5] == interface}
    return {"00", "20"} <= scopes  # pasta wants a global and a link-local one


def address(interface: str = "") -> str:
    """Return the address that the host uses towards others, IPv4 before IPv6; an empty text without a network.

    `interface`: the one by which the packets leave; a VPN may have the other routes (ip-rule(8)).
    """
    import _socket as socket

    for family, target in ((socket.AF_INET, _ANY_PUBLIC_V4), (socket.AF_INET6, _ANY_PUBLIC_V6)):
        try:
            probe = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
        except OSError:
            continue
        try:
            if interface:
                probe.setsockopt(socket.SOL_SOCKET, _BINDTODEVICE, interface.encode())
            probe.connect((target, 9))
            found = str(probe.getsockname()[0])
        except OSError:
            continue
        finally:
            probe.close()
        if not found.startswith("127."):
            return found
    return ""
