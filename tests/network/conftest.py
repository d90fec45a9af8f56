"""A service in a container, and clients on the host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.network.forwarding import Forwarder
from tests.network.lab import Lab
from tests.support import wait
from tests.support.engine import CHECKOUT, Podpy
from tests.support.users import User

SERVER = Path(__file__).with_name("server.py").read_text()
LOCALHOST = "127.0.0.1"
FORWARD_SOURCES = CHECKOUT / "src/conmon_c/forward"
FORWARD_BUILDS = {
    "plain": ["-O2", "-static"],
    "impatient": ["-O2", "-static", "-DIDLE_MS=300", "-DCONNECT_MS=300"],
    "pipeless": ["-O2", "-static", "-DMOST_PIPES=0"],
    "sanitized": ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"],
}


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


@pytest.fixture(scope="session")
def build_forward(session_base: Path) -> Callable[[str], Path]:
    """Return the podpy-forward of a kind, made when it is first asked for, with all warnings as errors."""
    directory = session_base / "forward"
    directory.mkdir()
    folders = (FORWARD_SOURCES, FORWARD_SOURCES.parent / "common")
    sources = sorted(str(path) for folder in folders for path in folder.glob("*.c"))

    def build(kind: str) -> Path:
        target = directory / kind
        if not target.exists():
            flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", *FORWARD_BUILDS[kind]]
            subprocess.run(["cc", *flags, "-o", str(target), *sources], check=True)
        return target

    return build


@pytest.fixture(params=["plain", "sanitized"])
def program(request: pytest.FixtureRequest, build_forward: Callable[[str], Path]) -> Path:
    """Each build of podpy-forward."""
    return build_forward(str(request.param))


@pytest.fixture
def lab(user: User) -> Iterator[Lab]:
    """Network namespaces of the test's own."""
    with Lab(user.as_popen_arguments()) as made:
        yield made


@pytest.fixture
def directory(engine_base: Path, user: User) -> Path:
    """A container's run directory: its path is too long for a socket's address."""
    made = engine_base / "run/containers" / (uuid.uuid4().hex * 2)
    made.mkdir(parents=True, mode=0o700)
    os.chown(made, user.uid, user.gid)
    return made


@pytest.fixture
def forward(lab: Lab, directory: Path, program: Path) -> Iterator[Forwarder]:
    """A podpy-forward that isn't started yet."""
    made = Forwarder(lab, directory, program)
    yield made
    made.close()
