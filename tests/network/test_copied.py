"""Containers with the host's address, copied by pasta as Podman's are, and options of pasta."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.network.conftest import Service, host_address, tcp
from tests.support import pastas, ports, wait
from tests.support.engine import Podpy

SHOW = "cat /etc/hosts /etc/resolv.conf; ip -4 -o addr; ip route"


@pytest.fixture(autouse=True)
def new_pasta(podpy: Podpy) -> None:
    podpy.path = pastas.path(podpy.path)


@pytest.mark.parametrize("network", [[], ["--network=pasta"], ["--network=private"]])
def test_files_and_addresses_are_as_podmans(podpy: Podpy, busybox: str, network: list[str]) -> None:
    own = host_address()
    text = podpy.ok("run", "--rm", "--name=web", "--hostname=www", *network, busybox, "sh", "-c", SHOW)
    if not own:  # a host without a network: test_connect.py
        return
    lines = text.splitlines()
    for line in ("169.254.1.2\thost.containers.internal host.docker.internal", f"{own}\twww web"):
        assert line in lines, text
    servers = [line for line in lines if line.startswith("nameserver")]
    assert servers[0] == "nameserver 169.254.1.1", text
    assert f"inet {own}/" in text
    assert "default via" in text and "10.0.2." not in text


def test_fixed_addresses_by_option_and_by_containers_conf(podpy: Podpy, busybox: str) -> None:
    fixed = ("10.0.2.100\twww c", "nameserver 10.0.2.3", "inet 10.0.2.100/24", "default via 10.0.2.2")
    text = podpy.ok("run", "--rm", "--name=c", "--hostname=www", "--network=pasta:fixed", busybox, "sh", "-c", SHOW)
    assert [each for each in fixed if each not in text] == []
    conf = podpy.home / "containers.conf"
    conf.write_text('[network]\npasta_options = ["fixed"]\n')
    conf.chmod(0o644)
    env = {"CONTAINERS_CONF_OVERRIDE": str(conf)}
    text = podpy.ok("run", "--rm", "--name=c", "--hostname=www", busybox, "sh", "-c", SHOW, env=env)
    assert [each for each in fixed if each not in text] == []


def test_the_hosts_own_connections_are_seen_as_the_containers_or_as_the_hosts(serve: Callable[..., Service]) -> None:
    port, own = ports.free(), host_address()
    serve("tcp:80", options=["-p", f"{port}:80"])
    if own:
        assert tcp(port) == f"tcp 80 from ::ffff:{own}", "the container's own address is the host's"
        assert tcp(port, own) == "tcp 80 from ::ffff:169.254.1.2"


def test_the_pid_file_of_the_users_is_written_and_pasta_ends(podpy: Podpy, busybox: str) -> None:
    mine = podpy.home / ".local/pasta"
    container = podpy.ok("run", "-d", f"--network=pasta:--pid,{mine}", busybox, "sleep", "1000")
    ours = podpy.runroot / "containers" / container / "pasta.pid"
    assert mine.read_text() == ours.read_text()
    pid = mine.read_text().strip()
    assert str(ours.parent / "netns") in Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    podpy.ok("rm", "-f", "-t", "0", container)
    wait.for_end(int(pid))


def test_a_reload_mends_a_killed_pasta_and_says_who_has_its_port(serve: Callable[..., Service], podpy: Podpy) -> None:
    port = ports.free()
    container = serve("tcp:80", options=["-p", f"{port}:80"]).container
    pid = int((podpy.runroot / "containers" / container / "pasta.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait.for_end(pid)
    with socket.create_server(("0.0.0.0", port)):
        podpy("network", "reload", container).fails(125, f"{port}/tcp: address already in use")
    assert podpy.ok("network", "reload", container) == container
    assert tcp(port).startswith("tcp 80 from")


def test_an_option_that_pasta_doesnt_know_is_told_by_pasta(podpy: Podpy, busybox: str) -> None:
    podpy("run", "--rm", "--network=pasta:--nosuch", busybox, "true").fails(126, "unrecognized option '--nosuch'")
    podpy("run", "--rm", "--network=pasta:-a,nonsense", busybox, "true").fails(126, "nonsense")
