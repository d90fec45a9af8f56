"""A service in a container, and clients on the host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import wait
from tests.support.engine import Podpy

SERVER = Path(__file__).with_name("server.py").read_text()
LOCALHOST = "127.0.0.1"


def tcp(port: int, host: str = LOCALHOST) -> str:
    """Return what a TCP service answers."""
    with socket.create_connection((host, port), timeout=60) as client:
        parts = []
        while part := client.recv(1000):
            parts.append(part)
    return b"".join(parts).decode()


def udp(port: int, host: str = LOCALHOST) -> str:
    """Return what a UDP service answers; asks again, since a datagram may be lost."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.connect((host, port))

        def ask() -> str:
            client.send(b"?")
            try:
                return client.recv(1000).decode()
            except (TimeoutError, ConnectionRefusedError):
                return ""

        return wait.until(ask, what=f"an answer from UDP port {port}")


def host_address() -> str:
    """Return this host's own address, or skip to an empty text without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


@dataclass
class Service:
    """A running container with server.py in it."""

    podpy: Podpy
    container: str

    def port(self, inside: str) -> int:
        """Return the host port of the container's port "80/tcp"."""
        return int(self.podpy.ok("port", self.container, inside).splitlines()[0].rpartition(":")[2])


@pytest.fixture
def serve(podpy: Podpy, busybox: str) -> Iterator[Callable[..., Service]]:
    """Start a service: serve("tcp:80", "udp:53", options=[...])."""
    followers: list[subprocess.Popen[bytes]] = []

    def start(*ports: str, options: list[str]) -> Service:
        # The image has no program that answers datagrams: Python comes from the host, read-only.
        command = ["chroot", "/host", os.path.realpath(sys.executable), "-c", SERVER, *ports]
        container = podpy.ok("run", "-d", "-v", "/:/host:ro", *options, busybox, *command)
        follower = podpy.popen("logs", "--follow", container, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        followers.append(follower)
        assert follower.stdout is not None
        wait.for_text(follower.stdout, b"ready")
        return Service(podpy, container)

    yield start
    for follower in followers:
        follower.kill()
        follower.wait()
        assert follower.stdout is not None
        follower.stdout.close()
