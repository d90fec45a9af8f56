"""The D-Bus wire format (dbus.freedesktop.org/doc/dbus-specification.html), for calls of systemd's manager.

It is spoken directly on the manager's private socket: one message out, its reply in; with the system's manager, whose
socket is root's, by the bus. A library would have to be imported first, and `busctl` is a process.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Sequence

_PATIENCE = 2.0  # seconds
_METHOD_CALL, _METHOD_RETURN, _SIGNAL = 1, 2, 4
_PATH, _INTERFACE, _MEMBER, _DESTINATION, _SIGNATURE = 1, 2, 3, 6, 8
_MANAGER = ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
_BUS = ("/org/freedesktop/DBus", "org.freedesktop.DBus")


def send(socket_path: str, uid: int, message: bytes) -> socket:
    """Send one method call to systemd; `has_agreed` takes what is returned. Raises OSError."""
    import _socket

    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        connection.settimeout(_PATIENCE)
        connection.connect(socket_path)
        connection.sendall(b"\0AUTH EXTERNAL " + str(uid).encode().hex().encode() + b"\r\nBEGIN\r\n")
        # Not in one piece with the message: what systemd has read beyond BEGIN it looks at only when more arrives.
        if not connection.recv(4096).startswith(b"OK "):
            raise PermissionError(f"{socket_path}: not as user {uid}")
        connection.sendall(message)
    except BaseException:
        connection.close()
        raise
    return connection


def has_agreed(connection: socket, *, before: int = 0) -> bool:
    """Wait for the answer to a call; return whether it is a yes. `before`: calls that were sent before that one.

    Raises OSError.
    """
    try:
        data = b""
        while (reply := _reply_type(data, before)) == 0:
            piece = connection.recv(4096)
            if not piece:
                return False
            data += piece
        return reply == _METHOD_RETURN
    finally:
        connection.close()


def _reply_type(data: bytes, before: int) -> int:
    """Return the type of the message that answers our call; 0 as long as it hasn't come wholly."""
    while len(data) >= 16:
        if data[1] != _SIGNAL:
            before -= 1
            if before < 0:
                return data[1]
        body, fields = (int.from_bytes(data[at : at + 4], "little") for at in (4, 12))
        length = 16 + (fields + 7) // 8 * 8 + body
        if len(data) < length:
            return 0
        data = data[length:]
    return 0


def manager_call(member: str, signature: str, body: bytes) -> bytes:
    """Return a call of a method of systemd's manager; `body` is marshalled as `signature` says."""
    return _call(_MANAGER, member, signature, body)


def manager_call_by_bus(member: str, signature: str, body: bytes) -> bytes:
    """Return the same for a bus, with the call before it that every connection to one begins with."""
    hello = _call(_BUS, "Hello", "", b"", destination="org.freedesktop.DBus")
    return hello + _call(_MANAGER, member, signature, body, destination="org.freedesktop.systemd1", serial=2)


def _call(
    target: tuple[str, str], member: str, signature: str, body: bytes, *, destination: str = "", serial: int = 1
) -> bytes:
    head = Writer()
    head.data += b"l" + bytes([_METHOD_CALL, 0, 1])
    head.number(len(body))
    head.number(serial)
    fields = head.begin_array(8)
    path, interface = target
    said = [(_PATH, "o", path), (_INTERFACE, "s", interface), (_MEMBER, "s", member)]
    said += [(_DESTINATION, "s", destination)] if destination else []
    for code, kind, value in said:
        head.align(8)
        head.data.append(code)
        head.signature(kind)
        head.text(value)
    if signature:
        head.align(8)
        head.data.append(_SIGNATURE)
        head.signature("g")
        head.signature(signature)
    head.end_array(fields)
    head.align(8)
    return bytes(head.data) + body


class Writer:
    """Marshals D-Bus values, little-endian (specification, "Marshaling")."""

    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, size: int) -> None:
        """Pad to a multiple of `size`."""
        self.data += bytes(-len(self.data) % size)

    def number(self, value: int) -> None:
        """Append a UINT32."""
        self.align(4)
        self.data += value.to_bytes(4, "little")

    def numbers(self, values: Sequence[int]) -> None:
        """Append an ARRAY of UINT32."""
        begun = self.begin_array(4)
        for value in values:
            self.number(value)
        self.end_array(begun)

    def property(self, name: str, signature: str) -> None:
        """Begin a (name, VARIANT) pair; the value comes next."""
        self.align(8)
        self.text(name)
        self.signature(signature)

    def text(self, value: str) -> None:
        """Append a STRING or OBJECT_PATH."""
        raw = value.encode()
        self.number(len(raw))
        self.data += raw + b"\0"

    def signature(self, value: str) -> None:
        """Append a SIGNATURE."""
        raw = value.encode()
        self.data += bytes([len(raw)]) + raw + b"\0"

    def begin_array(self, alignment: int) -> tuple[int, int]:
        """Begin an array whose elements are aligned so; return what `end_array` needs."""
        self.number(0)
        at = len(self.data) - 4
        self.align(alignment)
        return at, len(self.data)

    def end_array(self, begun: tuple[int, int]) -> None:
        """Write the array's length, which doesn't count the padding before the first element."""
        at, first = begun
        self.data[at : at + 4] = (len(self.data) - first).to_bytes(4, "little")
