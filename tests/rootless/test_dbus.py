"""What podpy says to systemd's manager on its private socket, read as the D-Bus specification says, and the answers."""

from __future__ import annotations

import os
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from podpy.systemd.dbus import Writer, has_agreed, manager_call, send
from podpy.systemd.scope import attach_by_bus, attach_message, start_message

ALIGNED = {"y": 1, "g": 1, "v": 1, "u": 4, "b": 4, "s": 4, "o": 4, "a": 4, "(": 8}


class Reader:
    """Unmarshals little-endian values; AssertionError where padding isn't 0 or a length is wrong."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        assert len(piece) == count
        self.at += count
        return piece

    def align(self, size: int) -> None:
        assert not any(self.take(-self.at % size))

    def values(self, signature: str) -> list[Any]:
        """Return the values of all complete types of a signature."""
        found = []
        while signature:
            kind, signature = split(signature)
            found.append(self.value(kind))
        return found

    def value(self, kind: str) -> Any:
        self.align(ALIGNED[kind[0]])
        if kind == "y":
            return self.take(1)[0]
        if kind in "ub":
            return struct.unpack("<I", self.take(4))[0]
        if kind in "sog":
            text = self.take(self.value("y" if kind == "g" else "u")).decode()
            assert self.take(1) == b"\0"
            return text
        if kind == "v":
            return self.value(self.value("g"))
        if kind[0] == "(":
            return tuple(self.values(kind[1:-1]))
        size = self.value("u")
        self.align(ALIGNED[kind[1]])
        end, found = self.at + size, []
        while self.at < end:
            found.append(self.value(kind[1:]))
        assert self.at == end
        return found


def split(signature: str) -> tuple[str, str]:
    """Return the first complete type of a signature, and the rest."""
    if signature[0] == "a":
        first, rest = split(signature[1:])
        return "a" + first, rest
    end, depth = 0, 0
    while True:
        depth += {"(": 1, ")": -1}.get(signature[end], 0)
        end += 1
        if depth == 0:
            return signature[:end], signature[end:]


def read(message: bytes) -> tuple[str, list[Any]]:
    """Return the member that a call of systemd's manager names, and its arguments."""
    reader = Reader(message)
    order, kind, flags, version, size, serial, fields = reader.values("yyyyuua(yv)")
    assert (chr(order), kind, flags, version, serial) == ("l", 1, 0, 1, 1)
    reader.align(8)
    assert len(message) == reader.at + size
    known = dict(fields)
    assert (known[1], known[2]) == ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
    body = Reader(message[reader.at :])
    arguments = body.values(known[8])
    assert body.at == size
    return known[3], arguments


@pytest.mark.parametrize("scope", ["podpy.scope", "podpy-1.scope", "podpy-12.scope", "podpy-123.scope"])
def test_a_scope_is_made_around_processes_and_delegated(scope: str) -> None:
    member, (name, mode, properties, others) = read(start_message(scope, [7, 70000]))
    assert (member, name, mode, others) == ("StartTransientUnit", scope, "fail", [])
    known = dict(properties)
    assert (known["Slice"], known["Delegate"], known["PIDs"]) == ("user.slice", 1, [7, 70000])
    assert (known["CollectMode"], known["Before"]) == ("inactive-or-failed", ["podpy-restart.service"])


def test_a_process_is_moved_into_a_scope() -> None:
    assert read(attach_message("podpy.scope", [70000])) == (
        "AttachProcessesToUnit", ["podpy.scope", "", [70000]]
    )  # fmt: skip


def test_by_the_bus_every_connection_begins_with_a_greeting() -> None:
    """And a call says whom it is for."""
    whole = attach_by_bus("web.service", "/runtime", [7])
    reader = Reader(whole)
    reader.values("yyyyuua(yv)")
    reader.align(8)
    greeting, call = whole[: reader.at], Reader(whole[reader.at :])
    assert b"Hello" in greeting
    *_, serial, fields = call.values("yyyyuua(yv)")
    assert (serial, dict(fields)[6], dict(fields)[3]) == (2, "org.freedesktop.systemd1", "AttachProcessesToUnit")


def reply(kind: int, body: bytes = b"", fields: int = 4) -> bytes:
    """Return a message of systemd: 2 is a return, 3 an error, 4 a signal."""
    writer = Writer()
    writer.data += b"l" + bytes([kind, 0, 1])
    writer.number(len(body))
    writer.number(9)
    array = writer.begin_array(8)
    for _ in range(fields):
        writer.align(8)
        writer.data.append(5)
        writer.signature("u")
        writer.number(1)
    writer.end_array(array)
    writer.align(8)
    return bytes(writer.data) + body


SIGNALS = reply(4, b"x" * 300) + reply(4, fields=3) + reply(4, b"\0" * 7, fields=1)


@pytest.mark.parametrize(
    ("pieces", "agreed"),
    [
        ([reply(2)], True),
        ([reply(3)], False),
        ([SIGNALS + reply(2, b"job")], True),
        ([SIGNALS + reply(3)], False),
        ([SIGNALS[:20], SIGNALS[20:200], SIGNALS[200:] + reply(2)[:5], reply(2)[5:]], True),
        ([SIGNALS], False),
        ([], False),
    ],
)
def test_the_answer_comes_after_signals_and_in_pieces(tmp_path: Path, pieces: list[bytes], agreed: bool) -> None:
    path = os.fspath(tmp_path / "private")
    message = manager_call("Reload", "", b"")
    asked = []

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            asked.append(connection.recv(4096))
            connection.sendall(b"OK 0123\r\n")
            asked.append(connection.recv(4096))
            for piece in pieces:
                connection.sendall(piece)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        thread = threading.Thread(target=answer)
        thread.start()
        assert has_agreed(send(path, 1000, message)) == agreed
        thread.join()
    assert asked == [b"\0AUTH EXTERNAL 31303030\r\nBEGIN\r\n", message]


def test_a_manager_that_takes_us_for_somebody_else_is_asked_nothing(tmp_path: Path) -> None:
    path = os.fspath(tmp_path / "private")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def refuse() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"REJECTED EXTERNAL\r\n")
                assert connection.recv(4096) == b""

        thread = threading.Thread(target=refuse)
        thread.start()
        with pytest.raises(PermissionError, match="not as user 1000"):
            send(path, 1000, b"message")
        thread.join()
