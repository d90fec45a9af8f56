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

from podpy.rootless.cgroups import own_cgroup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths

_PATIENCE = 2.0  # seconds
_TICK = 0.0005
_METHOD_CALL, _METHOD_RETURN, _SIGNAL = 1, 2, 4
_PATH, _INTERFACE, _MEMBER, _SIGNATURE = 1, 2, 3, 8


def leave_session(paths: Paths) -> bool:
    """Move this process into podpy's scope below the user's systemd, unless it is below that already.

    Return whether it is there now: False where there is no such systemd, or it doesn't answer. Never raises for that:
    what needs the move fails by itself, and what doesn't goes on.
    """
    if not paths.rootless or is_under_manager(paths.uid):
        return paths.rootless
    if not _move(paths, os.getpid()):
        return False
    deadline = monotonic() + _PATIENCE
    while not is_under_manager(paths.uid):  # the job that makes a scope is done a moment after its call
        if monotonic() > deadline:
            return False
        sleep(_TICK)
    return True


def move_in_background(paths: Paths, pid: int) -> None:
    """Move a monitor into podpy's scope without waiting for it: systemd takes 20 ms, and the monitor can do without.

    A forked child does it, with nothing of the caller's open, so that whoever reads our output to its end isn't kept.
    """
    if not paths.rootless or is_under_manager(paths.uid):
        return
    if os.fork():
        return
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        _move(paths, pid)
    finally:
        os._exit(0)


def _move(paths: Paths, pid: int) -> bool:
    """Ask systemd to move a process into podpy's scope, made if it isn't there; return whether it agreed."""
    from podpy.rootless import holder

    holder_pid = holder.find(paths)
    scope = f"podpy-{holder_pid}.scope"
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{paths.uid}"
    private = f"{runtime}/systemd/private"
    try:
        if ask(private, paths.uid, attach_message(scope, pid)):
            return True
        return bool(holder_pid) and ask(private, paths.uid, start_message(scope, [holder_pid, pid]))
    except OSError:
        return False


def is_under_manager(uid: int) -> bool:
    """Return whether this process's cgroup is below the user's systemd manager."""
    return f"/user@{uid}.service/" in own_cgroup() + "/"


def ask(socket_path: str, uid: int, message: bytes) -> bool:
    """Send one method call to systemd; return whether it agreed. Raises OSError."""
    import _socket

    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        socket.settimeout(_PATIENCE)
        socket.connect(socket_path)
        socket.sendall(b"\0AUTH EXTERNAL " + str(uid).encode().hex().encode() + b"\r\nBEGIN\r\n")
        # Not in one piece with the message: what systemd has read beyond BEGIN it looks at only when more arrives.
        if not socket.recv(4096).startswith(b"OK "):
            return False
        socket.sendall(message)
        data = b""
        while (reply := _reply_type(data)) == 0:
            piece = socket.recv(4096)
            if not piece:
                return False
            data += piece
        return reply == _METHOD_RETURN
    finally:
        socket.close()


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
