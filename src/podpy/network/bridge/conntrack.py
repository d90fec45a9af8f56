"""The kernel's memory of connections: forgets those to a container that has ended.

An entry that sends a UDP client's datagrams to it lives as long as that client sends: it wouldn't reach the container
that has the port next. Rule: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

from errno import ENOENT

from podpy.network.bridge.netlink import NETLINK_NETFILTER, NLM_F_DUMP, Netlink, attribute, nested, parse

_SUBSYSTEM, _GET, _DELETE = 1, 1, 2
_CTA_TUPLE_ORIG, _CTA_TUPLE_REPLY, _CTA_TUPLE_IP, _CTA_FILTER, _CTA_FILTER_REPLY_FLAGS = 1, 2, 1, 25, 2
_CTA_IP_V4_SRC, _CTA_IP_V6_SRC = 1, 3
_BY_SOURCE = 1  # of the flags: the tuple's source address
_AF_INET, _AF_INET6, _NESTED = 2, 10, 0x8000


def forget(netns: int, address: str) -> int:
    """Forget all connections that are answered by an address; return how many there were. Raises OSError."""
    from _socket import inet_pton

    family, kind = (_AF_INET6, _CTA_IP_V6_SRC) if ":" in address else (_AF_INET, _CTA_IP_V4_SRC)
    raw, header = inet_pton(family, address), bytes([family, 0, 0, 0])
    wanted = nested(_CTA_TUPLE_REPLY, nested(_CTA_TUPLE_IP, attribute(kind, raw)))
    wanted += nested(_CTA_FILTER, attribute(_CTA_FILTER_REPLY_FLAGS, _BY_SOURCE.to_bytes(4, "little")))
    count = 0
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        # The kernel selects since Linux 5.8; an older one tells all.
        for answer in netfilter.ask(_SUBSYSTEM << 8 | _GET, NLM_F_DUMP, header + wanted):
            entry = parse(answer, len(header))
            source = parse(parse(entry.get(_CTA_TUPLE_REPLY, b"")).get(_CTA_TUPLE_IP, b"")).get(kind, b"")
            if source != raw:
                continue
            original = attribute(_NESTED | _CTA_TUPLE_ORIG, entry[_CTA_TUPLE_ORIG])
            netfilter.add(_SUBSYSTEM << 8 | _DELETE, 0, header + original)
            netfilter.send(allowed=(ENOENT,))
            count += 1
    return count
