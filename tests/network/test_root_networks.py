"""Root's containers on user networks, from end to end, in a network namespace that plays the host.

remote 192.0.2.7, 2001:db8::7 ── up0 192.0.2.10, 2001:db8::10 host podmanN ── containers
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from podpy import linux
from tests.network import inside
from tests.network.conftest import SERVER
from tests.support import needs, wait
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX
from tests.support.users import root_user

HOST, HOST_V6, REMOTE, REMOTE_V6 = "192.0.2.10", "2001:db8::10", "192.0.2.7", "2001:db8::7"
_LINKS = f"""
link set lo up
link add up0 type veth peer name eth0 netns %(remote)s
link set up0 up
addr add {HOST}/24 dev up0
addr add {HOST_V6}/64 dev up0 nodad
route add default via {REMOTE}
"""
_REMOTE_LINKS = f"""
link set lo up
link set eth0 up
addr add {REMOTE}/24 dev eth0
addr add {REMOTE_V6}/64 dev eth0 nodad
"""
_FOREIGN = "table inet foreign { chain pass { type filter hook forward priority 0; policy accept; counter; }; }"


class Namespace:
    """A network namespace as long as its process lives."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.process.stdout.readline()
        self.path = f"/proc/{self.process.pid}/ns/net"
        self.descriptor = os.open(self.path, os.O_RDONLY)

    def run(self, *command: str, input: str = "") -> str:
        """Run a command there and return what it printed."""
        done = subprocess.run(
            ["nsenter", f"--net={self.path}", *command], input=input, text=True, capture_output=True, check=True
        )
        return done.stdout

    def ask(self, address: str, port: int, kind: int = socket.SOCK_STREAM) -> str:
        """Return the address that tests/network/server.py has seen, or the error's name."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(fileno=linux.netns_socket(self.descriptor, family, kind, 0)) as client:
            client.settimeout(30)
            try:
                client.connect((address, port))
                if kind == socket.SOCK_DGRAM:
                    client.send(b"?")
                return client.recv(200).decode().rpartition(" ")[2].removeprefix("::ffff:") or "closed"
            except OSError as error:
                return os.strerror(error.errno) if error.errno else type(error).__name__

    def close(self) -> None:
        """Let it go."""
        os.close(self.descriptor)
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class RootsPodpy(Podpy):
    """podpy as root, in the namespace that plays the host."""

    host: Namespace

    def command(self, *args: str) -> list[str]:
        """Return the whole command line."""
        return ["nsenter", f"--net={self.host.path}", *super().command(*args)]

    def serve(self, name: str, *options: str) -> str:
        """Start a container that says on TCP port 80 and UDP port 53 who asks; return its id."""
        server = ["chroot", "/host", os.path.realpath(sys.executable), "-c", SERVER, "tcp:80", "udp:53"]
        made = self.ok("run", "-d", "--name", name, "-v", "/:/host:ro", *options, BUSYBOX, *server)
        wait.until(lambda: self.ok("logs", name), what="the server is ready")
        return made

    def address(self, container: str, network: str, key: str = "IPAddress") -> str:
        """Return what inspect says of a container on a network."""
        found = self.json("inspect", container)[0]["NetworkSettings"]["Networks"][network][key]
        return str(found)


@pytest.fixture
def remote() -> Iterator[Namespace]:
    needs.require("mount")
    made = Namespace()
    yield made
    made.close()


@pytest.fixture
def host(remote: Namespace) -> Iterator[Namespace]:
    made = Namespace()
    for line in (_LINKS % {"remote": remote.process.pid}).strip().splitlines():
        made.run("ip", *line.split())
    for line in _REMOTE_LINKS.strip().splitlines():
        remote.run("ip", *line.split())
    made.run("nft", "-f", "-", input=_FOREIGN)
    yield made
    made.close()


@pytest.fixture
def roots(
    host: Namespace, launcher: Path, engine_base: Path, busybox_archive: Path
) -> Iterator[Callable[[], RootsPodpy]]:
    """Make an engine of root's, with roots of its own; at the end nothing of it may be left on the host."""
    engines: list[RootsPodpy] = []

    def make() -> RootsPodpy:
        engine = RootsPodpy(launcher, root_user(), engine_base)
        engine.host = host
        engines.append(engine)
        engine.ok("load", "-qi", os.fspath(busybox_archive))
        return engine

    yield make
    for engine in engines:
        engine.close()
    wait.until(lambda: "podman" not in host.run("ip", "-br", "link"), what="the bridges are gone")
    assert host.run("nft", "list", "tables").split("\n") == ["table inet foreign", ""]


@pytest.fixture
def root(roots: Callable[[], RootsPodpy]) -> RootsPodpy:
    return roots()


