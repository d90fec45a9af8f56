"""What containers notice when the host's network changes, with copied and with fixed addresses."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from tests.network.conftest import SERVER
from tests.network.moving_host import NAME_SERVERS, NAMES, PORT, MovingHost, moving_host
from tests.support import needs, pastas, wait
from tests.support.engine import Podpy

ADDRESSES = pytest.mark.parametrize("network", ["pasta", "pasta:fixed"])


@pytest.fixture
def host(podpy: Podpy, busybox: str) -> Iterator[MovingHost]:
    needs.require("mount")
    podpy.path = pastas.path(podpy.path)
    with moving_host(podpy) as made:
        made.name_server(NAME_SERVERS[0])
        yield made


def started(host: MovingHost, busybox: str, *options: str) -> str:
    return host.podpy("run", "-d", *options, busybox, "sleep", "1000").ok()


def serve(host: MovingHost, container: str) -> None:
    """Start server.py in a container that has the host's files at /host."""
    command = ["chroot", "/host", os.path.realpath(sys.executable), "-c", SERVER, "tcp:80"]
    host.podpy("exec", "-d", container, *command).ok()
    inside(host, container, "until netstat -ltn | grep -q :80; do sleep 0.1; done")


def inside(host: MovingHost, container: str, script: str) -> str:
    return host.podpy("exec", container, "sh", "-c", script).ok()


@ADDRESSES
def test_another_uplink_is_used_as_soon_as_it_has_the_route(host: MovingHost, busybox: str, network: str) -> None:
    host.route(0)
    container = started(host, busybox, "--network", network)
    assert host.asked(container) == "10.1.0.2"
    host.route(1)
    host.ip("link set up0 down")
    assert host.asked(container) == "10.2.0.2"
    host.ip("route del default")
    assert host.asked(container) == ""
    host.route(1)
    assert host.asked(container) == "10.2.0.2"


def test_a_container_that_starts_without_a_network_has_one_later(host: MovingHost, busybox: str) -> None:
    container = started(host, busybox, "--network=pasta")
    assert "inet 10.0.2.100/24" in inside(host, container, "ip addr show dev eth0")
    assert host.asked(container) == ""
    host.route(0)
    assert host.asked(container) == "10.1.0.2"
    assert host.resolved(container) == NAME_SERVERS[0]
    assert host.podpy("network", "reload", container).ok() == container
    assert "inet 10.1.0.2/24" in inside(host, container, "ip addr show dev up0"), "it is copied now"
    assert host.asked(container) == "10.1.0.2"


def test_a_new_address_of_the_host_is_used_and_known_after_a_reload(host: MovingHost, busybox: str) -> None:
    host.route(0)
    options = ["--name=c", "--network=pasta", "-p", "18080:80", "-v", "/:/host:ro"]
    container = started(host, busybox, *options)
    serve(host, container)
    assert host.client("10.1.0.2", 18080) == "tcp 80 from ::ffff:10.1.0.1"
    host.serve(SERVER, f"tcp:{PORT}", host=True)
    assert host.asked(container, "host.containers.internal") == "10.1.0.2"
    host.ip("addr flush dev up0")
    host.ip("addr add 10.1.0.9/24 dev up0")
    host.route(0)
    assert host.asked(container) == "10.1.0.9"
    assert host.client("10.1.0.9", 18080) == "tcp 80 from ::ffff:10.1.0.1"
    assert host.asked(container, "host.containers.internal") == "", "it is where the host was"
    inside(host, container, "echo 192.0.2.99 mine >> /etc/hosts")
    assert host.podpy("network", "reload", container).ok() == container
    assert host.asked(container) == "10.1.0.9"
    assert host.asked(container, "host.containers.internal") == "10.1.0.9"
    assert host.client("10.1.0.9", 18080) == "tcp 80 from ::ffff:10.1.0.1"
    assert f"10.1.0.9\t{container[:12]} c" in inside(host, container, "cat /etc/hosts")
    assert "10.1.0.2" not in inside(host, container, "cat /etc/hosts")
    assert "192.0.2.99 mine" in inside(host, container, "cat /etc/hosts")
    assert host.podpy("port", "c").ok() == "80/tcp -> 0.0.0.0:18080"
    host.podpy("stop", "-t", "0", "c").ok()
    assert host.podpy("network", "reload", "c").returncode == 125


