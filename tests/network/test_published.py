"""Published ports of containers on user networks, from end to end."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

import pytest

from tests.network.conftest import Service, host_address, tcp, udp
from tests.support import ports, wait
from tests.support.engine import Podpy

Serve = Callable[..., Service]


@pytest.fixture
def network(podpy: Podpy) -> str:
    podpy.ok("network", "create", "n")
    return "n"


def forwarder_of(podpy: Podpy, container: str) -> int:
    identifier = podpy.ok("inspect", "--format", "{{.Id}}", container)
    return int((podpy.runroot / "containers" / identifier / "forward.pid").read_text())


def test_services_see_who_asks(serve: Serve, podpy: Podpy, network: str) -> None:
    first, other = ports.free(), ports.free(kind=socket.SOCK_DGRAM)
    options = ["--network", network, "-p", f"{first}:80", "-p", f"{other}:53/udp"]
    service = serve("tcp:80", "udp:53", options=options)
    gateway = podpy.json("network", "inspect", network)[0]["subnets"][0]["gateway"]
    address = host_address()
    if address:
        assert tcp(first, address).split()[-1].endswith(address)
        assert udp(other, address).split()[-1].endswith(address)
    assert tcp(first).split()[-1].endswith(gateway)
    assert udp(other).split()[-1].endswith(gateway)
    pid = forwarder_of(podpy, service.container)
    podpy.ok("rm", "-f", "-t", "0", service.container)
    wait.for_end(pid)
    with pytest.raises(OSError):
        tcp(first)


@pytest.mark.parametrize(
    ("kind", "helper"), [("pasta", "pasta"), ("slirp4netns", "slirp4netns"), ("n", "forward")], ids=lambda word: word
)
def test_a_units_end_signals_all_its_processes_and_the_network_stays_until_the_container_ends(
    serve: Serve, podpy: Podpy, network: str, kind: str, helper: str
) -> None:
    """systemd.kill(5), KillMode=control-group: a service that is asked to end may still answer, and ask others."""
    service = serve("tcp:80", options=["--network", kind, f"-p={ports.free()}:80"])
    pid = int((podpy.runroot / "containers" / service.container / f"{helper}.pid").read_text())
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        os.kill(pid, number)
    assert tcp(service.port("80/tcp")).startswith("tcp 80")
    podpy.ok("rm", "-f", "-t", "0", service.container)
    wait.for_end(pid)


def test_a_taken_port_is_an_error_before_anything_starts(podpy: Podpy, busybox: str, network: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        done = podpy("run", "--network", network, "-p", f"{port}:80", busybox, "true")
        done.fails(126, f"{port}", "address already in use")


def test_the_plan_names_the_ports(podpy: Podpy, busybox: str, network: str) -> None:
    shown = podpy.ok("run", "--explain", "--network", network, "-p=8080-8081:80-81", "-p=127.0.0.1::53/udp", busybox)
    for what in ("bind the host ports", "start podpy-forward for the host ports"):
        assert f"{what} *:8080+1/tcp 127.0.0.1:any/udp\n" in shown


def test_an_ephemeral_port_survives_a_restart_and_a_killed_forwarder(serve: Serve, podpy: Podpy, network: str) -> None:
    service = serve("tcp:80", options=["--network", network, "-p", "80"])
    port = service.port("80/tcp")
    assert tcp(port).startswith("tcp 80")
    pid = forwarder_of(podpy, service.container)
    os.kill(pid, signal.SIGKILL)
    wait.for_end(pid)
    with pytest.raises(OSError):
        tcp(port)
    podpy.ok("network", "reload", service.container)
    assert tcp(port).startswith("tcp 80")
    podpy.ok("restart", "-t", "0", service.container)
    assert service.port("80/tcp") == port


def test_ports_follow_a_container_to_another_network(serve: Serve, podpy: Podpy, network: str) -> None:
    podpy.ok("network", "create", "other")
    port = ports.free()
    service = serve("tcp:80", options=["--network", network, "-p", f"{port}:80"])
    podpy.ok("network", "connect", "other", service.container)
    podpy.ok("network", "disconnect", network, service.container)
    gateway = podpy.json("network", "inspect", "other")[0]["subnets"][0]["gateway"]
    assert tcp(port).split()[-1].endswith(gateway)


def test_ports_follow_the_default_route_of_a_container_that_comes_back(serve: Serve, podpy: Podpy) -> None:
    for name in ("n", "other"):
        podpy.ok("network", "create", "--ipv6", name)
    first, other = ports.free(), ports.free(kind=socket.SOCK_DGRAM)
    options = ["--network=n", "--network=other", "-p", f"{first}:80", "-p", f"{other}:53/udp"]
    service = serve("tcp:80", "udp:53", options=options)

    def metrics() -> list[str]:
        lines = podpy.ok("exec", service.container, "cat", "/proc/net/route", "/proc/net/ipv6_route").splitlines()
        fields = [line.split() for line in lines]
        v4 = [f"{each[0]} {each[6]}" for each in fields if each[1] == 8 * "0"]
        v6 = [f"{each[9]} {int(each[5], 16)}" for each in fields if each[0] == 32 * "0" and each[4] != 32 * "0"]
        return sorted(v4) + sorted(v6)

    def seen() -> list[str]:
        address = host_address()
        answers = [tcp(first, address), udp(other, address)] if address else []
        return [answer.split()[-1].rpartition(":")[2] for answer in answers]

    clients = [each for each in 2 * [host_address()] if each]
    assert (metrics(), seen()) == (2 * ["eth0 100", "eth1 101"], clients)
    podpy.ok("network", "disconnect", "n", service.container)
    assert seen() == clients
    podpy.ok("network", "connect", "n", service.container)
    assert (metrics(), seen()) == (2 * ["eth0 100", "eth1 101"], clients)
