"""Leave the login session's cgroup, with the help of the user's systemd.

A process of an ssh or console session is in session-N.scope, which is root's: it may not write `cgroup.procs` outside
of it (cgroups(7), delegation containment: the nearest common ancestor must be writable). So an `exec` could not join
its container's cgroup, and a monitor would end with the session where logind kills what is left (logind.conf(5),
KillUserProcesses=). systemd may move the process: into podpy-HOLDER.scope, which the first such call of a boot makes
around the holder of the user's namespaces (StartTransientUnit: a job, 25 ms) and the later ones are attached to
(AttachProcessesToUnit: done when it answers, 3 ms; org.freedesktop.systemd1(5)).

The D-Bus wire format (dbus.freedesktop.org/doc/dbus-specification.html) is spoken here directly, on the user manager's
private socket: one message out, its reply in. A library would have to be imported first, and `busctl` is a process.
"""

from __future__ import annotations

import os
from time import monotonic, sleep

from podpy import process
from podpy.rootless.cgroups import own_cgroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

    from podpy.config.paths import Paths

_PATIENCE = 2.0  # seconds
_TICK = 0.0005
_METHOD_CALL, _METHOD_RETURN, _SIGNAL = 1, 2, 4
_PATH, _INTERFACE, _MEMBER, _SIGNATURE = 1, 2, 3, 8


class Leaving:
    """This process's move into podpy's scope below the user's systemd; `finish` waits for it.

    systemd takes 20 ms (in the kernel, moving a process waits for all processors), in which the caller can do other
    things that need no new process. Without such a systemd nothing happens: what needs the move then fails by itself.
    """

    def __init__(self, paths: Paths) -> None:
        """Ask for the move, unless this process is there already. Never raises for a systemd that doesn't answer."""
        self._paths = paths
        self._socket: socket | None = None
        if not paths.rootless or is_under_manager(paths.uid):
            return
        from podpy.rootless import holder

        try:
            scope = scope_name(holder.find(paths))
            self._socket = send(private_socket(paths), paths.uid, attach_message(scope, os.getpid()))
        except OSError:
            pass

    def finish(self) -> None:
        """Wait until this process is in the scope, which is made if it isn't there; or until that can't be."""
        if self._socket is None:
            return
        try:
            arrived = has_agreed(self._socket) or _make_scope(self._paths, os.getpid())
        except OSError:
            return
        deadline = monotonic() + _PATIENCE
        while arrived and not is_under_manager(self._paths.uid):  # the job that makes a scope is done a moment later
            if monotonic() > deadline:
                return
            sleep(_TICK)


def move_in_background(paths: Paths, pid: int) -> None:
    """Move a monitor into podpy's scope without waiting for it: systemd takes 20 ms, and the monitor can do without.

    A forked child does it, with nothing of the caller's open, so that whoever reads our output to its end isn't kept.
    """
    if not paths.rootless or is_under_manager(paths.uid):
        return
    from podpy.rootless import holder  # noqa: F401 - the child, which closes all files, can import no more of ours

    if process.fork():
        return
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        _move(paths, pid)
    finally:
        os._exit(0)


def _move(paths: Paths, pid: int) -> None:
    """Ask systemd to move a process into podpy's scope, made if it isn't there."""
    from podpy.rootless import holder

    try:
        message = attach_message(scope_name(holder.find(paths)), pid)
        if not has_agreed(send(private_socket(paths), paths.uid, message)):
            _make_scope(paths, pid)
    except OSError:
        pass


def _make_scope(paths: Paths, pid: int) -> bool:
    """Ask systemd for the scope around the namespaces' holder and a process; return whether it agreed."""
    from podpy.rootless import holder

    holder_pid = holder.find(paths)
    if not holder_pid:
        return False
    message = start_message(scope_name(holder_pid), [holder_pid, pid])
    return has_agreed(send(private_socket(paths), paths.uid, message))


def scope_name(holder_pid: int) -> str:
    """Return the name of the scope around a holder."""
    return f"podpy-{holder_pid}.scope"


def private_socket(paths: Paths) -> str:
    """Return where the user's systemd listens for its own tools."""
    return (os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{paths.uid}") + "/systemd/private"


def is_under_manager(uid: int) -> bool:
    """Return whether this process's cgroup is below the user's systemd manager."""
    return f"/user@{uid}.service/" in own_cgroup() + "/"


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


def has_agreed(connection: socket) -> bool:
    """Wait for systemd's answer to a call; return whether it is a yes. Raises OSError."""
    try:
        data = b""
        while (reply := _reply_type(data)) == 0:
            piece = connection.recv(4096)
            if not piece:
                return False
            data += piece
        return reply == _METHOD_RETURN
    finally:
        connection.close()


def _reply_type(data: bytes) -> int:
    """Return the type of the first message that answers our call; 0 as long as none has come wholly."""
    while len(data) >= 16:
        if data[1] != _SIGNAL:
            return data[1]
        body, fields = (int.from_bytes(data[at : at + 4], "little") for at in (4, 12))
        length = 16 + (fields + 7) // 8 * 8 + body
        if len(data) < length:
            return 0
        data = data[length:]
    return 0


def attach_message(scope: str, pid: int) -> bytes:
    """Return the call that moves a process into a scope which is there."""
    body = Writer()
    body.text(scope)
    body.text("")  # no cgroup below the unit's own
    body.numbers([pid])
    return _message("AttachProcessesToUnit", "ssau", bytes(body.data))


def start_message(scope: str, pids: list[int]) -> bytes:
    """Return the call that makes a scope around processes. `Delegate`: systemd attaches only to delegated units."""
    body = Writer()
    body.text(scope)
    body.text("fail")
    properties = body.begin_array(8)
    for name, value in (
        ("Description", "podpy's monitors"),
        ("Slice", "user.slice"),
        ("CollectMode", "inactive-or-failed"),
    ):
        body.property(name, "s")
        body.text(value)
    body.property("Delegate", "b")
    body.number(1)
    body.property("PIDs", "au")
    body.numbers(pids)
    body.end_array(properties)
    body.end_array(body.begin_array(8))
    return _message("StartTransientUnit", "ssa(sv)a(sa(sv))", bytes(body.data))


def _message(member: str, signature: str, body: bytes) -> bytes:
    head = Writer()
    head.data += b"l" + bytes([_METHOD_CALL, 0, 1])
    head.number(len(body))
    head.number(1)  # serial
    fields = head.begin_array(8)
    for code, kind, value in (
        (_PATH, "o", "/org/freedesktop/systemd1"),
        (_INTERFACE, "s", "org.freedesktop.systemd1.Manager"),
        (_MEMBER, "s", member),
    ):
        head.align(8)
        head.data.append(code)
        head.signature(kind)
        head.text(value)
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

    def numbers(self, values: list[int]) -> None:
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