@ADDRESSES
def test_another_name_server_is_asked_after_a_reload(host: MovingHost, busybox: str, network: str) -> None:
    host.route(0)
    container = started(host, busybox, "--network", network)
    assert host.resolved(container) == NAME_SERVERS[0]
    host.name_server(NAME_SERVERS[1])
    assert host.podpy("network", "reload", container).ok() == container
    assert host.resolved(container) == NAME_SERVERS[1]
    assert f"nameserver {NAME_SERVERS[1]}" in inside(host, container, "cat /etc/resolv.conf")
    assert NAME_SERVERS[0] not in inside(host, container, "cat /etc/resolv.conf")


def test_a_resolver_on_the_hosts_loopback_device_is_asked(host: MovingHost, busybox: str) -> None:
    """systemd-resolved follows the host's changes, and so does the container then."""
    host.route(0)
    host.serve(NAMES, "127.0.0.53", host=True)
    host.name_server("127.0.0.53")
    container = started(host, busybox, "--network=pasta")
    assert host.resolved(container) == "127.0.0.53"


def test_ipv6_that_appears_is_there_after_a_reload(host: MovingHost, busybox: str) -> None:
    needs.require("ipv6")
    host.route(0)
    container = started(host, busybox, "--network=pasta")
    host.ip("-6 addr add 2001:db8:1::2/64 dev up0 nodad")
    host.ip("-6 route add default via 2001:db8:1::1 dev up0")
    assert "2001:db8" not in inside(host, container, "ip addr")
    assert host.podpy("network", "reload", container).ok() == container
    assert "2001:db8:1::2/64" in inside(host, container, "ip addr show dev up0")


ECHO = """
import socket, sys
client = socket.create_connection((sys.argv[1], int(sys.argv[2])), 60)
print("ready", flush=True)
for line in sys.stdin.buffer:
    client.sendall(line)
    rest = len(line)
    while rest:
        rest -= len(client.recv(rest))
    print("echo", flush=True)
"""


def test_a_connection_outlives_a_suspend_and_a_smaller_mtu(host: MovingHost, podpy: Podpy, busybox: str) -> None:
    host.route(0)
    container = started(host, busybox, "--network=pasta", "-p", "18080:80")
    host.podpy("exec", "-d", container, "nc", "-ll", "-p", "80", "-e", "cat").ok()
    inside(host, container, "until netstat -ltn | grep -q :80; do sleep 0.1; done")
    client = host.serve(ECHO, "10.1.0.2", "18080")
    assert client.stdin is not None and client.stdout is not None
    pasta = int((podpy.runroot / "containers" / container / "pasta.pid").read_text())
    for step in ("first", "suspend", "mtu"):
        if step == "suspend":
            os.kill(pasta, signal.SIGSTOP)
        if step == "mtu":
            host.ip("link set up0 mtu 1280")
            host.remote("ip", "link", "set", "up0", "mtu", "1280")
        client.stdin.write(b"x" * 100_000 + b"\n")
        client.stdin.flush()
        if step == "suspend":
            os.kill(pasta, signal.SIGCONT)
        wait.for_text(client.stdout, b"echo\n")
    assert host.asked(container) == "10.1.0.2"


def test_slirp4netns_follows_the_hosts_name_server(host: MovingHost, busybox: str) -> None:
    host.route(0)
    options = ["--network=slirp4netns", "-p", "18080:80", "-v", "/:/host:ro"]
    container = started(host, busybox, *options)
    assert host.resolved(container) == NAME_SERVERS[0]
    serve(host, container)
    assert host.client("10.1.0.2", 18080) == "tcp 80 from ::ffff:10.1.0.1"
    host.name_server(NAME_SERVERS[1])
    wait.until(lambda: host.resolved(container) == NAME_SERVERS[1], what="the new name server is asked")
    host.route(1)
    host.ip("link set up0 down")
    assert host.asked(container) == "10.2.0.2"
    assert host.podpy("network", "reload", container).ok() == container
    assert host.asked(container) == "10.2.0.2"
    assert host.client("10.2.0.2", 18080) == "tcp 80 from ::ffff:10.2.0.1"
    assert NAME_SERVERS[0] not in inside(host, container, "cat /etc/resolv.conf")
