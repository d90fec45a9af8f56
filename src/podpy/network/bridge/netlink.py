"""A writer of netlink(7) messages: rtnetlink(7) and nf_tables, as much as a container's network needs.

    with Netlink.open(netns) as rt:                      a socket in another network namespace
        rt.add(RTM_NEWADDR, CREATE, body)                gathered …
        rt.add(RTM_SETLINK, 0, body)
        rt.send()                                        … and done in one datagram, each one checked

A message is a header, a fixed part that its type says, and attributes (`attribute`, `nested`). The kernel carries out a
datagram's messages in order, goes on after one that fails, and acknowledges each. Its own words come with an error
(NETLINK_EXT_ACK, Linux 4.12). Names and numbers are those of linux/netlink.h, linux/rtnetlink.h, linux/if_link.h.
"""

from __future__ import annotations

import os
from _struct import Struct, pack, unpack_from

from podpy import linux

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    Attributes = dict[int, bytes]

AF_NETLINK = 16
NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12
_SOCK_RAW = 3
_MSG_DONTWAIT = 0x40
_SOL_NETLINK = 270
_NETLINK_ADD_MEMBERSHIP, _NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK = 1, 10, 11, 12

NLM_F_REQUEST, NLM_F_ACK = 0x01, 0x04
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x100, 0x200, 0x400, 0x800
NLM_F_DUMP = 0x300
_NLM_F_CAPPED, _NLM_F_ACK_TLVS = 0x100, 0x200
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLMSGERR_ATTR_MSG = 1
_NLA_F_NESTED, _NLA_TYPE_MASK = 0x8000, 0x3FFF

NEW = NLM_F_CREATE | NLM_F_EXCL
"""Make something; EEXIST if it is there."""

_HEADER = Struct("=IHHII")  # length, type, flags, sequence number, port
_ATTRIBUTE = Struct("=HH")  # length, type
_PART = 1 << 16  # bytes; the kernel's parts of a dump are 32 KiB at most