def test_containers_have_names_a_way_out_and_their_own_network_only(
    root: RootsPodpy, host: Namespace, remote: Namespace
) -> None:
    root.ok("network", "create", "--ipv6", "shop")
    root.ok("network", "create", "other")
    root.serve("web", "--network=shop")
    root.ok("run", "-d", "--name=one", "--network=shop", "--cap-add=NET_RAW", BUSYBOX, "sleep", "300")
    root.ok("run", "-d", "--name=two", "--network=other", BUSYBOX, "sleep", "300")
    web = root.address("web", "shop")
    assert (
        root.ok("exec", "one", "nc", "web", "80") == f"tcp 80 from {root.address('one', 'shop', 'GlobalIPv6Address')}"
    )
    for target in ("web", REMOTE, REMOTE_V6, "host.containers.internal"):
        assert "1 packets received" in root.ok("exec", "one", "ping", "-c1", "-W30", target)
    assert "No route to host" in root("exec", "two", "nc", web, "80").stderr
    assert root("exec", "two", "nslookup", "web.dns.podman").returncode != 0
    for address, seen in ((REMOTE, HOST), (REMOTE_V6, HOST_V6)):
        with inside.listen(remote.descriptor, address, 8000) as server:
            root.ok("exec", "-d", "one", "nc", address, "8000")
            client, peer = server.accept()
            client.close()
            assert peer[0] == seen


def test_published_ports_show_who_called(root: RootsPodpy, host: Namespace, remote: Namespace) -> None:
    root.ok("network", "create", "--ipv6", "shop")
    ports = ["-p=8080:80", "-p=5353:53/udp", f"-p={HOST}:9090:80", "-p=127.0.0.1:7070:80"]
    root.serve("web", "--network=shop", *ports)
    gateways = {"v4": root.address("web", "shop", "Gateway"), "v6": root.address("web", "shop", "IPv6Gateway")}
    for kind, port in ((socket.SOCK_STREAM, 8080), (socket.SOCK_DGRAM, 5353)):
        assert remote.ask(HOST, port, kind) == REMOTE
        assert remote.ask(HOST_V6, port, kind) == REMOTE_V6
        assert host.ask(HOST, port, kind) == HOST
        assert host.ask(HOST_V6, port, kind) == HOST_V6
        assert host.ask("127.0.0.1", port, kind) == gateways["v4"]
        assert host.ask("::1", port, kind) == gateways["v6"]
    assert (remote.ask(HOST, 9090), host.ask("127.0.0.1", 7070)) == (REMOTE, gateways["v4"])
    assert remote.ask(HOST, 7070) == host.ask("127.0.0.1", 9090) == "Connection refused"
    root("run", "--name=late", "--network=shop", "-p=8080:80", BUSYBOX, "true").fails(
        126, "cannot listen on the TCP port: listen tcp4 :8080: bind: address already in use", "It is pid "
    )
    root.ok("rm", "late")
    root.ok("network", "create", "two")
    root.ok("network", "connect", "two", "web")
    root.ok("network", "disconnect", "shop", "web")
    assert remote.ask(HOST, 8080) == REMOTE
    root.ok("run", "-d", "--name=stays", "--network=two", BUSYBOX, "sleep", "300")
    root.ok("stop", "-t0", "web")
    assert remote.ask(HOST, 8080) == "Connection refused"


def test_a_running_container_gets_ports_and_loses_them(root: RootsPodpy, host: Namespace, remote: Namespace) -> None:
    root.ok("network", "create", "shop")
    root.serve("web", "--network=shop", "-p=5353:53/udp")
    root.ok("update", "--publish=8080:80", "web")
    assert (remote.ask(HOST, 8080), host.ask("127.0.0.1", 8080)) == (REMOTE, root.address("web", "shop", "Gateway"))
    assert f"tcp . 8080 : {root.address('web', 'shop')} . 80" in host.run("nft", "list", "ruleset")
    root.ok("update", "--unpublish=8080:80", "web")
    assert remote.ask(HOST, 8080) == "Connection refused"
    assert "8080" not in host.run("nft", "list", "ruleset")
    assert remote.ask(HOST, 5353, socket.SOCK_DGRAM) == REMOTE


