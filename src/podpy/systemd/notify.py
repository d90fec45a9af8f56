"""A container in a systemd unit with Type=notify (sd_notify(3), systemd.service(5)): who says what to the manager.

The unit's main process is the monitor: podpy says so after each start (MAINPID=), since it ends itself. Whether the
service is READY=1 the container says by default, through a socket that conmon makes and relays what is harmless from;
with `--sdnotify=conmon` podpy says it as soon as the container runs. The OCI runtime never sees the manager's socket.

`environ` is the caller's (podpy.libpod.caller): the command line's has the manager's socket, a library's has none.
"""

from __future__ import annotations

from podpy.spec.container import NOTIFY_DIRECTORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.spec.container import ContainerSpec

VARIABLE = "NOTIFY_SOCKET"
_WATCHDOG = "WATCHDOG_USEC"
_NAME = "notify.sock"  # conmon's, in BUNDLE/notify


def relayed_socket(spec: ContainerSpec, environ: Mapping[str, str]) -> str:
    """Return the manager's socket if the container may speak to it, else an empty text."""
    return environ.get(VARIABLE, "") if spec.sdnotify == "container" else ""


def environment(spec: ContainerSpec, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the container's process finds in its environment: the socket, and how often the manager wants to hear
    from it (WatchdogSec=; without WATCHDOG_PID, which counts outside, sd_watchdog_enabled(3) takes it for its own).
    """
    if not relayed_socket(spec, environ):
        return {}
    watchdog = environ.get(_WATCHDOG, "")
    return {VARIABLE: f"{NOTIFY_DIRECTORY}/{_NAME}", **({_WATCHDOG: watchdog} if watchdog else {})}


def tell_started(spec: ContainerSpec, conmon_pid: int, environ: Mapping[str, str]) -> None:
    """Tell the manager which process is the unit's, and that it is ready if nobody else will. Never raises."""
    if spec.sdnotify == "ignore":
        return
    tell(environ, f"MAINPID={conmon_pid}" + ("\nREADY=1" if spec.sdnotify == "conmon" else ""))


def extend_timeout(environ: Mapping[str, str], seconds: int) -> None:
    """Ask the manager to wait so long from now on for what comes next (EXTEND_TIMEOUT_USEC=). Never raises."""
    tell(environ, f"EXTEND_TIMEOUT_USEC={seconds * 1_000_000}")


def tell(environ: Mapping[str, str], message: str) -> None:
    """Send a message to the manager, if there is one. Never raises."""
    address = environ.get(VARIABLE, "")
    if not address:
        return
    import _socket

    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        socket.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)
    except OSError:
        pass  # nobody listens: the container runs all the same
    finally:
        socket.close()