def attribute(kind: int, payload: bytes) -> bytes:
    """Return an attribute: length, type, payload, padded to four bytes."""
    size = 4 + len(payload)
    return _ATTRIBUTE.pack(size, kind) + payload + bytes(-size % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Return an attribute that consists of others."""
    return attribute(kind | _NLA_F_NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """Return an attribute with a text, ended by a zero byte."""
    return attribute(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    """Return an attribute with a number of 32 bits, in the host's byte order."""
    return attribute(kind, pack("=I", value))


def attributes(data: bytes, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (type, payload) of the attributes from `start` on."""
    while start + 4 <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, start)
        if size < 4:
            break
        yield kind & _NLA_TYPE_MASK, data[start + 4 : start + size]
        start += size + 3 & ~3


def parse(data: bytes, start: int = 0) -> Attributes:
    """Return the attributes from `start` on by their types; of repeated ones the last."""
    return dict(attributes(data, start))


class Netlink:
    """A netlink socket in one network namespace: it stays there, wherever its process goes.

    `netns` is the caller's descriptor of that one.
    """

    def __init__(self, descriptor: int, netns: int, protocol: int) -> None:
        import _socket

        self.netns = netns
        self._socket = _socket.socket(AF_NETLINK, _SOCK_RAW, protocol, descriptor)  # without all it asks the kernel
        self._sequence = 0
        self._messages: list[bytes] = []
        self._awaited: list[int] = []  # sequence numbers of those gathered that are acknowledged
        # A dump of rtnetlink may be of one device with strict checks.
        strict = (_NETLINK_GET_STRICT_CHK,) if protocol == NETLINK_ROUTE else ()
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, *strict):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)

    @classmethod
    def open(cls, netns: int, protocol: int = NETLINK_ROUTE) -> Self:
        """Return one in the network namespace that the descriptor `netns` is of. Raises OSError."""
        return cls(linux.netns_socket(netns, AF_NETLINK, _SOCK_RAW, protocol), netns, protocol)

    @classmethod
    def open_both(cls, netns: int) -> tuple[Self, Self]:
        """Return one of rtnetlink and one of netfilter: as two of `open`, in the time of one. Raises OSError."""
        protocols = (NETLINK_ROUTE, NETLINK_NETFILTER)
        rt, netfilter = linux.netns_sockets(netns, AF_NETLINK, _SOCK_RAW, protocols)
        return cls(rt, netns, NETLINK_ROUTE), cls(netfilter, netns, NETLINK_NETFILTER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    @property
    def gathered(self) -> int:
        """How many requests were gathered that are acknowledged."""
        return len(self._awaited)

    def close(self) -> None:
        """Close the socket; what wasn't sent is forgotten."""
        self._socket.close()

    def subscribe(self, group: int) -> None:
        """Have the kernel's events of a group (RTNLGRP_*) from now on; the socket asks nothing then."""
        self._socket.bind((0, 0))  # one without an address, as before the first request, gets none
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)

    def await_event(self, milliseconds: int) -> bool:
        """Wait for an event and forget it; return whether there was one."""
        import select

        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        if not poll.poll(milliseconds):
            return False
        try:
            self._socket.recv(_PART)
        except OSError:  # ENOBUFS: there were more than fit
            pass
        return True

    def add(self, kind: int, flags: int, body: bytes, *, acknowledged: bool = True) -> None:
        """Gather a request. `flags`: NLM_F_* besides NLM_F_REQUEST. `acknowledged`: the kernel answers it."""
        self._sequence += 1
        flags |= NLM_F_REQUEST
        if acknowledged:
            flags |= NLM_F_ACK
            self._awaited.append(self._sequence)
        self._messages.append(_HEADER.pack(16 + len(body), kind, flags, self._sequence, 0) + body)

    def send(self, allowed: tuple[int, ...] = ()) -> list[int]:
        """Have what was gathered done; return the errno of each acknowledged request, 0 or one of `allowed`.

        Raises KernelError with the kernel's own words for the first other one, when all are done.
        """
        errors = dict.fromkeys(self._awaited, 0)
        self._write()
        failure: KernelError | None = None
        missing = len(errors)
        while missing:
            for sequence, _kind, flags, data in self._receive():
                error = _failure(flags, data)
                if sequence not in errors:  # it wasn't to be acknowledged, so it failed, and the batch with it
                    raise error or OSError("netlink: an answer to nothing")
                missing -= 1
                if error is not None:
                    errors[sequence] = error.errno
                    if failure is None and error.errno not in allowed:
                        failure, error.place = error, len(errors) - missing - 1
        if failure is not None:
            raise failure
        return list(errors.values())

    def ask(self, kind: int, flags: int, body: bytes) -> list[bytes]:
        """Return the kernel's answers to one request, without their headers. `flags`: 0 or NLM_F_DUMP.

        What was gathered before is done before. Raises OSError: ENODEV for a device that isn't there.
        """
        if self._messages:
            self.send()
        self.add(kind, flags, body, acknowledged=False)
        self._write()
        found: list[bytes] = []
        while True:
            for _sequence, answer, answer_flags, data in self._receive():
                if answer == _NLMSG_DONE:
                    return found
                error = _failure(answer_flags, data) if answer == _NLMSG_ERROR else None
                if error is not None:
                    raise error
                found.append(data)
            if not flags & NLM_F_DUMP:
                return found

    def _write(self) -> None:
        data, self._messages, self._awaited = b"".join(self._messages), [], []
        if data:
            self._socket.send(data)

    def _receive(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Yield (sequence number, type, flags, body) of the answers in one datagram.

        The kernel has answered when send(2) returns, so nothing is waited for.
        """
        data = self._socket.recv(_PART, _MSG_DONTWAIT)
        at = 0
        while at < len(data):
            size, kind, flags, sequence, _port = _HEADER.unpack_from(data, at)
            yield sequence, kind, flags, data[at + 16 : at + size]
            at += size + 3 & ~3


class KernelError(OSError):
    """An errno of a netlink request, with the kernel's own words. `place`: which one it was of those sent together."""

    errno: int
    place = 0


def _failure(flags: int, data: bytes) -> KernelError | None:
    """Return the error that an acknowledgement tells of; None if all went well."""
    (number,) = unpack_from("=i", data)
    if not number:
        return None
    reason = os.strerror(-number)
    if flags & _NLM_F_ACK_TLVS:
        size = 16 if flags & _NLM_F_CAPPED else unpack_from("=I", data, 4)[0]
        words = parse(data, 4 + (size + 3 & ~3)).get(_NLMSGERR_ATTR_MSG)
        if words:
            reason = f"{reason}: {words.rstrip(bytes(1)).decode(errors='replace')}"
    return KernelError(-number, reason)
