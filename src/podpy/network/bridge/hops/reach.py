"""Whether an address can be connected to from a network namespace, who listens in a container, what its files say."""

from __future__ import annotations

import os
from _struct import pack

from podpy import beneath, files, linux

_LISTENING = {"tcp": "0A", "udp": "07"}  # net/tcp_states.h; an unconnected UDP socket has TCP_CLOSE
_LIMIT = 1 << 16  # bytes of a container's file


def connect(netns: int, address: str, port: int, *, timeout: float = 3.0) -> OSError | None:
    """Connect by TCP from the network namespace of the descriptor `netns` (-1: this process's own), and hang up.

    Return None, or why it failed: TimeoutError after `timeout` seconds.
    """
    import _socket as socket

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kinds = socket.SOCK_STREAM | socket.SOCK_CLOEXEC
    try:
        made = socket.socket(fileno=linux.netns_socket(netns, family, kinds, 0)) if netns >= 0 else None
        client = made or socket.socket(family, kinds)
    except OSError as error:
        return error
    try:
        client.settimeout(timeout)
        client.connect((address, port))
    except OSError as error:
        return error
    finally:
        client.close()
    return None


def connect_to_host(netns: int, address: str) -> OSError | None:
    """Connect to a port of this host's, opened for that, by an address of the host's. Return as `connect`."""
    import _socket as socket

    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.bind(("", 0))
        listener.listen(1)
        return connect(netns, address, int(listener.getsockname()[1]))
    finally:
        listener.close()


def why(error: OSError) -> str:
    """Return an error's reason in lower case."""
    return "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()


def listeners(pid: int, protocol: str) -> dict[int, set[str]]:
    """Return the local ports that are listened on in a process's network namespace, with their addresses.

    Rule: proc_net(5), tcp. An address that stands for all is "*", one of the loopback device "lo".
    """
    found: dict[int, set[str]] = {}
    for name in (protocol, f"{protocol}6"):
        for line in files.read_small(f"/proc/{pid}/net/{name}").splitlines()[1:]:
            words = line.split()
            if len(words) > 3 and words[3] == _LISTENING.get(protocol):
                address, _, port = words[1].rpartition(":")
                found.setdefault(int(port, 16), set()).add(_kind(address))
    return found


def _kind(address: str) -> str:
    if not address.strip("0"):
        return "*"
    from _socket import AF_INET, AF_INET6, inet_ntop

    words = [int(address[start : start + 8], 16) for start in range(0, len(address), 8)]  # in the host's byte order
    shown = inet_ntop(AF_INET if len(words) == 1 else AF_INET6, pack(f"={len(words)}I", *words))
    return "lo" if shown.startswith("127.") or shown == "::1" else shown


def has_default_route(pid: int) -> bool:
    """Return whether a process's network namespace has one of either family (proc_net(5), route, ipv6_route)."""
    v4 = [line.split() for line in files.read_small(f"/proc/{pid}/net/route").splitlines()[1:]]
    if any(row[1] == row[7] == "0" * 8 for row in v4 if len(row) > 7):
        return True
    v6 = [line.split() for line in files.read_small(f"/proc/{pid}/net/ipv6_route").splitlines()]
    return any(row[:2] == ["0" * 32, "00"] and row[9] != "lo" for row in v6 if len(row) == 10)


def own_file(pid: int, path: str) -> str:
    """Return the text of a file as a container sees it, an empty text if it has none. Its links stay in it."""
    try:
        descriptor = beneath.open_in_root(f"/proc/{pid}/root", path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return os.pread(descriptor, _LIMIT, 0).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
