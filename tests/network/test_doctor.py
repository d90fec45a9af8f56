"""`doctor --network`: each fault is made by hand, and its hop is named."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.network.user_networks import define, serve
from tests.support import ports, wait
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")


def failures(podpy: Podpy, network: str = "net") -> dict[str, dict[str, Any]]:
    """Return what `doctor` complains of, by the checks' names; what is missing outside of this machine is left out."""
    done = podpy("doctor", "--network", network, "--json")
    checks = json.loads(done.stdout)
    failed = {check["name"]: check for check in checks if not check["ok"] and check["required"]}
    assert done.returncode == (1 if failed else 0), done.describe()
    assert all(check["mend"] for check in failed.values())
    return failed


def mend(podpy: Podpy, check: dict[str, Any]) -> None:
    """Do what a check says; its `podpy` is this one."""
    for line in check["mend"].splitlines():
        command = line.partition("    #")[0].split()
        if command[0] == "podpy":
            podpy.ok(*command[1:])
        else:
            subprocess.run(command, check=True)


def helper(podpy: Podpy, name: str) -> int:
    """Return the pid of a process of the shared namespace: its file's last word."""
    return int((podpy.runroot / "networks" / name).read_text().split()[-1])


def end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait.for_end(pid)


def forwarder(podpy: Podpy) -> int:
    """Return the pid of the container web's forwarder."""
    container = podpy.ok("inspect", "--format", "{{.Id}}", "web")
    return int((podpy.runroot / "containers" / container / "forward.pid").read_text())


def in_bridges(podpy: Podpy, *command: str) -> str:
    """Run a command of the host's in the network namespace of the bridges, where the forwarders are."""
    entering = ["nsenter", f"--net=/proc/{forwarder(podpy)}/ns/net"]
    return subprocess.run([*entering, *command], check=True, capture_output=True, text=True).stdout


def in_container(podpy: Podpy, container: str, *command: str) -> None:
    """Run a command of the host's in the network namespace of a container."""
    pid = podpy.ok("inspect", "--format", "{{.State.Pid}}", container)
    subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *command], check=True, capture_output=True)


@pytest.fixture
def upstream() -> Iterator[str]:
    """The address of a name server on this host's loopback device that knows no name: nobody else's is asked."""
    address = f"127.{os.getpid() >> 16 & 0xFF}.{os.getpid() >> 8 & 0xFF}.{os.getpid() & 0xFF or 1}"
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))

    def answer() -> None:
        while True:
            question, client = server.recvfrom(4096)
            if not question:
                return
            end = question.index(0, 12) + 5  # of the name, its type and class
            server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:end], client)

    answering = threading.Thread(target=answer)
    answering.start()
    yield address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", (address, 53))
    answering.join()
    server.close()


@pytest.fixture
def shop(podpy: Podpy, busybox: str, upstream: str) -> int:
    """Two containers on the network `net`; web publishes its port 80 at the port that is returned."""
    port = ports.free()
    net = define(podpy, "net", network_dns_servers=[upstream])
    podpy.ok("run", "-d", "--name=web", f"--network={net}:alias=www", "-p", f"{port}:80", busybox, *SLEEP)
    podpy.ok("run", "-d", "--name=client", "--network", net, busybox, *SLEEP)
    serve(podpy, "web")
    return port


def test_all_is_well(podpy: Podpy, shop: int, upstream: str) -> None:
    text = podpy.ok("system", "doctor", "--network", "net")
    for line in (
        "ok    bridge podman1: 10.89.0.1/24\n",
        "ok    resolver: podpy-resolver answers at 10.89.0.1\n",
        "ok    web: eth0: 10.89.0.2/24\n",
        "ok    client: names: 5 names, of 2 containers, are answered by 10.89.0.1\n",
        f"ok    upstream resolver: {upstream} answers\n",
        f"ok    web: published port {shop}/tcp: leads to 10.89.0.2:80, where something listens\n",
    ):
        assert line in text + "\n"
    assert "FAIL" not in text
    assert failures(podpy) == {}


def test_no_such_network_and_none_that_runs(podpy: Podpy, busybox: str) -> None:
    podpy("doctor", "--network", "net").fails(125, "unable to find network with name or ID net")
    define(podpy, "net")
    assert "no container of it runs" in podpy.ok("doctor", "--network", "net")


@pytest.mark.parametrize(
    ("what", "check", "cause"),
    [
        ("resolver.pid", "resolver", "podpy-resolver has ended"),
        ("pasta.pid", "way out", "has ended"),
    ],
)
def test_a_process_that_has_ended(podpy: Podpy, shop: int, what: str, check: str, cause: str) -> None:
    end(helper(podpy, what))
    found = failures(podpy)
    assert [*found] == [check] and cause in found[check]["cause"]
    mend(podpy, found[check])
    assert failures(podpy) == {}


def test_a_resolver_and_a_way_out_that_hang(podpy: Podpy, shop: int) -> None:
    for name in ("resolver.pid", "pasta.pid"):
        os.kill(helper(podpy, name), signal.SIGSTOP)
    found = failures(podpy)
    assert "silent at 10.89.0.1" in found["resolver"]["cause"]
    assert "isn't reached from the bridges: no answer" in found["way out"]["cause"]
    for check in found.values():
        mend(podpy, check)
    assert failures(podpy) == {}