def test_what_a_kill_leaves_goes_with_the_next_call(root: RootsPodpy, host: Namespace, remote: Namespace) -> None:
    root.ok("network", "create", "shop")
    root.ok("run", "-d", "--name=stays", "--network=shop", BUSYBOX, "sleep", "300")
    for name in ("first", "second"):
        root.serve(name, "--network=shop", "-p=8080:80", "-p=5353:53/udp")
        assert remote.ask(HOST, 8080) == remote.ask(HOST, 5353, socket.SOCK_DGRAM) == REMOTE
        assert f"tcp . 8080 : {root.address(name, 'shop')} . 80" in host.run("nft", "list", "ruleset")
        state = root.json("inspect", name)[0]["State"]
        for pid in (state["ConmonPid"], state["Pid"]):
            os.kill(pid, signal.SIGKILL)
            wait.for_end(pid)
    root.ok("rm", "first", "second")
    assert "8080" not in host.run("nft", "list", "ruleset")
    root.ok("kill", "stays")
    root.ok("rm", "-fa")
    wait.until(lambda: "podman" not in host.run("ip", "-br", "link"), what="the bridge is gone")
    assert host.run("nft", "list", "tables") == "table inet foreign\n"


def test_two_run_roots_side_by_side(roots: Callable[[], RootsPodpy], host: Namespace, remote: Namespace) -> None:
    one, two = roots(), roots()
    one.ok("network", "create", "shop")
    two.ok("network", "create", "--subnet=10.55.0.0/24", "--interface-name=podman7", "shop")
    one.serve("web", "--network=shop", "-p=8080:80")
    two.serve("web", "--network=shop", "-p=8081:80", "-p=5353:53/udp")
    assert [remote.ask(HOST, port) for port in (8080, 8081)] == [REMOTE, REMOTE]
    two("run", "--network=podman", BUSYBOX, "true").ok()
    two("run", "--network=shop", "-p=8080:80", BUSYBOX, "true").fails(126, "address already in use")
    one.ok("rm", "-fa", "-t0")
    wait.until(lambda: "podman1" not in host.run("ip", "-br", "link"), what="the first one's bridge is gone")
    assert remote.ask(HOST, 8080) == "Connection refused"
    assert (remote.ask(HOST, 8081), remote.ask(HOST, 5353, socket.SOCK_DGRAM)) == (REMOTE, REMOTE)


def test_a_flushed_firewall_is_mended_by_a_reload(root: RootsPodpy, host: Namespace, remote: Namespace) -> None:
    root.ok("network", "create", "shop")
    root.serve("web", "--network=shop", "-p=8080:80")
    host.run("nft", "flush", "ruleset")
    assert remote.ask(HOST, 8080) == root.address("web", "shop", "Gateway")  # by the forwarder
    root.ok("network", "reload", "web")
    assert remote.ask(HOST, 8080) == REMOTE
    host.run("nft", "-f", "-", input=_FOREIGN)


def test_without_a_firewall_driver_ports_are_the_forwarders(
    root: RootsPodpy, host: Namespace, remote: Namespace
) -> None:
    conf = root.home / "containers.conf"
    conf.write_text('[network]\nfirewall_driver = "none"\n')
    environment = {"CONTAINERS_CONF": os.fspath(conf)}
    root.ok("network", "create", "shop")
    root.ok("run", "-d", "--name=c", "--network=shop", "-p=8080:80", BUSYBOX, "sleep", "300", env=environment)
    assert host.run("nft", "list", "tables") == "table inet foreign\n"
    root.ok("exec", "-d", "c", "nc", "-ll", "-p", "80", "-e", "echo", "here")
    wait.until(lambda: remote.ask(HOST, 8080) == "here\n", what="an answer")
    root.ok("rm", "-fat0", env=environment)


def test_a_udp_client_that_goes_on_sending_reaches_the_next_container(
    root: RootsPodpy, host: Namespace, remote: Namespace
) -> None:
    root.ok("network", "create", "shop")
    root.ok("run", "-d", "--network=shop", BUSYBOX, "sleep", "300")
    with socket.socket(fileno=linux.netns_socket(remote.descriptor, socket.AF_INET, socket.SOCK_DGRAM, 0)) as client:
        client.settimeout(30)
        client.bind((REMOTE, 4000))
        for name in ("first", "second"):
            root.serve(name, "--network=shop", "-p=5353:53/udp")
            client.sendto(b"?", (HOST, 5353))
            assert client.recv(100).endswith(REMOTE.encode())
            root.ok("stop", "-t0", name)


def test_a_flushed_firewall_comes_back_for_all_networks_with_the_next_start(root: RootsPodpy, host: Namespace) -> None:
    for network in ("one", "two"):
        root.ok("network", "create", network)
    root.ok("run", "-d", "--name=first", "--network=one", "--cap-add=NET_RAW", BUSYBOX, "sleep", "1000")
    host.run("nft", "flush", "ruleset")
    host.run("nft", "-f", "-", input=_FOREIGN)
    root.ok("run", "-d", "--network=two", BUSYBOX, "sleep", "1000")
    assert "1 packets received" in root.ok("exec", "first", "ping", "-c1", "-W30", REMOTE)
    for network in ("one", "two"):
        assert "has its rights" in root.ok("doctor", "--network", network)


