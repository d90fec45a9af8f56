"""kill -9 of podpy at each step of a container's user networks: the next call leaves no row, address or namespace."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess

import pytest

from tests.faults.repaired import KILLED, assert_repaired
from tests.network.user_networks import ask, clean, define, serve
from tests.support import ports, processes, wait
from tests.support.engine import Podpy

MOMENTS = (
    "BindPorts:after",
    "GiveAddresses:after",
    "HoldNetns:after",
    "OpenNamespace:after",
    "PlugIn:after",
    "TellNames:after",
    "StartForwarding:after",
    "StartConmon:after",
    "WaitForWayOut:after",
    "WaitForResolver:after",
    "WaitForForwarder:after",
    "WaitForStart:after",
    "RemoveContainerLayer:before",
    "RemoveContainerLayer:after",
)
TABLES = ("network_attachments", "network_addresses")


def rows(podpy: Podpy) -> list[tuple[str, ...]]:
    """Return what the database says about who is on which network."""
    database = sqlite3.connect(podpy.graphroot / "podpy.sqlite")
    try:
        return [row for table in TABLES for row in database.execute(f"SELECT * FROM {table}")]
    finally:
        database.close()


@pytest.mark.parametrize("moment", MOMENTS)
def test_podpy_is_killed_while_it_starts_a_container(podpy: Podpy, busybox: str, moment: str) -> None:
    net, other = define(podpy, "net"), define(podpy, "other")
    port = ports.free()
    command = ["run", "--rm", "--network", net, "--network", other, f"-p={port}:80", busybox, "sleep", "0.1"]
    result = podpy(*command, env={"PODPY_CRASH_AT": moment})
    assert result.returncode == KILLED, result.describe()
    assert_repaired(podpy, busybox)
    assert rows(podpy) == [] and clean(podpy)
    socket.create_server(("127.0.0.1", port)).close()


def test_a_neighbour_lives_on(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    podpy.ok("run", "-d", "--name=c", "--network", net, busybox, "sleep", "1000")
    for operation in ("GiveAddresses", "PlugIn", "TellNames", "WaitForStart"):
        podpy("run", "--rm", "--network", net, busybox, "true", env={"PODPY_CRASH_AT": f"{operation}:after"})
    podpy.ok("run", "--rm", "--network", net, busybox, "nslookup", "c")
    assert len([row for row in rows(podpy) if row[1] == "net"]) == 1
    podpy.ok("rm", "-f", "-t0", "c")
    assert rows(podpy) == [] and clean(podpy)


@pytest.mark.parametrize(
    "action, moment",
    [
        ("connect", "PlugRunning:before"),
        ("connect", "PlugRunning:after"),
        ("connect", "JoinNames:after"),
        ("disconnect", "LeaveNames:before"),
        ("disconnect", "LeaveNames:after"),
        ("disconnect", "Unplug:after"),
    ],
)
def test_podpy_is_killed_while_it_changes_a_running_container(
    podpy: Podpy, busybox: str, action: str, moment: str
) -> None:
    """A connection that wasn't committed is taken back; a disconnection that was is finished."""
    define(podpy, "net"), define(podpy, "other")
    more = [] if action == "connect" else ["--network=other"]
    podpy.ok("run", "-d", "--name=c", "--network=net", *more, busybox, "sleep", "1000")
    result = podpy("network", action, "other", "c", env={"PODPY_CRASH_AT": moment})
    assert result.returncode == KILLED, result.describe()
    podpy.ok("run", "--rm", "--network=none", busybox, "true")
    assert [row[1] for row in rows(podpy) if row[1] == "other"] == []
    assert "eth1" not in podpy.ok("exec", "c", "ip", "-o", "link")
    assert "10.89.1." not in podpy.ok("exec", "c", "grep", "-v", "^#", "/etc/hosts", "/etc/resolv.conf")
    podpy.ok("network", "connect", "other", "c")
    assert "eth1" in podpy.ok("exec", "c", "ip", "-o", "link")
    podpy.ok("rm", "-f", "-t0", "c")
    assert_repaired(podpy, busybox)
    assert rows(podpy) == [] and clean(podpy)


@pytest.mark.parametrize("victim", ["conmon", "pasta", "resolver", "forwarder"])
def test_a_helper_of_the_networks_is_killed(podpy: Podpy, busybox: str, victim: str) -> None:
    """The next container finds all that is there, and what has died starts again."""
    net = define(podpy, "net")
    port = ports.free()
    container = podpy.ok("run", "-d", "--name=c", "--network", net, f"-p={port}:80", busybox, "sleep", "1000")
    serve(podpy, "c")
    directory = podpy.runroot / "containers" / container
    if victim == "resolver":
        found = processes.mentioning([podpy.runroot / "networks"], podpy.marker)
        pid = next(pid for pid in found if "podpy-resolver" in processes.describe(pid))
    else:
        files = {"conmon": directory / "conmon.pid", "forwarder": directory / "forward.pid"}
        pid = int(files.get(victim, podpy.runroot / "networks/pasta.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait.for_end(pid)
    podpy.ok("run", "-d", "--name=d", "--network", net, busybox, "sleep", "1000")
    assert ask(podpy, "d", "c") == container[:12]
    podpy.ok("network", "reload", "c")
    with socket.create_connection(("127.0.0.1", port), timeout=wait.PATIENCE) as client:
        assert client.makefile().read().strip() == container[:12]
    podpy("rm", "-f", "-t0", "c", "d")
    assert_repaired(podpy, busybox)
    assert rows(podpy) == [] and clean(podpy)


def test_a_reboot_gives_all_addresses_back(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    podpy.ok("run", "-d", "--name=c", "--network", f"{net}:ip=10.89.0.7", busybox, "sleep", "1000")
    podpy.kill_rest()
    subprocess.run(["rm", "-rf", podpy.runroot], check=True)
    assert podpy.ok("ps", "--all", "--format", "{{.State}}") == "exited"
    assert rows(podpy) == []
    podpy.ok("start", "c")
    assert "10.89.0.7" in podpy.ok("exec", "c", "hostname", "-i")
