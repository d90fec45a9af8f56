"""Sockets that systemd has opened: a server in a container answers on them (sd_listen_fds(3))."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.support import needs, ports, wait
from tests.support.engine import Podpy
from tests.support.units import UserManager, user_manager

pytestmark = pytest.mark.xdist_group("units")  # names of units in one user's systemd
NAME = "podpy-test-activated"
# The host's Python: busybox has no server that takes a listening socket.
MOUNTS = "-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro"
SERVER = """
import os, signal, socket
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # process 1 has no default
said = " ".join(os.environ[name] for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"))
with socket.socket(fileno=3) as listening:
    while True:
        with listening.accept()[0] as client:
            client.sendall(f"{said} {os.getpid()}".encode())
"""


def answer(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=wait.PATIENCE) as client:
        return client.makefile().read()


@pytest.fixture
def manager(podpy: Podpy) -> Iterator[UserManager]:
    with user_manager(podpy) as found:
        yield found


@pytest.mark.parametrize("options", ["--network=none", "--network=none --init", "--cgroups=split --network=none", ""])
def test_a_socket_unit_starts_the_container_that_answers(busybox: str, manager: UserManager, options: str) -> None:
    port = ports.free()
    server = manager.podpy.home / "server.py"
    server.write_text(SERVER)
    run = f"{{podpy}} run --rm --replace --name {{name}} --sdnotify=conmon -d {options} {MOUNTS} -v {server}:/server.py"
    text = f"Type=notify\nNotifyAccess=all\nDelegate=yes\nExecStart={run} {{image}} /usr/bin/python3 /server.py"
    manager.write(f"{NAME}.socket", f"[Socket]\nListenStream=127.0.0.1:{port}\nFileDescriptorName=web\n")
    manager.load(NAME, text, image=busybox)
    manager.systemctl("start", f"{NAME}.socket").ok()
    assert manager.engine("ps", "-aq").ok() == ""
    pid = "2" if "--init" in options else "1"
    assert answer(port) == f"1 {pid} web {pid}"
    manager.systemctl("stop", NAME).ok()
    assert manager.engine("ps", "-aq").ok() == ""
    assert answer(port) == f"1 {pid} web {pid}", "the socket is still systemd's, and starts it again"


def test_systemd_socket_activate_does_the_same(podpy: Podpy, busybox: str) -> None:
    needs.require("systemd")
    port = ports.free()
    server = podpy.home / "server.py"
    server.write_text(SERVER)
    run = podpy.command("run", "--rm", "--name=web", "--network=none", *MOUNTS.split(), f"-v={server}:/server.py:ro")
    command = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--fdname=web", *_settings(podpy), *run]
    activating = subprocess.Popen(
        [*command, busybox, "/usr/bin/python3", "/server.py"], **podpy.user.as_popen_arguments()
    )  # type: ignore[call-overload]
    try:
        wait.until(lambda: _listens(port), what="it listens")
        assert answer(port) == "1 1 web 1"
    finally:
        podpy("rm", "-ft0", "web")
        activating.wait(wait.PATIENCE)


def _settings(podpy: Podpy) -> list[str]:
    return [f"--setenv={name}={value}" for name, value in podpy.environment().items()]


def _listens(port: int) -> bool:
    line = f" 0100007F:{port:04X} 00000000:0000 0A "
    with open("/proc/net/tcp", encoding="utf-8") as file:
        return line in file.read()
