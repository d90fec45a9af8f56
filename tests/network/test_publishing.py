"""`podpy update --publish` and `--unpublish`: ports that come and go while a container is there."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable

import pytest

from podpy.spec.container import PortMapping
from tests.network.conftest import LOCALHOST, Service, tcp, udp
from tests.support import ports, wait
from tests.support.engine import Podpy

Serve = Callable[..., Service]


@pytest.fixture
def network(podpy: Podpy) -> str:
    podpy.ok("network", "create", "n")
    return "n"


def is_closed(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((LOCALHOST, port)) != 0


@pytest.mark.parametrize("first", [[], ["80"]], ids=["without any", "beside another one"])
def test_a_running_container_gets_ports_and_loses_them(
    serve: Serve, podpy: Podpy, network: str, first: list[str]
) -> None:
    one, other = ports.free(), ports.free(kind=socket.SOCK_DGRAM)
    options = ["--network", network, *(f"-p={port}" for port in first)]
    service = serve("tcp:80", "tcp:81", "udp:53", options=options)
    name = service.container
    more = [f"--publish={one}:80", f"--publish={other}:53/udp", "--publish", "81"]
    assert podpy.ok("update", *more, name) == name
    assert tcp(one).startswith("tcp 80") and udp(other).startswith("udp 53")
    assert tcp(service.port("81/tcp")).startswith("tcp 81")
    assert f"0.0.0.0:{one}->80/tcp" in podpy.ok("ps", "--format", "{{.Ports}}")
    bound = podpy.json("inspect", name)[0]["HostConfig"]["PortBindings"]
    assert {"HostIp": "0.0.0.0", "HostPort": str(one)} in bound["80/tcp"]
    podpy.ok("update", f"--unpublish={one}:80", "--unpublish=53/udp", name)
    assert is_closed(one)
    assert str(one) not in podpy.ok("port", name) and str(other) not in podpy.ok("port", name)
    stays = service.port("81/tcp")
    podpy.ok("restart", "-t", "0", name)
    assert service.port("81/tcp") == stays
    wait.until(lambda: _greeted(stays), what="it listens again")[0].close()
    assert is_closed(one)


def test_what_is_connected_stays_so_and_the_port_can_lead_elsewhere(podpy: Podpy, busybox: str, network: str) -> None:
    port = ports.free()
    podpy.ok("run", "-d", "--name=c", "--network", network, f"-p={port}-{port}:80-80", busybox, "sleep", "1000")
    for inside in ("80", "81"):
        podpy.ok("exec", "-d", "c", "nc", "-ll", "-p", inside, "-e", "sh", "-c", f"echo {inside}; cat")
    connection = wait.until(lambda: _greeted(port), what="the service listens")
    podpy.ok("update", f"--unpublish={port}:80", f"--publish={port}:81", "c")
    other = wait.until(lambda: _greeted(port), what="the other service listens")
    assert (connection[1], other[1]) == (b"80\n", b"81\n")
    for client, _ in (connection, other):
        client.sendall(b"still here\n")
        assert client.recv(100) == b"still here\n"
        client.close()


def _greeted(port: int) -> tuple[socket.socket, bytes] | None:
    client = socket.socket()
    client.settimeout(60)
    try:
        client.connect((LOCALHOST, port))
        if said := client.recv(100):
            return client, said
    except ConnectionResetError:
        pass
    client.close()
    return None


def test_a_taken_port_changes_nothing(podpy: Podpy, busybox: str, network: str) -> None:
    podpy.ok("run", "-d", "--name=c", "--network", network, "-p=80", busybox, "sleep", "1000")
    before, free = podpy.ok("port", "c"), ports.free()
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        done = podpy("update", f"--publish={free}:81", f"--publish={port}:82", "c")
        done.fails(125, f"listen tcp 0.0.0.0:{port}: bind: address already in use", "Choose another host port")
    assert is_closed(free)
    podpy("update", "--unpublish=80", "--unpublish=99", "c").fails(125, "container c doesn't publish 99/tcp")
    podpy("update", "--publish=sctp", "c").fails(125, "invalid port number")
    assert podpy.ok("port", "c") == before


def test_a_container_that_does_not_run_has_them_at_its_next_start(podpy: Podpy, busybox: str) -> None:
    one = ports.free(2)
    other = one + 1
    podpy.ok("create", "--name=c", f"-p={one}:80", busybox, "sleep", "1000")
    podpy("update", f"--publish={one}:81", "c").fails(125, "published twice")
    podpy.ok("update", f"--unpublish={one}:80", f"--publish={other}:80", "c")
    podpy.ok("start", "c")
    assert podpy.ok("port", "c") == f"80/tcp -> 0.0.0.0:{other}"
    done = podpy("update", f"--publish={one}:81", "c")
    done.fails(125, "the ports of container c can't change while it runs: ", "takes them at its start only")
    podpy.ok("rm", "-f", "-t", "0", "c")
    podpy.ok("create", "--name=c", "--network=none", busybox, "true")
    podpy("update", "--publish=80", "c").fails(125, "container c publishes no ports: its network is none")


@pytest.mark.parametrize("step", ["opened", "not closed yet"])
def test_a_killed_call_leaves_no_port_open(podpy: Podpy, busybox: str, network: str, step: str) -> None:
    one = ports.free(2)
    other = one + 1
    container = podpy.ok("run", "-d", "--network", network, f"-p={one}:80", f"-p={other}:81", busybox, "sleep", "1000")
    changing = [PortMapping(container_port=81, host_port=other).as_dict()]
    left = podpy.runroot / "containers" / container / "ports"
    left.write_text(json.dumps(changing))
    assert "half published" not in podpy.ok("system", "check", "--quick"), "its row has it"
    assert not left.exists() and not is_closed(other)
    with sqlite3.connect(podpy.graphroot / "podpy.sqlite") as database:
        row = [PortMapping(container_port=80, host_port=one).as_dict()]
        database.execute("UPDATE containers SET ports = ?", [json.dumps(row)])
    left.write_text(json.dumps(changing))
    if step == "opened":
        assert "ports that were half published were closed" in podpy.ok("system", "check", "--quick")
    else:
        podpy.ok("update", "--unpublish=80", container)
    assert not left.exists() and is_closed(other)
    assert is_closed(one) == (step != "opened")