def test_a_forwarder_that_has_ended(podpy: Podpy, shop: int) -> None:
    end(forwarder(podpy))
    found = failures(podpy)
    assert [*found] == ["web: published ports"] and "podpy-forward has ended" in found["web: published ports"]["cause"]
    mend(podpy, found["web: published ports"])
    assert failures(podpy) == {}


def test_a_service_that_does_not_listen_or_only_to_itself(podpy: Podpy, busybox: str, upstream: str) -> None:
    net, one = define(podpy, "net", network_dns_servers=[upstream]), ports.free(2)
    published = ("-p", f"{one}-{one + 1}:80-81")
    podpy.ok("run", "-d", "--name=web", "--network", net, *published, busybox, *SLEEP)
    pid = podpy.ok("inspect", "--format", "{{.State.Pid}}", "web")
    code = "import socket; s = socket.create_server(('127.0.0.1', 81)); print(flush=True); input()"
    entering = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", code]
    with subprocess.Popen(entering, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as service:
        assert service.stdout is not None and service.stdout.readline() == b"\n"
        found = failures(podpy)
        service.communicate(b"\n")
    assert "nothing listens on 80/tcp" in found[f"web: published port {one}/tcp"]["cause"]
    assert "on 127.0.0.1 only" in found[f"web: published port {one + 1}/tcp"]["cause"]


@pytest.mark.parametrize(
    ("command", "check", "cause"),
    [
        (("ip", "link", "set", "podman1", "down"), "bridge podman1", "it is down"),
        (("ip", "address", "flush", "dev", "podman1"), "bridge podman1", "lacks the address 10.89.0.1/24"),
        (("nft", "flush", "set", "inet", "podpy", "pairs"), "firewall", "podman1 to podman1, podman1 to out0"),
        (("nft", "delete", "table", "inet", "podpy"), "firewall", "its table, inet podpy, is gone"),
    ],
)
def test_what_all_containers_share(podpy: Podpy, shop: int, command: tuple[str, ...], check: str, cause: str) -> None:
    in_bridges(podpy, *command)
    found = failures(podpy)
    assert cause in found[check]["cause"]
    mend(podpy, found[check])
    assert failures(podpy) == {}


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        (("ip", "link", "delete", "eth0"), "the device isn't there"),
        (("ip", "link", "set", "eth0", "down"), "the device is down"),
        (("ip", "address", "flush", "dev", "eth0"), "it lacks the address 10.89.0.3"),
        (("ip", "route", "delete", "default"), "no default route"),
    ],
)
def test_the_link_of_one_container(podpy: Podpy, shop: int, command: tuple[str, ...], cause: str) -> None:
    in_container(podpy, "client", *command)
    found = failures(podpy)
    assert [*found] == ["client: eth0"] and cause in found["client: eth0"]["cause"]
    mend(podpy, found["client: eth0"])
    assert failures(podpy) == {}


def test_a_link_that_is_plugged_out_at_the_bridge(podpy: Podpy, shop: int) -> None:
    shown = in_bridges(podpy, "ip", "-o", "link", "show", "type", "veth")
    first = shown.split()[1].partition("@")[0]
    in_bridges(podpy, "ip", "link", "set", first, "nomaster")
    (check,) = failures(podpy).values()
    assert f"its other end, {first}, isn't plugged into podman1" in check["cause"]
    mend(podpy, check)
    assert failures(podpy) == {}


def test_names_that_the_resolver_has_wrong(podpy: Podpy, shop: int) -> None:
    path: Path = podpy.runroot / "networks/names/net"
    lines = path.read_text().replace("www", "ww2").replace("10.89.0.3", "10.89.0.33")
    aside = path.parent.parent / "names.next"
    aside.write_text(lines)
    os.chown(aside, podpy.user.uid, podpy.user.gid)
    aside.rename(path)

    def causes() -> str:
        done = podpy("doctor", "--network", "net")
        return done.stdout if done.returncode == 1 else ""

    text = wait.until(causes, what="the resolver knows it")
    assert "web: names: www is 10.89.0.2, and 10.89.0.1 says NXDOMAIN" in text
    assert "client: names: client is 10.89.0.3, and 10.89.0.1 says 10.89.0.33" in text
    podpy.ok("network", "reload", "--all")
    wait.until(lambda: failures(podpy) == {}, what="names are right")


def test_an_upstream_resolver_that_is_not_there_is_noted(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net", network_dns_servers=["127.9.9.9"])
    podpy.ok("run", "-d", "--name=web", "--network", net, busybox, *SLEEP)
    text = podpy.ok("doctor", "--network", net)
    assert "note  upstream resolver: the host doesn't get an answer, either: 127.9.9.9: connection refused\n" in text
    assert failures(podpy) == {}


def test_an_internal_network_has_no_way_out(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net", internal=True)
    podpy.ok("run", "-d", "--name=web", "--network", net, busybox, *SLEEP)
    text = podpy.ok("doctor", "--network", net)
    assert "way out" not in text and "web: names: 2 names, of 1 containers" in text and "FAIL" not in text
