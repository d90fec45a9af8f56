"""`network connect`, `disconnect` and `reload`, of running and of stopped containers."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from pathlib import Path

from tests.network.user_networks import addresses, ask, serve
from tests.support import ports, wait
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")


def interfaces(podpy: Podpy, container: str) -> dict[str, str]:
    """Return a running container's IPv4 addresses by its interfaces."""
    lines = podpy.ok("exec", container, "ip", "-o", "-4", "address").splitlines()
    words = [line.split() for line in lines]
    return {word[1]: word[3] for word in words if word[1] != "lo"}


def own_file(podpy: Podpy, container: str, path: str) -> list[str]:
    """Return the lines of a file in a container that count."""
    lines = podpy.ok("exec", container, "cat", path).splitlines()
    return [line.rstrip() for line in lines if not line.startswith("#")]


def hello(port: int) -> str:
    """Return what a published port answers on the host's loopback device."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait.PATIENCE) as client:
        return client.makefile().read().strip()


def test_a_running_container_changes_its_networks(podpy: Podpy, busybox: str) -> None:
    for name in ("one", "two"):
        podpy.ok("network", "create", name)
    podpy.ok("run", "-d", "--name=c", "--hostname=h", "--network=one", busybox, *SLEEP)
    podpy.ok("run", "-d", "--name=other", "--network=two", busybox, *SLEEP)
    before = podpy.json("inspect", "c")[0]["NetworkSettings"]["Networks"]["one"]["MacAddress"]
    assert podpy.ok("network", "connect", "--alias=w", "two", "c") == ""
    assert interfaces(podpy, "c") == {"eth0": "10.89.0.2/24", "eth1": "10.89.1.3/24"}
    assert own_file(podpy, "c", "/etc/hosts")[-2:] == ["10.89.0.2\th c", "10.89.1.3\th c"]
    serve(podpy, "c")
    assert ask(podpy, "other", "w") == ask(podpy, "other", "c") == "h"

    assert podpy.ok("network", "disconnect", "one", "c") == ""
    assert interfaces(podpy, "c") == {"eth1": "10.89.1.3/24"}
    assert own_file(podpy, "c", "/etc/resolv.conf") == ["search dns.podman", "nameserver 10.89.1.1"]
    assert own_file(podpy, "c", "/etc/hosts")[-1] == "10.89.1.3\th c"
    assert podpy.ok("ps", "--filter", "network=one", "-q") == ""

    podpy.ok("network", "connect", "one", "c")  # the freed eth0, the next address, a new hardware address
    assert interfaces(podpy, "c") == {"eth1": "10.89.1.3/24", "eth0": "10.89.0.3/24"}
    assert podpy.json("inspect", "c")[0]["NetworkSettings"]["Networks"]["one"]["MacAddress"] != before
    own = ("--ip=10.89.1.99", "--mac-address=02:00:00:00:00:07", "--alias=q1")
    podpy.ok("network", "disconnect", "two", "c")
    podpy.ok("network", "connect", *own, "two", "c")
    found = podpy.json("inspect", "c")[0]["NetworkSettings"]["Networks"]["two"]
    short = podpy.ok("ps", "--filter", "name=^c$", "--format", "{{.ID}}")
    assert (found["IPAddress"], found["MacAddress"]) == ("10.89.1.99", "02:00:00:00:00:07")
    assert found["Aliases"] == ["q1", short]


def test_a_container_that_locks_its_hosts_file_keeps_nobody_waiting(podpy: Podpy, busybox: str) -> None:
    for name in ("one", "two"):
        podpy.ok("network", "create", name)
    identifier = podpy.ok("run", "-d", "--name=c", "--network=one", busybox, *SLEEP).strip()
    with Path(podpy.runroot, "containers", identifier, "hosts").open() as theirs:  # the same file as inside
        fcntl.flock(theirs, fcntl.LOCK_EX)
        podpy.ok("network", "connect", "two", "c")
        podpy.ok("network", "disconnect", "one", "c")
    hosts = podpy.ok("exec", "c", "cat", "/etc/hosts")
    assert "10.89.1.2\t" in hosts and "10.89.0.2\t" not in hosts


def test_own_names_are_those_of_a_start(podpy: Podpy, busybox: str) -> None:
    """A name that another line has isn't given again; with the host's UTS namespace the host name is the host's."""
    for name in ("one", "two"):
        podpy.ok("network", "create", name)
    podpy.ok("run", "-d", "--name=c", "--uts=host", "--add-host=c:1.2.3.4", "--network=one", busybox, *SLEEP)
    podpy.ok("network", "connect", "two", "c")
    assert own_file(podpy, "c", "/etc/hosts")[-1] == f"10.89.1.2\t{os.uname().nodename} c"
    podpy.ok("network", "disconnect", "one", "c")
    assert not [line for line in own_file(podpy, "c", "/etc/hosts") if line.startswith("10.89.0.2")]


