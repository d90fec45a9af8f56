"""Published ports: which host ports are free.

An ephemeral host port is found by binding port 0 and giving the number to pasta a moment later. Somebody else can take
it in between; then pasta says so, and another one is tried (podpy.network.private.pasta).

What `-p` means: podpy.spec.text.ports. Rule: podman-run(1), --publish.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import InUseError, NetworkSetupError
from podpy.spec.container import PortMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_SOCKETS = 64 << 20  # bytes that tell of a host's sockets
_UNPRIVILEGED_START = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
_MOST_TRIES = 50


def exposed(texts: list[str]) -> list[PortMapping]:
    """Return mappings to ephemeral host ports for EXPOSEd ports ("80", "80/tcp", "90-95/udp"), for `-P`."""
    from podpy.spec.text.ports import parse_publish

    return [port for text in texts for port in parse_publish(text)]


def wanted(ports: list[PortMapping], publish_all: bool, expose: list[str]) -> list[PortMapping]:
    """Return what is to be published: `-p`, and with `-P` the exposed ports that no `-p` names."""
    if not publish_all:
        return list(ports)
    named = {(port.container_port + i, port.protocol) for port in ports for i in range(port.count)}
    return [*ports, *(port for port in exposed(expose) if (port.container_port, port.protocol) not in named)]


def resolve(ports: list[PortMapping], before: list[PortMapping] | None = None) -> list[PortMapping]:
    """Return the mappings with every host port chosen, after trying to bind each.

    `before` are the ports of the last start: an ephemeral port stays the same as long as it is free.
    Raises InUseError for a port that is taken, NetworkSetupError for one that may not be bound.
    """
    refuse_twice(ports)
    old = {(p.container_port, p.protocol, p.host_ip): p.host_port for p in before or [] if p.count == 1}
    taken: set[tuple[str, int]] = set()
    found = [_fixed(port, taken) if port.host_port else port for port in ports]
    return [port if port.host_port else _ephemeral(port, old, taken) for port in found]


def refuse_twice(ports: list[PortMapping]) -> None:
    """Raise UsageError for a host port that is asked for twice."""
    seen: set[tuple[str, str, int]] = set()
    for port in ports:
        for number in range(port.host_port, port.host_port + port.count) if port.host_port else ():
            places = {(port.protocol, port.host_ip, number), (port.protocol, "", number)}
            if places & seen or (not port.host_ip and any(p == port.protocol and n == number for p, _, n in seen)):
                raise InUseError(f"-p: host port {number}/{port.protocol} is published twice")
            seen.add((port.protocol, port.host_ip, number))


def _fixed(port: PortMapping, taken: set[tuple[str, int]]) -> PortMapping:
    for number in range(port.host_port, port.host_port + port.count):
        _try(port, number)
        taken.add((port.protocol, number))
    return port


def _ephemeral(port: PortMapping, old: dict[tuple[int, str, str], int], taken: set[tuple[str, int]]) -> PortMapping:
    last = old.get((port.container_port, port.protocol, port.host_ip), 0)
    for attempt in range(_MOST_TRIES):
        number = last if attempt == 0 and last else _bind(port, 0)
        if (port.protocol, number) in taken:
            continue
        try:
            _try(port, number)
        except (InUseError, NetworkSetupError):
            continue
        taken.add((port.protocol, number))
        return port.replace(host_port=number)
    raise InUseError(f"no free host port was found for container port {port.container_port}/{port.protocol}")


def held_by_others(bound: list[PortMapping], pid_file: str) -> InUseError | None:
    """Return the error for the first of these ports that another process than the helper has, where that has none.

    The ports are on all addresses: of IPv4, of IPv6, or (no address) of both, where IPv4 counts. The helper is ready.
    """
    own: set[str] | None = None
    for port in bound:
        for number in range(port.host_port, port.host_port + port.count):
            found = _inodes(number, port.protocol, "6" if ":" in port.host_ip else "")
            if not found:
                continue  # one socket for both kinds is IPv6's; nobody else can have IPv4's then
            own = _sockets(files.read_small(pid_file).strip()) if own is None else own
            if own and not found & own:
                return _in_use(port, number, f"{port.host_ip or '0.0.0.0'}:{number}/{port.protocol}")
    return None


def _sockets(pid: str) -> set[str]:
    """Return the names of a process's sockets, as in /proc/PID/fd; none if this user may not see them."""
    try:
        return {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    except OSError:
        return set()


def _bind(port: PortMapping, number: int) -> int:
    """Bind and let go of a host port; return its number. Raises OSError."""
    import _socket as socket

    address = port.host_ip or "0.0.0.0"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if port.protocol == "tcp" else socket.SOCK_DGRAM
    probe = socket.socket(family, kind | socket.SOCK_CLOEXEC, 0)
    try:
        if port.protocol == "tcp":  # as pasta does: connections in TIME_WAIT don't hinder
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, number))
        return int(probe.getsockname()[1])
    finally:
        probe.close()


