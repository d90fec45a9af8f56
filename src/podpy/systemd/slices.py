"""Slices of pods: systemd makes one with the first container below it, and keeps it until it is asked to stop it."""

from __future__ import annotations

from podpy.systemd.dbus import Writer, manager_call, send
from podpy.systemd.scope import private_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths

_SYSTEM = "/run/systemd/private"


def stop(paths: Paths, unit: str) -> None:
    """Ask systemd to stop a slice, and don't wait for it. Never raises for a systemd that doesn't answer."""
    socket_path = private_socket(paths) if paths.rootless else _SYSTEM
    try:
        send(socket_path, paths.uid, stop_message(unit)).close()
    except OSError:
        pass


def stop_message(unit: str) -> bytes:
    """Return the call that stops a unit (org.freedesktop.systemd1(5))."""
    body = Writer()
    body.text(unit)
    body.text("fail")
    return manager_call("StopUnit", "ss", bytes(body.data))