def test_nobody_answers_in_the_name_of_another_networks_container(root: RootsPodpy, remote: Namespace) -> None:
    for network in ("one", "two"):
        root.ok("network", "create", network)
    root.serve("server", "--network=one", "-p", "5353:53/udp")
    root.ok("run", "-d", "--name=liar", "--network=two", BUSYBOX, "sleep", "1000")
    with socket.socket(fileno=linux.netns_socket(remote.descriptor, socket.AF_INET, socket.SOCK_DGRAM, 0)) as client:
        client.settimeout(30)
        client.connect((HOST, 5353))
        client.send(b"?")
        assert client.recv(200).endswith(REMOTE.encode())
        pid = root.ok("inspect", "--format", "{{.State.Pid}}", "liar")
        liar = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        try:
            inside.spoof(liar, (root.address("server", "one"), 53), client.getsockname(), b"lie")
        finally:
            os.close(liar)
        client.send(b"?")
        assert client.recv(200).endswith(REMOTE.encode())


def test_macvlan_has_its_own_address_on_the_wire(root: RootsPodpy, host: Namespace, remote: Namespace) -> None:
    root.ok(
        "network", "create", "-d", "macvlan", "-o", "parent=up0", "--subnet=192.0.2.0/24", "--gateway", REMOTE, "lan"
    )
    root.ok("network", "create", "-d", "macvlan", "--ipam-driver=none", "bare")
    root.ok("network", "create", "-d", "macvlan", "dynamic")
    root.ok("network", "create", "-d", "ipvlan", "-o", "parent=up0", "--subnet=192.0.2.0/24", "side")
    root.serve("web", "--network=lan:ip=192.0.2.50,mac=02:00:00:00:00:50", "-p=8080:80")
    assert remote.ask("192.0.2.50", 80) == REMOTE
    assert "02:00:00:00:00:50" in root.ok("exec", "web", "ip", "link", "show", "eth0")
    assert f"default via {REMOTE}" in root.ok("exec", "web", "ip", "route")
    shown = root.ok("run", "--rm", "--network=bare", BUSYBOX, "ip", "addr", "show", "eth0")
    assert "UP" in shown and "192.0.2" not in shown
    root("run", "--network=dynamic", BUSYBOX, "true").fails(125, "addresses of a DHCP server aren't supported")
    beside = root("run", "--rm", "--network=side", BUSYBOX, "ip", "addr")
    if beside.returncode:
        assert "Error: network side: " in beside.stderr  # no ipvlan in this kernel, or none beside a macvlan
    else:
        assert "192.0.2." in beside.stdout
    root.ok("network", "create", "shop")
    root.ok("network", "connect", "shop", "web")
    assert remote.ask(HOST, 8080) == root.address("web", "shop", "Gateway")  # its default route is the macvlan's
    root.ok("network", "disconnect", "lan", "web")
    assert "192.0.2.50" not in root.ok("exec", "web", "ip", "addr")


def test_a_bridge_that_somebody_else_manages(root: RootsPodpy, host: Namespace, remote: Namespace) -> None:
    unmanaged = ("network", "create", "-o", "mode=unmanaged", "--interface-name=br7", "--subnet=10.7.0.0/24", "theirs")
    root.ok(*unmanaged)
    root("run", "--network=theirs", BUSYBOX, "true").fails(126, "in mode unmanaged, the bridge br7 must already exist")
    for words in ("link add br7 type bridge", "link set br7 up", "addr add 10.7.0.1/24 dev br7"):
        host.run("ip", *words.split())
    root.serve("web", "--network=theirs")
    assert host.ask(root.address("web", "theirs"), 80) == "10.7.0.1"
    root.ok("network", "create", "--interface-name=br8", "shop")
    host.run("ip", "link", "add", "br8", "type", "bridge")
    root("run", "--network=shop", BUSYBOX, "true").fails(126, "bridge br8 is there and is somebody else's")
    root.ok("rm", "-fat0")
    assert "br7" in host.run("ip", "-br", "link")


def test_doctor_tells_of_a_firewall_that_drops_what_is_forwarded(root: RootsPodpy, host: Namespace) -> None:
    def told() -> str:
        return next(line for line in root("system", "doctor").stdout.splitlines() if "forward" in line)

    assert "no other firewall drops" in told()
    drop = "add chain inet foreign FORWARD { type filter hook forward priority 0; policy drop; }\n"
    host.run("nft", "-f", "-", input=drop + "add chain inet foreign DOCKER-USER")
    assert "table inet foreign drops what user networks send and get" in told()
    assert "iptables -I DOCKER-USER -i podman+ -j ACCEPT" in root("system", "doctor").stdout
    host.run("nft", "add", "rule", "inet", "foreign", "FORWARD", "iifname", "podman*", "accept")
    assert "no other firewall drops" in told()
