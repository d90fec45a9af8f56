"""nf_tables: a ruleset by nft(8), once, and elements of its sets and maps by netlink messages.

An element takes 0.02 ms; by nft it would take 2 to 4. The table is `inet podpy`, or another one of that family. Numbers
and names are those of linux/netfilter/nf_tables.h. A key or value is what nft's types say, one after the other, each
filled with zeros to a multiple of four bytes.
"""

from __future__ import annotations

import os
from _struct import pack
from errno import ENOENT

from podpy import process
from podpy.errors import NotSupportedError
from podpy.network.bridge.netlink import (
    NETLINK_NETFILTER,
    NLM_F_CREATE,
    NLM_F_DUMP,
    Netlink,
    attribute,
    attributes,
    nested,
    parse,
    text,
)
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE = "podpy"

# linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
_BATCH_BEGIN, _BATCH_END = 16, 17
_NFNL_SUBSYS_NFTABLES, _NFPROTO_INET = 10, 1
_NFT_MSG_GETTABLE, _NFT_MSG_DELTABLE, _NFT_MSG_NEWSETELEM, _NFT_MSG_GETSETELEM, _NFT_MSG_DELSETELEM = 1, 2, 12, 13, 14
_NFTA_TABLE_NAME = 1
_NFTA_SET_ELEM_LIST_TABLE, _NFTA_SET_ELEM_LIST_SET, _NFTA_SET_ELEM_LIST_ELEMENTS = 1, 2, 3
_NFTA_LIST_ELEM, _NFTA_SET_ELEM_KEY, _NFTA_SET_ELEM_DATA, _NFTA_DATA_VALUE = 1, 1, 2, 1
_NFGENMSG = pack("=BBH", _NFPROTO_INET, 0, 0)
_EDGE = pack(">BBH", 0, 0, _NFNL_SUBSYS_NFTABLES)
_IFNAMSIZ = 16
_MOST_ELEMENTS = 500  # in one message: a datagram of 64 KiB has room for them


def load(netns: int, chains: str, table: str = TABLE, *, is_new: bool = False) -> str:
    """Load the table, with these sets and chains in it, into the network namespace of the descriptor `netns`.

    It takes the place of one that is there. `is_new`: there is none; nft waits 5 to 10 ms for the end of what it has
    deleted. Return what nft said if it failed, an empty text if it didn't. Raises NotSupportedError without nft.
    """
    nft, nsenter = which("nft"), which("nsenter")
    if not nft or not nsenter:
        name, package = ("nft", "nftables") if not nft else ("nsenter", "util-linux")
        raise NotSupportedError(
            f"bridge networks need {name}, which isn't installed", hint=f"sudo apt install {package}"
        )
    reading, writing = process.pipe()
    instead = "" if is_new else f"table inet {table}\ndelete table inet {table}\n"
    ruleset = f"{instead}table inet {table} {{\n{chains}\n}}\n"
    os.write(writing, ruleset.encode())  # less than a pipe holds
    os.close(writing)
    try:
        command = [nsenter, f"--net=/proc/self/fd/{netns}", nft, "-f", "-"]
        done = process.run(command, environment=process.tool_environment(), stdin=reading, keep=[netns])
    finally:
        os.close(reading)
    return "" if done.code == 0 else done.stderr.decode(errors="replace").strip().partition("\n")[0] or str(done.code)


def is_loaded(netns: int, table: str = TABLE) -> bool:
    """Return whether the table is there. Raises OSError."""
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        try:
            netfilter.ask(_kind(_NFT_MSG_GETTABLE), 0, _NFGENMSG + text(_NFTA_TABLE_NAME, table))
        except OSError as error:
            if error.errno == ENOENT:
                return False
            raise
    return True