def _try(port: PortMapping, number: int) -> None:
    from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL

    shown = f"{port.host_ip or '0.0.0.0'}:{number}/{port.protocol}"
    reasons: dict[int, Callable[[], Exception]] = {
        EADDRINUSE: lambda: _in_use(port, number, shown),
        EACCES: lambda: _privileged(number, shown),
        EADDRNOTAVAIL: lambda: NetworkSetupError(
            f"can't publish {shown}: this host has no address {port.host_ip}", hint="ip address"
        ),
    }
    try:
        _bind(port, number)
        if port.protocol == "tcp":
            _refuse_listener(port, number, shown)
    except OSError as error:
        if error.errno in reasons:
            raise reasons[error.errno]() from None
        raise NetworkSetupError(f"can't publish {shown}: {error.strerror}") from error


def _refuse_listener(port: PortMapping, number: int, shown: str) -> None:
    # bind(2) with SO_REUSEADDR on [::]:N succeeds beside a listener on 0.0.0.0:N, listen(2) doesn't; so look at it.
    import _socket as socket
    from errno import EADDRINUSE

    address = port.host_ip or "0.0.0.0"
    probe = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 0)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, number))
        probe.listen(1)
    except OSError as error:
        if error.errno == EADDRINUSE:
            raise _in_use(port, number, shown) from None
        raise
    finally:
        probe.close()


def _privileged(number: int, shown: str) -> NetworkSetupError:
    start = files.read_small(_UNPRIVILEGED_START).strip() or "1024"
    return NetworkSetupError(
        f"can't publish {shown}: ports below {start} need a privilege",
        hint=f"sudo sysctl net.ipv4.ip_unprivileged_port_start={number} "
        f"(to keep it: echo net.ipv4.ip_unprivileged_port_start={number} | sudo tee /etc/sysctl.d/podpy.conf)",
    )


def _in_use(port: PortMapping, number: int, shown: str) -> InUseError:
    owner = find_owner(number, port.protocol)
    by = f" by {owner}" if owner else ""
    return InUseError(
        f"can't publish {shown}: address already in use{by}",
        hint=f"Choose another host port, or look who has it: ss -lnp 'sport = :{number}'",
    )


def find_owner(number: int, protocol: str) -> str:
    """Return "pid 812 (nginx)" for the process that has a host port open, as far as this user may see; else ""."""
    inodes = _inodes(number, protocol, "") | _inodes(number, protocol, "6")
    if not inodes:
        return ""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                if os.readlink(f"/proc/{pid}/fd/{descriptor}") in inodes:
                    return f"pid {pid} ({files.read(f'/proc/{pid}/comm').strip()})"
        except OSError:
            continue
    return ""


def _inodes(number: int, protocol: str, kind: str) -> set[str]:
    """Return the names, as in /proc/PID/fd, of sockets bound to a port (proc_net(5): 0A is LISTEN, 07 unconnected).

    `kind`: "" for IPv4, "6" for IPv6.
    """
    state = "0A" if protocol == "tcp" else "07"
    lines = files.read_small(f"/proc/net/{protocol}{kind}", _MOST_SOCKETS).splitlines()
    rows = [line.split() for line in lines[1:]]
    return {f"socket:[{row[9]}]" for row in rows if row[3] == state and int(row[1][-4:], 16) == number}
