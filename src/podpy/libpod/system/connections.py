"""Connections to services of other machines: `runtime.connections` (podman-system-connection(1))."""

from __future__ import annotations

import os
import stat

from podpy.config.connections import Connection
from podpy.config.connections import Connections as Table
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

_SSH_PORT = 22
_SCHEME = "://"
_SOCKET = "Say it: --socket-path=/run/user/1000/podman/podman.sock"
_TLS = ("tls_ca", "tls_cert", "tls_key")


class Connections:
    """The connections of this user: those of podman-connections.json, which can be changed, and containers.conf's."""

    def __init__(self, engine: Engine) -> None:
        self._caller = engine.caller
        self._table = Table(engine.paths, engine.conf, engine.caller.environ)

    def list(self) -> list[Connection]:
        """Return all connections, sorted by name. Raises ConfigError."""
        return self._table.list()

    def add(
        self, name: str, destination: str, *, port: int = 0, socket_path: str = "", default: bool = False, **keys: str
    ) -> Connection:
        """Add a connection, in place of one of the same name, and return it; the first one is the default.

        `destination`: `[USER@]HOST`, `ssh://[USER@]HOST[:PORT][/SOCKET]`, `unix:///SOCKET`, `tcp://HOST:PORT`. Another
        scheme is kept as it is. `port`: ssh's, where `destination` names none (0: 22). `socket_path`: the service's
        socket, instead of the destination's. `keys`: paths of files, `identity` for ssh, `tls_ca`, `tls_cert` and
        `tls_key` for tcp. Where nothing names a socket, the machine is asked for it by ssh. Raises UsageError,
        ConfigError, ImageError (what ssh says), NotFoundError (there is no ssh).
        """
        from urllib.parse import urlsplit

        if not name:
            raise UsageError("a connection needs a name", hint="podpy system connection add NAME DESTINATION")
        given = {key: value for key, value in keys.items() if value}
        try:
            parts = urlsplit(destination if _SCHEME in destination else f"ssh://{destination}")
            own_port = parts.port
        except ValueError as error:
            raise UsageError(f"{destination}: {error}", hint="ssh://USER@HOST:PORT/SOCKET") from None
        scheme = parts.scheme
        _check_keys(scheme, given)
        if socket_path and scheme == "tcp":
            raise UsageError("--socket-path option not supported for tcp scheme")
        if scheme == "tcp" and not own_port:
            raise UsageError("tcp scheme requires a port in the destination", hint="tcp://HOST:PORT")
        if scheme == "ssh":
            if not parts.hostname:
                raise UsageError(f"{destination}: no host stands in it", hint="ssh://USER@HOST:PORT/SOCKET")
            if not own_port:
                parts = parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{port or _SSH_PORT}")
        if socket_path:
            parts = parts._replace(path=socket_path)
        if scheme == "unix":
            _check_socket(parts.path)
        made = Connection(name=name, uri=parts.geturl(), is_default=default).replace(**given)
        if scheme == "ssh" and parts.path in ("", "/"):
            made = made.replace(uri=parts._replace(path=_ask_for_socket(made)).geturl())
        self._table.add(made)
        return made

    def find(self, name: str) -> Connection | None:
        """Return the connection of this name, or None. Raises ConfigError."""
        return self._table.find(name)

    def set_default(self, name: str) -> None:
        """Make a connection of podman-connections.json the default. Raises NotFoundError, ConfigError."""
        self._table.set_default(name)

    def rename(self, name: str, new: str) -> None:
        """Give a connection another name. Raises NotFoundError, UsageError (`new` is taken or ""), ConfigError."""
        self._table.rename(name, new)

    def remove(self, name: str) -> None:
        """Remove a connection; none of that name is no error, as in Podman. Raises ConfigError."""
        self._table.remove(name)

    def remove_all(self) -> None:
        """Remove all connections of podman-connections.json. Raises ConfigError."""
        self._table.remove_all()


def _ask_for_socket(connection: Connection) -> str:
    """Return where another machine's service listens. Raises as `Connections.add`."""
    from podpy import process
    from podpy.libpod.ssh import Host, Remote

    host = Host.of_connection(connection)
    remote = Remote(host, "info --format '{{.Host.RemoteSocket.Path}}'", writes=False)
    answer = process.read_all(os.dup(remote.descriptor)).strip()
    remote.end()
    path = answer.removeprefix("unix://")
    if not path.startswith("/"):
        raise UsageError(f"remote podman {host.destination} failed to report its UDS socket", hint=_SOCKET)
    return path


def _check_keys(scheme: str, given: dict[str, str]) -> None:
    """Raises UsageError, in Podman's words."""
    wrong = [key for key in given if (scheme != "tcp" if key in _TLS else scheme in ("tcp", "unix"))]
    if wrong:
        raise UsageError(f"--{wrong[0].replace('_', '-')} option not supported for {scheme} scheme")
    if ("tls_cert" in given) != ("tls_key" in given):
        raise UsageError("--tls-cert and --tls-key options must be both provided if one is provided")


def _check_socket(path: str) -> None:
    """Warn if there is no socket yet. Raises UsageError for something else."""
    from podpy.notice import warn

    if not path.startswith("/"):
        raise UsageError("a unix:// destination has an absolute path", hint="unix:///run/user/1000/podpy/podpy.sock")
    try:
        is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
    except FileNotFoundError:
        warn(f'"{path}" does not exist')
    except PermissionError:
        warn(f'You do not have permission to read "{path}"')
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    else:
        if not is_socket:
            raise UsageError(f'"{path}" exists and is not a unix domain socket')