def unload(netns: int, table: str = TABLE) -> None:
    """Remove the table; nothing there is no error. Raises OSError."""
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        netfilter.add(_BATCH_BEGIN, 0, _EDGE, acknowledged=False)
        netfilter.add(_kind(_NFT_MSG_DELTABLE), 0, _NFGENMSG + text(_NFTA_TABLE_NAME, table))
        netfilter.add(_BATCH_END, 0, _EDGE, acknowledged=False)
        netfilter.send(allowed=(ENOENT,))


def add(netns: int | Netlink, name: str, elements: Iterable[tuple[bytes, bytes]], table: str = TABLE) -> None:
    """Add (key, value) to a map, or (key, b"") to a set, all or none. The same ones again are no error.

    `netns` may be a socket of netfilter in the namespace. Raises OSError: ENOENT without the table, EEXIST for a key
    that has another value.
    """
    if isinstance(netns, int):
        with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
            add(netfilter, name, elements, table)
        return
    _transaction(netns, _NFT_MSG_NEWSETELEM, NLM_F_CREATE, _set(table, name), list(elements))
    netns.send()


def remove(netns: int, name: str, keys: Iterable[bytes], table: str = TABLE) -> None:
    """Remove elements; those that aren't there are no error. Raises OSError."""
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        for key in keys:  # each one a transaction: one that isn't there undoes it
            _transaction(netfilter, _NFT_MSG_DELSETELEM, 0, _set(table, name), [(key, b"")])
            netfilter.send(allowed=(ENOENT,))


def elements(netns: int, name: str, table: str = TABLE) -> list[tuple[bytes, bytes]]:
    """Return a set's or map's elements as (key, value). Raises OSError."""
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        answers = netfilter.ask(_kind(_NFT_MSG_GETSETELEM), NLM_F_DUMP, _set(table, name))
    found = []
    for answer in answers:
        for _, raw in attributes(parse(answer, len(_NFGENMSG)).get(_NFTA_SET_ELEM_LIST_ELEMENTS, b"")):
            element = parse(raw)
            key, value = (parse(element.get(kind, b"")) for kind in (_NFTA_SET_ELEM_KEY, _NFTA_SET_ELEM_DATA))
            found.append((key[_NFTA_DATA_VALUE], value.get(_NFTA_DATA_VALUE, b"")))
    return found


def names(*devices: str) -> bytes:
    """Return a key of the type ifname, or of several."""
    return b"".join(name.encode().ljust(_IFNAMSIZ, b"\0") for name in devices)


def devices(key: bytes) -> list[str]:
    """Return the names in such a key."""
    parts = [key[start : start + _IFNAMSIZ] for start in range(0, len(key), _IFNAMSIZ)]
    return [part.rstrip(b"\0").decode(errors="replace") for part in parts]


def _kind(message: int) -> int:
    return _NFNL_SUBSYS_NFTABLES << 8 | message


def _set(table: str, name: str) -> bytes:
    return _NFGENMSG + text(_NFTA_SET_ELEM_LIST_TABLE, table) + text(_NFTA_SET_ELEM_LIST_SET, name)


def _transaction(netfilter: Netlink, kind: int, flags: int, into: bytes, some: list[tuple[bytes, bytes]]) -> None:
    netfilter.add(_BATCH_BEGIN, 0, _EDGE, acknowledged=False)
    for start in range(0, len(some), _MOST_ELEMENTS):
        listed = nested(_NFTA_SET_ELEM_LIST_ELEMENTS, *map(_element, some[start : start + _MOST_ELEMENTS]))
        netfilter.add(_kind(kind), flags, into + listed)
    netfilter.add(_BATCH_END, 0, _EDGE, acknowledged=False)


def _element(element: tuple[bytes, bytes]) -> bytes:
    key, value = element
    parts = [nested(_NFTA_SET_ELEM_KEY, attribute(_NFTA_DATA_VALUE, key))]
    parts += [nested(_NFTA_SET_ELEM_DATA, attribute(_NFTA_DATA_VALUE, value))] if value else []
    return nested(_NFTA_LIST_ELEM, *parts)
