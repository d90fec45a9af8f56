"""A question to a name server, and what it answers: enough of RFC 1035 for addresses."""

from __future__ import annotations

import os
import struct

from podpy import linux
from podpy.record import Record

A, AAAA = 1, 28
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
_CODES = {0: "no error", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_RECURSE = b"\x01\x00"
_PORT = 53
_MOST = 4096  # bytes of an answer
_FOREIGN = 8  # datagrams that answer another question


class Answer(Record):
    """What a server says of a name: a code, and addresses."""

    code: int
    addresses: list[str] = []

    @property
    def word(self) -> str:
        """The code as resolvers write it."""
        return _CODES.get(self.code, f"code {self.code}")


def ask(netns: int, server: str, name: str, kind: int = A, *, timeout: float = 2.0) -> Answer:
    """Ask a server by UDP, from the network namespace of the descriptor `netns` (-1: this process's own).

    Raises OSError: TimeoutError after `timeout` seconds, ConnectionRefusedError where nobody listens.
    """
    import _socket as socket

    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    kinds = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    made = socket.socket(fileno=linux.netns_socket(netns, family, kinds, 0)) if netns >= 0 else None
    client = made or socket.socket(family, kinds)
    try:
        client.settimeout(timeout)
        client.connect((server, _PORT))
        identifier = os.urandom(2)
        client.send(_question(identifier, name, kind))
        for _ in range(_FOREIGN):
            data = client.recv(_MOST)
            if data[:2] == identifier:
                return _parse(data)
        raise TimeoutError("no answer to this question")
    finally:
        client.close()


def _question(identifier: bytes, name: str, kind: int) -> bytes:
    labels = [label.encode("ascii", "replace") for label in name.strip(".").split(".") if label]
    packed = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return identifier + _RECURSE + b"\0\1" + bytes(6) + packed + bytes([0, kind, 0, 1])


def _parse(data: bytes) -> Answer:
    from _socket import AF_INET, AF_INET6, inet_ntop

    families = {A: (AF_INET, 4), AAAA: (AF_INET6, 16)}
    found = []
    try:
        code = data[3] & 15
        questions, answers = struct.unpack_from(">HH", data, 4)
        at = 12
        for _ in range(questions):
            at = _after_name(data, at) + 4
        for _ in range(answers):
            at = _after_name(data, at)
            kind, _class, _ttl, size = struct.unpack_from(">HHIH", data, at)
            at += 10
            family, length = families.get(kind, (0, -1))
            if size == length:
                found.append(inet_ntop(family, data[at : at + size]))
            at += size
    except (IndexError, ValueError, struct.error) as error:
        raise OSError(f"an answer that makes no sense: {error}") from error
    return Answer(code=code, addresses=found)


def _after_name(data: bytes, at: int) -> int:
    """Return where a name ends: by an empty label, or by a pointer to another one."""
    while size := data[at]:
        if size >= 0xC0:
            return at + 2
        at += 1 + size
    return at + 1
