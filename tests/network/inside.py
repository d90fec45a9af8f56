"""What code that runs in the user's namespaces needs: containers' namespaces, connections between them, tools in them.

Nothing here joins a namespace for good: sockets are made in it, and tools are run in it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from typing import Any

from podpy import linux
from podpy.errors import PodpyError


def container(directory: str, name: str) -> int:
    """Return a descriptor of a new network namespace, as a container gets it."""
    path = os.path.join(directory, name)
    linux.make_netns(path, neighbours=True, open_to_all=True)
    return os.open(path, os.O_RDONLY)


def tool(netns: int, *command: str) -> Any:
    """Run a tool in a network namespace and return its answer; it is JSON."""
    done = subprocess.run(
        ["nsenter", f"--net=/proc/self/fd/{netns}", *command], pass_fds=[netns], capture_output=True, check=True
    )
    return json.loads(done.stdout or "[]")


def _socket(netns: int, address: str, kind: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(fileno=linux.netns_socket(netns, family, kind, 0))
    made.settimeout(30)
    return made


def listen(netns: int, address: str, port: int = 80) -> socket.socket:
    """Return a listening socket in a network namespace."""
    server = _socket(netns, address, socket.SOCK_STREAM)
    server.bind((address, port))
    server.listen()
    return server


def connect(netns: int, address: str, port: int = 80) -> str:
    """Connect from a network namespace; return the address that the connection has there, or the error's name."""
    with _socket(netns, address, socket.SOCK_STREAM) as client:
        try:
            client.connect((address, port))
        except OSError as error:
            return type(error).__name__ if error.errno is None else os.strerror(error.errno)
        return str(client.getsockname()[0])


def fails(call: Callable[[], object]) -> str:
    """Return the error of a call that must fail."""
    try:
        call()
    except (OSError, PodpyError) as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("it succeeded")


def pings(netns: int, address: str) -> bool:
    """Return whether an address answers an echo request from a network namespace (icmp(7): a socket of its own)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    asks = socket.socket(fileno=linux.netns_socket(netns, family, socket.SOCK_DGRAM, protocol))
    with asks:
        asks.settimeout(30)
        try:
            asks.connect((address, 0))
            asks.send(bytes([128 if family == socket.AF_INET6 else 8]) + bytes(7))
            return bool(asks.recv(100))
        except (ConnectionRefusedError, PermissionError):
            return False


def spoof(netns: int, source: tuple[str, int], target: tuple[str, int], text: bytes) -> None:
    """Send a UDP datagram with a sender of one's own choice from a network namespace: it needs CAP_NET_RAW."""
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    packed = [socket.inet_pton(family, address) for address, _ in (source, target)]
    datagram = struct.pack(">HHHH", source[1], target[1], 8 + len(text), 0) + text
    if family == socket.AF_INET:
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0)
    else:
        pseudo = b"".join([*packed, struct.pack(">II", len(datagram), 17), datagram, bytes(len(datagram) % 2)])
        total = sum(struct.unpack(f">{len(pseudo) // 2}H", pseudo))
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        datagram = datagram[:6] + struct.pack(">H", checksum) + datagram[8:]
        header = struct.pack(">IHBB", 6 << 28, len(datagram), 17, 64)
    with socket.socket(fileno=linux.netns_socket(netns, family, socket.SOCK_RAW, socket.IPPROTO_RAW)) as raw:
        raw.sendto(header + b"".join(packed) + datagram, (target[0], 0))