def test_the_last_network_and_back(podpy: Podpy, busybox: str) -> None:
    podpy.ok("network", "create", "net")
    podpy.ok("run", "-d", "--name=c", "--network=net", busybox, *SLEEP)
    podpy.ok("network", "disconnect", "net", "c")
    assert podpy.json("inspect", "c")[0]["NetworkSettings"]["Networks"] is None
    assert own_file(podpy, "c", "/etc/resolv.conf") == ["search dns.podman"]
    podpy.ok("run", "-d", "--name=d", "--network=net", busybox, *SLEEP)
    podpy.ok("network", "connect", "net", "c")
    serve(podpy, "c")
    assert len(ask(podpy, "d", "c")) == 12
    events = podpy.ok("events", "--since=1h", "--until=0s", "--filter=type=network", "--format={{.Status}} {{.Name}}")
    assert [line.split()[0] for line in events.splitlines()] == ["create", "disconnect", "connect"]


def test_a_stopped_container(podpy: Podpy, busybox: str) -> None:
    for name in ("one", "two"):
        podpy.ok("network", "create", name)
    podpy.ok("create", "--name=c", "--network=one", busybox, *SLEEP)
    podpy.ok("network", "connect", "two", "c")
    assert addresses(podpy, "c") == {"one": "", "two": ""}
    podpy.ok("network", "disconnect", "one", "c")
    podpy.ok("start", "c")
    assert interfaces(podpy, "c") == {"eth1": "10.89.1.2/24"}


def test_refusals_in_podmans_words(podpy: Podpy, busybox: str) -> None:
    for name in ("one", "two"):
        podpy.ok("network", "create", name)
    podpy.ok("network", "create", "--driver=ipvlan", "--subnet=10.91.0.0/24", "other")
    container = podpy.ok("run", "-d", "--name=c", "--network=one", busybox, *SLEEP)
    podpy.ok("run", "-d", "--name=p", "--network=none", busybox, *SLEEP)
    for words, text in (
        (("connect", "one", "c"), f"container {container} is already connected to network one: network is already con"),
        (("disconnect", "two", "c"), "Error: container c is not connected to network two"),
        (("disconnect", "-f", "nosuch", "c"), "unable to find network with name or ID nosuch: network not found"),
        (("connect", "other", "c"), "network other: only root can use its driver, ipvlan"),
        (("connect", "--alias=a b", "two", "c"), "network alias 'a b': no host name: invalid argument"),
        (("connect", "one", "p"), '"none" is not supported: invalid network mode'),
        (("connect", "--ip=10.1.1.1", "two", "c"), "requested static ip 10.1.1.1 not in any subnet on network two"),
    ):
        podpy("network", *words).fails(125, text)
    assert interfaces(podpy, "c") == {"eth0": "10.89.0.2/24"}
    podpy.ok("rm", "-f", "-t0", "c", "p")


def test_published_ports_follow_the_container(podpy: Podpy, busybox: str) -> None:
    for name in ("one", "two"):
        podpy.ok("network", "create", name)
    port = ports.free()
    command = ("run", "-d", "--name=c", "--hostname=h", "--network=one", f"-p={port}:80", busybox, *SLEEP)
    container = podpy.ok(*command)
    serve(podpy, "c")
    assert hello(port) == "h" and podpy.ok("port", "c") == f"80/tcp -> 0.0.0.0:{port}"
    podpy.ok("network", "connect", "two", "c")
    podpy.ok("network", "disconnect", "one", "c")
    assert hello(port) == "h"
    podpy("run", "--name=d", "--network=one", f"-p={port}:80", busybox).fails(
        126, f"Error: rootlessport listen tcp 0.0.0.0:{port}: bind: address already in use"
    )
    pid = int((podpy.runroot / "containers" / container / "forward.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait.for_end(pid)
    assert podpy.ok("network", "reload", "c") == container
    assert hello(port) == "h"
    podpy.ok("restart", "-t0", "c")
    serve(podpy, "c")
    assert hello(port) == "h"


def test_a_network_of_running_containers_is_made_anew(podpy: Podpy, busybox: str) -> None:
    podpy.ok("network", "create", "net")
    ids = [podpy.ok("run", "-d", "--network=net", busybox, *SLEEP) for _ in range(2)]
    podpy.ok("exec", "--privileged", ids[0], "ip", "link", "set", "eth0", "down")
    assert sorted(podpy.ok("network", "reload", "--all").splitlines()) == sorted(ids)
    serve(podpy, ids[0])
    assert ask(podpy, ids[1], ids[0][:12]) == ids[0][:12]
    (podpy.data_home / "containers/storage/networks/net.json").unlink()
    podpy("network", "reload", ids[0]).fails(125, "unable to find network with name or ID net: network not found")
    assert ask(podpy, ids[1], ids[0][:12]) == ids[0][:12]
