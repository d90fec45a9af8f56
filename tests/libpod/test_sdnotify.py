"""`--sdnotify`: what systemd hears of a container in a unit with Type=notify."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from tests.support import wait
from tests.support.engine import Podpy


class Manager:
    """Listens where systemd would."""

    def __init__(self, podpy: Podpy) -> None:
        self.path = podpy.home / "notify"
        self.env = {"NOTIFY_SOCKET": str(self.path)}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self.path.chmod(0o777)
        self._socket.settimeout(wait.PATIENCE)

    def hears(self) -> str:
        """Return the next message."""
        return self._socket.recv(4096).decode()

    def hears_nothing(self) -> bool:
        """Return whether no message is there."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(4096)
        except BlockingIOError:
            return True
        return False

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def manager(podpy: Podpy) -> Iterator[Manager]:
    listening = Manager(podpy)
    yield listening
    listening.close()


SHOW = "echo $NOTIFY_SOCKET; test -S $NOTIFY_SOCKET && echo there; sleep 1000"


def test_the_container_says_when_it_is_ready(podpy: Podpy, busybox: str, manager: Manager) -> None:
    container = podpy.ok("run", "-d", busybox, "sh", "-c", SHOW, env=manager.env)
    conmon = (podpy.runroot / "containers" / container / "conmon.pid").read_text()
    assert manager.hears() == f"MAINPID={conmon}"
    wait.until(lambda: podpy.ok("logs", container) == "/run/notify/notify.sock\nthere", what="the socket is there")
    directory = os.open(podpy.runroot / "containers" / container / "bundle/notify", os.O_PATH)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inside:
        inside.connect(f"/proc/self/fd/{directory}/notify.sock")  # the whole path is too long for an address
        inside.send(b"READY=1")
    os.close(directory)
    assert manager.hears() == "READY=1"
    podpy.ok("restart", "--time", "0", container, env=manager.env)
    assert manager.hears().startswith("MAINPID=")


def test_any_user_of_the_container_finds_the_socket_and_can_write_nothing_beside_it(
    podpy: Podpy, busybox: str, manager: Manager
) -> None:
    options = ("--user=1000", "--network=none")
    assert podpy.ok("run", "--rm", *options, busybox, "ls", "/run/notify", env=manager.env) == "notify.sock"
    podpy("run", "--rm", "--network=none", busybox, "touch", "/run/notify/file", env=manager.env).fails(1, "Read-only")


def test_podpy_says_it_when_the_container_has_started(podpy: Podpy, busybox: str, manager: Manager) -> None:
    command = ("run", "-d", "--sdnotify=conmon", busybox, "sh", "-c", "echo none: $NOTIFY_SOCKET; sleep 1000")
    container = podpy.ok(*command, env=manager.env)
    conmon = (podpy.runroot / "containers" / container / "conmon.pid").read_text()
    assert manager.hears() == f"MAINPID={conmon}\nREADY=1"
    wait.until(lambda: podpy.ok("logs", container) == "none:", what="it has no socket")
    assert podpy.json("inspect", container)[0]["Config"]["sdNotifyMode"] == "conmon"


def test_nobody_says_anything(podpy: Podpy, busybox: str, manager: Manager) -> None:
    podpy.ok("run", "-d", "--sdnotify=ignore", busybox, "sleep", "1000", env=manager.env)
    assert manager.hears_nothing()


def test_a_socket_that_nobody_listens_on_disturbs_nothing(podpy: Podpy, busybox: str) -> None:
    env = {"NOTIFY_SOCKET": os.fspath(podpy.home / "nobody")}
    assert podpy.ok("run", "--rm", busybox, "echo", "runs", env=env) == "runs"
