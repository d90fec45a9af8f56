"""A container in a systemd unit with Type=notify (sd_notify(3), systemd.service(5)): who says what to the manager.

The unit's main process is the monitor: podpy says so after each start (MAINPID=), since it ends itself. Whether the
service is READY=1 the container says by default, through a socket that conmon makes and relays what is harmless from;
with `--sdnotify=conmon` podpy says it as soon as the container runs. The OCI runtime never sees the manager's socket.

`environ` is the caller's (podpy.libpod.caller): the command line's has the manager's socket, a library's has none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.spec.container import ContainerSpec

VARIABLE = "NOTIFY_SOCKET"
DIRECTORY = "/run/notify"  # in the container, as Podman has it
_NAME = "notify.sock"  # conmon's, in BUNDLE/notify


def relayed_socket(spec: ContainerSpec, environ: Mapping[str, str]) -> str:
    """Return the manager's socket if the container may speak to it, else an empty text."""
    return environ.get(VARIABLE, "") if spec.sdnotify == "container" else ""


def environment(spec: ContainerSpec, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what the container's process finds in its environment."""
    return {VARIABLE: f"{DIRECTORY}/{_NAME}"} if relayed_socket(spec, environ) else {}


def tell_started(spec: ContainerSpec, conmon_pid: int, environ: Mapping[str, str]) -> None:
    """Tell the manager which process is the unit's, and that it is ready if nobody else will. Never raises."""
    address = environ.get(VARIABLE, "")
    if not address or spec.sdnotify == "ignore":
        return
    import _socket

    message = f"MAINPID={conmon_pid}" + ("\nREADY=1" if spec.sdnotify == "conmon" else "")
    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        socket.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)
    except OSError:
        pass  # nobody listens: the container runs all the same
    finally:
        socket.close()
