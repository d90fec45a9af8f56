"""A podpy-forward in the lab: what is called there, and what a test holds of it."""

from __future__ import annotations

import os
import resource
import signal
import socket
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from podpy.network.bridge import forwarder, listeners
from podpy.network.bridge.forwarder import Target
from podpy.spec.container import PortMapping
from tests.network import lab as places
from tests.network.lab import Lab
from tests.support import wait

T = TypeVar("T")
TARGET = Target(
    v4=places.SERVER, v6=places.SERVER_V6, gateway_v4=places.GATEWAY, gateway_v6=places.GATEWAY_V6, keeps_clients=True
)
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


# Called in the lab: podpy's part, as the user whose namespaces these are.


def start(
    directory: str, program: str, ports: list[PortMapping], target: Target, before: list[PortMapping] | None
) -> list[PortMapping]:
    """Bind the ports and start a forwarder, as a container's start does; return what is bound."""
    Path(directory, "netns").touch()
    binding = listeners.BindPorts(ports, before)
    binding.execute()
    starter = forwarder.StartForwarder(directory, binding)
    starter.target, starter.program, starter.shared = target, program, places.namespace("shared")
    try:
        starter.execute()
    finally:
        os.close(starter.shared)
    forwarder.WaitForForwarder(starter).execute()
    return binding.bound


def publish(directory: str, ports: list[PortMapping]) -> list[PortMapping]:
    """Give a running forwarder more ports."""
    binding = listeners.BindPorts(ports)
    binding.execute()
    try:
        forwarder.publish(directory, binding.listeners)
    finally:
        binding.close()
    return binding.bound


def bind_and_close(ports: list[PortMapping]) -> list[PortMapping]:
    """Return what would be bound."""
    binding = listeners.BindPorts(ports)
    binding.execute()
    binding.close()
    return binding.bound


def ask(directory: str, messages: list[tuple[bytes, int]]) -> list[bytes]:
    """Send messages with so many descriptors each to the control socket; return the answers (empty: hung up)."""
    answers = []
    for text, count in messages:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as caller:
            caller.settimeout(wait.PATIENCE)
            folder = os.open(directory, os.O_PATH)
            caller.connect(f"/proc/self/fd/{folder}/forward.sock")
            socket.send_fds(caller, [text], [folder] * count)
            os.close(folder)
            answers.append(caller.recv(1000))
    return answers


def limit_descriptors(pid: int, soft: int) -> int:
    """Change a process's soft limit of descriptors and return what it was."""
    former, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    return former


def soft_limit(wanted: int) -> int:
    """Change the soft limit of descriptors of podpy itself and return what it was."""
    return limit_descriptors(0, wanted)


def link(path: str) -> str:
    """Return where a link leads."""
    return os.readlink(path)


# The test's side.


class Forwarder:
    """A forwarder in the lab, with a run directory of its own."""

    def __init__(self, lab: Lab, directory: Path, program: Path) -> None:
        self.lab = lab
        self.directory = directory
        self.program = program

    def start(
        self, *ports: PortMapping, target: Target = TARGET, before: list[PortMapping] | None = None
    ) -> list[PortMapping]:
        """Start it and wait until it's ready."""
        return self.lab.call("host", start, str(self.directory), str(self.program), list(ports), target, before)

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Call one of podpy's functions that take the run directory first."""
        return self.lab.call("host", function, str(self.directory), *arguments)

    @property
    def pid(self) -> int:
        """Its process."""
        return int((self.directory / "forward.pid").read_text())

    def unlink(self) -> None:
        """Tell it that the container has ended, and wait for its end."""
        pid = self.pid
        (self.directory / "netns").unlink(missing_ok=True)
        wait.for_end(pid)

    def kill(self) -> None:
        """End it without a chance."""
        os.kill(self.pid, signal.SIGKILL)
        wait.for_end(self.pid)

    def close(self) -> None:
        """End it if it runs."""
        if (self.directory / "forward.pid").exists():
            self.unlink()

    def status(self) -> dict[str, int]:
        """What it says of itself."""
        return self.call(forwarder.status)

    def serve(self, port: int, address: str = places.SERVER, kind: int = TCP) -> socket.socket:
        """Return a socket of a service in the container."""
        made = self.lab.bound("container", address, port, kind)
        if kind == TCP:
            made.listen(1000)
        return made

    def connect(self, host: str, port: int, *, source: str = "", where: str = "remote") -> socket.socket:
        """Return a client's connected TCP socket."""
        made = self.lab.bound(where, source) if source else self.lab.open_socket(where, v6=":" in host)
        made.connect((host, port))
        return made


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the end."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def wrapped(forward: Forwarder, command: str) -> None:
    """Let a shell run a command before it is the forwarder."""
    script = forward.directory.parent / f"{forward.program.name}-{uuid.uuid4().hex}"
    script.write_text(f'#!/bin/sh\n{command}\nexec {forward.program} "$@"\n')
    script.chmod(0o755)
    forward.program = script
