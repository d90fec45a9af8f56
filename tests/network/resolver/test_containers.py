"""podpy's containers and the resolver: it is there while they are, and comes back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.network.user_networks import define
from tests.support import wait
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")


def resolver_of(podpy: Podpy) -> int:
    """Return the pid of the user's resolver."""
    return int((podpy.runroot / "networks/resolver.pid").read_text().split()[1])


def test_a_killed_resolver_comes_back_with_the_next_container(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    podpy.ok("run", "-d", "--name=web", "--network", net, busybox, *SLEEP)
    first = resolver_of(podpy)
    os.kill(first, signal.SIGKILL)
    wait.for_end(first)
    podpy.ok("run", "-d", "--name=db", "--network", net, busybox, *SLEEP)
    assert resolver_of(podpy) != first
    for asker, name, address in (("web", "db", "10.89.0.3"), ("db", "web", "10.89.0.2")):
        assert f"Address: {address}" in podpy.ok("exec", asker, "nslookup", f"{name}.dns.podman")


def test_it_ends_with_the_last_container_and_keeps_no_mounts_of_the_first(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    podpy.ok("run", "-d", "--name=one", "--network", net, busybox, *SLEEP)
    pid = resolver_of(podpy)
    assert os.fspath(podpy.runroot) not in Path(f"/proc/{pid}/mountinfo").read_text()
    podpy.ok("run", "-d", "--name=two", "--network", net, busybox, *SLEEP)
    assert resolver_of(podpy) == pid
    podpy.ok("rm", "-f", "-t0", "one", "two")
    wait.for_end(pid)


def test_containers_that_come_and_go_at_once_are_all_known(podpy: Podpy, busybox: str) -> None:
    nets = [define(podpy, f"net{number}") for number in range(3)]
    options = [word for net in nets for word in ("--network", net)]
    podpy.ok("run", "-d", "--name=all", *options, busybox, *SLEEP)
    starts = [
        podpy.popen("run", "-d", f"--name=c{number}", "--network", nets[number % 3], busybox, *SLEEP)
        for number in range(6)
    ]
    for start in starts:
        assert start.wait() == 0
    for number in range(6):
        assert "Address: 10.89." in podpy.ok("exec", "all", "nslookup", f"c{number}.dns.podman")
    podpy.ok("rm", "-f", "-t0", "c0", "c3")
    for number in range(6):
        said = podpy("exec", "all", "nslookup", f"c{number}.dns.podman").stdout
        assert ("NXDOMAIN" in said) == (number in (0, 3)), said
