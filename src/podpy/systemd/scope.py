"""Leave the login session's cgroup, with the help of the user's systemd.

A process of an ssh or console session is in session-N.scope, which is root's: it may not write `cgroup.procs` outside
of it (cgroups(7), delegation containment: the nearest common ancestor must be writable). So an `exec` could not join
its container's cgroup, and a monitor would end with the session where logind kills what is left (logind.conf(5),
KillUserProcesses=). systemd may move the process: into podpy-HOLDER.scope, which the first call of that kind in a boot
makes around the holder of the user's namespaces (StartTransientUnit: a job, 25 ms) and the later ones are attached to
(AttachProcessesToUnit: done when it answers, 3 ms; org.freedesktop.systemd1(5)).
"""

from __future__ import annotations

import os
from time import monotonic, sleep

from podpy import process
from podpy.rootless.cgroups import RESTART_UNIT, own_cgroup
from podpy.systemd.dbus import Writer, has_agreed, manager_call, manager_call_by_bus, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Sequence

    from podpy.config.paths import Paths

_PATIENCE = 2.0  # seconds
_TICK = 0.0005


class ScopeMove:
    """This process's move into podpy's scope below the user's systemd; `finish` waits for it.

    systemd takes 20 ms (in the kernel, moving a process waits for all processors), in which the caller can do other
    things that need no new process. Without that systemd nothing happens; a call that needs the move then fails on its
    own.
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
            self._socket = send(private_socket(paths), paths.uid, attach_message(scope, [os.getpid()]))
        except OSError:
            pass

    def finish(self) -> None:
        """Wait until this process is in the scope, which is made if it isn't there; or until that can't be."""
        if self._socket is None:
            return
        try:
            arrived = has_agreed(self._socket) or _make_scope(self._paths, [os.getpid()])
        except OSError:
            return
        deadline = monotonic() + _PATIENCE
        while arrived and not is_under_manager(self._paths.uid):  # the job that makes a scope is done a moment later
            if monotonic() > deadline:
                return
            sleep(_TICK)


def leave_session_in_background(paths: Paths, pids: Sequence[int]) -> None:
    """Move monitors out of a login session's cgroup, if they are in one."""
    if pids and paths.rootless and not is_under_manager(paths.uid):
        move_in_background(paths, pids)


def move_in_background(paths: Paths, pids: Sequence[int]) -> None:
    """Move processes into podpy's scope without waiting for it: systemd takes 20 ms, and they can do without.

    A forked child does it, with nothing of the caller's open, so that a reader of our output isn't kept waiting for its
    end.
    """
    if process.fork():
        return
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        process.close_files()
        _move(paths, pids)
    finally:
        os._exit(0)


def _move(paths: Paths, pids: Sequence[int]) -> None:
    """Ask systemd to move processes into podpy's scope, made if it isn't there."""
    from podpy.rootless import holder

    try:
        message = attach_message(scope_name(holder.find(paths)), pids)
        if not has_agreed(send(private_socket(paths), paths.uid, message)):
            _make_scope(paths, pids)
    except OSError:
        pass


def _make_scope(paths: Paths, pids: Sequence[int]) -> bool:
    """Ask systemd for the scope around the namespaces' holder and processes; return whether it agreed."""
    from podpy.rootless import holder

    holder_pid = holder.find(paths)
    if not holder_pid:
        return False
    message = start_message(scope_name(holder_pid), [holder_pid, *(pid for pid in pids if pid != holder_pid)])
    return has_agreed(send(private_socket(paths), paths.uid, message))


def scope_name(holder_pid: int) -> str:
    """Return the name of the scope around a holder."""
    return f"podpy-{holder_pid}.scope"


def private_socket(paths: Paths) -> str:
    """Return where the user's systemd listens for its own tools."""
    return (os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{paths.uid}") + "/systemd/private"


def is_under_manager(uid: int, cgroup: str = "") -> bool:
    """Return whether a cgroup (by default this process's) is below the user's systemd manager."""
    return f"/user@{uid}.service/" in (cgroup or own_cgroup()) + "/"


def attach_message(scope: str, pids: Sequence[int]) -> bytes:
    """Return the call that moves processes into a scope which is there."""
    return manager_call("AttachProcessesToUnit", "ssau", _attachment(scope, "", pids))


def attach_by_bus(unit: str, below: str, pids: Sequence[int]) -> bytes:
    """Return the call, for a bus, that moves processes into a cgroup `below` a unit's own."""
    return manager_call_by_bus("AttachProcessesToUnit", "ssau", _attachment(unit, below, pids))


def _attachment(unit: str, below: str, pids: Sequence[int]) -> bytes:
    body = Writer()
    body.text(unit)
    body.text(below)
    body.numbers(pids)
    return bytes(body.data)


def start_message(scope: str, pids: Sequence[int]) -> bytes:
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
    body.property("Before", "as")  # at a shutdown that unit's ExecStop= comes first
    before = body.begin_array(4)
    body.text(RESTART_UNIT)
    body.end_array(before)
    body.property("Delegate", "b")
    body.number(1)
    body.property("PIDs", "au")
    body.numbers(pids)
    body.end_array(properties)
    body.end_array(body.begin_array(8))
    return manager_call("StartTransientUnit", "ssa(sv)a(sa(sv))", bytes(body.data))
