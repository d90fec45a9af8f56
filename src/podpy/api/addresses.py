"""Where the service listens: unix sockets of its own, descriptors that were handed to it, systemd's sockets."""

from __future__ import annotations

import os
import socket

from podpy.errors import InUseError, NotSupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ASIDE = ".new."  # what a socket's first name has behind its path: it keeps that name (getsockname(2))
_BACKLOG = 1024
_FIRST = 3  # sd_listen_fds(3)


class Listener:
    """A listening socket; `path` is its file, if this process has made it."""

    def __init__(self, listening: socket.socket, path: str = "") -> None:
        self.socket = listening
        self._path = path
        self._file = _identity(path) if path else None

    def close(self) -> None:
        """Close the socket, and remove its file unless another service has taken its place."""
        self.socket.close()
        if self._path and _identity(self._path) == self._file:
            os.unlink(self._path)


def listen(address: str, default: str, environ: Mapping[str, str]) -> list[Listener]:
    """Return the listening sockets of an address: "" (systemd's sockets, else the unix socket `default`), unix://PATH,
    a path, or fd://[NUMBER].

    Raises UsageError, NotSupportedError (tcp), InUseError (somebody listens there already), OSError.
    """
    scheme, separator, rest = address.partition("://")
    if not address:
        return _handed_over(environ) or [_unix(default)]
    if not separator:
        return [_unix(address)]
    if scheme == "unix":
        return [_unix("/" + rest.lstrip("/"))]
    if scheme == "fd":
        if rest:
            return [_inherited(rest)]
        handed = _handed_over(environ)
        if not handed:
            raise UsageError(
                "fd://: no socket was handed over", hint="systemd-socket-activate, or a .socket unit does it"
            )
        return handed
    if scheme == "tcp":
        raise NotSupportedError(
            f"{address}: the API isn't served over TCP",
            hint="Whoever reaches it has all your rights: ssh -L /tmp/podpy.sock:SOCKET HOST reaches the unix socket",
        )
    raise UsageError(f"{address}: unknown kind of address", hint="unix:///PATH, or fd:// for a socket of systemd")


def _handed_over(environ: Mapping[str, str]) -> list[Listener]:
    count, pid = environ.get("LISTEN_FDS", ""), environ.get("LISTEN_PID", "")
    if not count.isdigit() or pid != str(os.getpid()):
        return []
    return [_inherited(str(number)) for number in range(_FIRST, _FIRST + int(count))]


def _inherited(number: str) -> Listener:
    if not number.isdigit():
        raise UsageError(f"fd://{number}: a descriptor is a number")
    try:
        taken = socket.socket(fileno=int(number))
        is_listening = taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise UsageError(f"descriptor {number}: {error.strerror}") from None
    if not is_listening or taken.type != socket.SOCK_STREAM:
        raise UsageError(f"descriptor {number} is no listening stream socket")
    if taken.family != socket.AF_UNIX:
        raise NotSupportedError("the API isn't served over TCP", hint="ListenStream= of the unit: a path")
    taken.set_inheritable(False)
    taken.setblocking(False)
    return Listener(taken)


def _unix(path: str) -> Listener:
    """Return a new unix socket that only this user may connect to. One that nobody listens to any more is replaced."""
    if _is_served(path):
        raise InUseError(f"{path}: somebody listens there already", hint="Stop that service, or name another socket")
    aside = f"{path}{_ASIDE}{os.getpid()}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listening.bind(aside)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    finally:
        os.umask(before)
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    os.rename(aside, path)  # nobody meets a socket that isn't listened to yet
    return Listener(listening, path)


def path_of(client: socket.socket) -> str:
    """Return the path of the socket that a client has connected to."""
    name = client.getsockname()
    return name.rpartition(_ASIDE)[0] or name if isinstance(name, str) else ""


def _is_served(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(path)
        except OSError:
            return False
        return True


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
