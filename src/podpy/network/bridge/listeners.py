"""The host ports of a container on user networks: bound by podpy, before anything of the container starts.

So a port that is taken, too low, or on an address that the host doesn't have is an error while nothing has happened
yet, and whoever is faster has it. The sockets go to podpy-forward (podpy.network.bridge.forwarder).

A port without a host address is on all addresses of both families, or on none: 0.0.0.0 and [::], each with a socket of
its own. Where the host has no IPv6 it is 0.0.0.0 alone. Words: what Podman's rootlessport says; as root, Podman itself.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import InUseError, NetworkSetupError, NotSupportedError, PodpyError
from podpy.network import ports as host_ports
from podpy.plan import Operation
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable, Iterator

    from podpy.spec.container import PortMapping

    Refused = Callable[[OSError, str, str, int], PodpyError]

_ALL = ("0.0.0.0", "::")
_BACKLOG = 4096  # connections; net.core.somaxconn is the kernel's limit
_MOST_TRIES = 50
_SPARE = 128  # descriptors that podpy has besides
_UNPRIVILEGED_START = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
_FIRST_FREE = 3


class Listener(Record):
    """A bound socket and where it leads."""

    descriptor: int
    protocol: str
    host_ip: str
    host_port: int
    container_port: int


class BindPorts(Operation):
    """Bind the host ports of a container. `before` are those of its last start: ephemeral ones stay the same."""

    def __init__(
        self, wanted: list[PortMapping], before: list[PortMapping] | None = None, *, rootful: bool = False
    ) -> None:
        self.wanted = wanted
        self.rootful = rootful
        self.before = before
        self.bound: list[PortMapping] = []
        self.listeners: list[Listener] = []
        self._former_limit: tuple[int, int] | None = None

    def describe(self) -> str:
        """Return which ports."""
        return f"bind the host ports {self.places}"

    @property
    def places(self) -> str:
        """What is asked for, for who reads the plan."""
        places = (f"{p.host_ip or '*'}:{p.host_port or 'any'}+{p.count - 1}/{p.protocol}" for p in self.wanted)
        return " ".join(places).replace("+0/", "/")

    def execute(self) -> None:
        """Bind them all, or none. Raises InUseError, NetworkSetupError, NotSupportedError, UsageError."""
        self._former_limit = make_room(2 * sum(port.count for port in self.wanted))
        try:
            self.bound, self.listeners = bind(self.wanted, self.before, rootful=self.rootful)
        finally:
            if not self.listeners:
                self.close()

    def close(self) -> None:
        """Let go of them, here: another process may have them, too."""
        for listener in self.listeners:
            os.close(listener.descriptor)
        self.listeners = []
        if self._former_limit is not None:  # the container would inherit ours
            import resource

            resource.setrlimit(resource.RLIMIT_NOFILE, self._former_limit)
            self._former_limit = None


def bind(
    wanted: list[PortMapping], before: list[PortMapping] | None = None, *, rootful: bool = False
) -> tuple[list[PortMapping], list[Listener]]:
    """Return the mappings with every host port chosen, and their sockets. All are bound, or none.

    `before` are the ports of the last start: an ephemeral port stays the same as long as it is free. `rootful`: errors
    are said as Podman does as root.
    Raises InUseError for a port that is taken, NetworkSetupError for one that may not be bound, NotSupportedError for
    another protocol than tcp and udp, UsageError for one that is asked for twice.
    """
    host_ports.refuse_twice(wanted)
    for port in wanted:
        if port.protocol not in ("tcp", "udp"):
            raise NotSupportedError(f"rootlessport: {port.protocol} is not supported: only tcp and udp are forwarded")
    old = {(p.container_port, p.protocol, p.host_ip): p.host_port for p in before or [] if p.count == 1}
    made: list[Listener] = []
    chosen: dict[int, int] = {}
    refused = _refused_to_root if rootful else _refused
    try:
        # Fixed ones first: an ephemeral one must not take their place.
        for place, port in sorted(enumerate(wanted), key=lambda item: item[1].host_port == 0):
            if port.host_port:
                made += (one for i in range(port.count) for one in _bind(port, port.host_port + i, i, refused))
            else:
                found = _bind_ephemeral(port, old.get((port.container_port, port.protocol, port.host_ip), 0), refused)
                chosen[place] = found[0].host_port
                made += found
    except BaseException:
        for listener in made:
            os.close(listener.descriptor)
        raise
    bound = [port.replace(host_port=chosen.get(place, port.host_port)) for place, port in enumerate(wanted)]
    return bound, made


def make_room(count: int) -> tuple[int, int] | None:
    """Raise this process's soft limit of descriptors for so many more, if need be; return what the limits were."""
    if count < _SPARE:
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = len(os.listdir("/proc/self/fd")) + count + _SPARE
    if soft >= needed:
        return None
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, hard), hard))
    return soft, hard


def _bind_ephemeral(port: PortMapping, last: int, refused: Refused) -> list[Listener]:
    for attempt in range(_MOST_TRIES):
        try:
            return _bind(port, last if attempt == 0 else 0, 0, refused)
        except (InUseError, NetworkSetupError):
            if attempt + 1 == _MOST_TRIES:
                raise
    raise AssertionError("there is at least one try")


def _bind(port: PortMapping, number: int, offset: int, refused: Refused) -> list[Listener]:
    """Return the sockets of one host port (0: any), one or one of each family. `refused` makes the error."""
    made: list[Listener] = []
    try:
        for address in (port.host_ip,) if port.host_ip else _ALL:
            number = made[0].host_port if made else number
            try:
                found = _listen(port.protocol, address, number, optional=bool(made))
            except OSError as error:
                raise refused(error, port.protocol, address, number) from error
            if found is not None:
                made.append(found.replace(container_port=port.container_port + offset))
    except BaseException:
        for listener in made:
            os.close(listener.descriptor)
        raise
    return made


def _listen(protocol: str, address: str, number: int, *, optional: bool) -> Listener | None:
    """Return a socket for one address; None for an `optional` one of a family that this host lacks. Raises OSError."""
    import _socket as socket
    from errno import EADDRNOTAVAIL, EAFNOSUPPORT

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    is_tcp = protocol == "tcp"
    try:
        made = socket.socket(family, (socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM) | socket.SOCK_CLOEXEC)
        try:
            if is_tcp:  # connections in TIME_WAIT don't hinder; for UDP it would let two have the same port
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((address, number))
            if is_tcp:
                made.listen(_BACKLOG)
            bound = int(made.getsockname()[1])
            return Listener(
                descriptor=above_streams(made), protocol=protocol, host_ip=address, host_port=bound, container_port=0
            )
        finally:
            made.close()
    except OSError as error:
        if optional and error.errno in (EAFNOSUPPORT, EADDRNOTAVAIL):
            return None
        raise


def above_streams(made: socket) -> int:
    """Return another descriptor of a socket, above the standard streams: so a child can keep it."""
    import fcntl

    return int(fcntl.fcntl(made.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE))


def _refused(error: OSError, protocol: str, address: str, number: int) -> PodpyError:
    from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL, EMFILE

    place = f"{f'[{address}]' if ':' in address else address}:{number}"
    said = (error.strerror or str(error)).lower()
    message = f"rootlessport listen {protocol} {place}: bind: {said}"
    if error.errno == EADDRINUSE:
        owner = host_ports.find_owner(number, protocol)
        has = f"It is {owner}'s. " if owner else ""
        look = f"ss -lnp 'sport = :{number}'"
        return InUseError(message, hint=f"{has}Choose another host port, or look who has it: {look}")
    if error.errno == EACCES:
        start = files.read_small(_UNPRIVILEGED_START).strip() or "1024"
        setting = f"net.ipv4.ip_unprivileged_port_start={number}"
        return NetworkSetupError(
            f"rootlessport cannot expose privileged port {number}, you can add '{setting}' to /etc/sysctl.conf"
            f" (currently {start}), or choose a larger port number (>= {start}):"
            f" listen {protocol} {place}: bind: {said}",
            hint=f"sudo sysctl {setting}",
        )
    hints = {
        EADDRNOTAVAIL: "This host has no such address: ip address",
        EMFILE: "More descriptors are needed: ulimit -n",
    }
    return NetworkSetupError(message, hint=hints.get(error.errno or 0, "podpy system doctor"))


def _refused_to_root(error: OSError, protocol: str, address: str, number: int) -> PodpyError:
    from errno import EADDRINUSE

    family = "6" if ":" in address else "4"
    place = f"{'' if address in _ALL else f'[{address}]' if family == '6' else address}:{number}"
    told = _refused(error, protocol, address, number)
    said = (error.strerror or str(error)).lower()
    message = f"cannot listen on the {protocol.upper()} port: listen {protocol}{family} {place}: bind: {said}"
    return (InUseError if error.errno == EADDRINUSE else NetworkSetupError)(message, hint=told.hint)


def addresses(port: PortMapping) -> Iterator[tuple[str, int]]:
    """Yield (host address, host port) of each socket of a bound mapping; of a family that the host lacks, too."""
    for number in range(port.host_port, port.host_port + port.count):
        for address in (port.host_ip,) if port.host_ip else _ALL:
            yield address, number
