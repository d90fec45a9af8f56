"""Containers that talk: published ports, the host from inside, names, and what is left afterwards."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from podpy.rootless.programs import which
from tests.network.conftest import LOCALHOST, Service, host_address, tcp, udp
from tests.network.user_networks import define
from tests.support import needs, ports, wait
from tests.support.engine import Podpy

Serve = Callable[..., Service]
BOTH = pytest.mark.parametrize("network", ["pasta", "slirp4netns"])
FIXED = pytest.mark.parametrize("network", ["pasta:fixed", "slirp4netns"])


def helpers_of(podpy: Podpy) -> list[str]:
    """Return the command lines of the network helpers of this podpy's containers."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"{podpy.runroot}/containers/" in line and ("pasta" in line or "slirp4netns" in line):
            found.append(f"{pid} {line}")
    return found


def assert_no_helper_is_left(podpy: Podpy) -> None:
    wait.until(lambda: not helpers_of(podpy), what="no pasta and no slirp4netns is left")


@BOTH
def test_tcp_and_udp_ports_together(serve: Serve, podpy: Podpy, network: str) -> None:
    first, other = ports.free(), ports.free(kind=socket.SOCK_DGRAM)
    options = ["--network", network, "-p", f"{first}:80", "-p", f"{other}:{other}/udp"]
    service = serve("tcp:80", f"udp:{other}", options=options)
    assert tcp(first).startswith("tcp 80 from")
    # slirp4netns with the host's loopback closed doesn't answer UDP from there.
    assert udp(other, LOCALHOST if network == "pasta" else host_address() or LOCALHOST).startswith(f"udp {other} from")
    podpy.ok("rm", "-f", "-t", "0", service.container)
    assert_no_helper_is_left(podpy)
    with pytest.raises(OSError):
        tcp(first)


def test_a_udp_port_with_another_number_inside(serve: Serve) -> None:
    port = ports.free(kind=socket.SOCK_DGRAM)
    serve("udp:53", options=["-p", f"{port}:53/udp"])
    assert udp(port, host_address() or LOCALHOST).startswith("udp 53 from")


def test_a_user_namespace_of_its_own_has_a_private_network(serve: Serve, podpy: Podpy) -> None:
    """Debian's containers.conf has a default sysctl of the network, which root of that namespace may not write."""
    port = ports.free()
    service = serve("tcp:8080", options=["--userns=keep-id", "-u", "0", "-p", f"{port}:8080"])
    assert tcp(port).startswith("tcp 8080 from")
    podpy.ok("exec", service.container, "true")


def test_a_host_address_is_the_only_one_that_listens(serve: Serve) -> None:
    port = ports.free()
    serve("tcp:80", options=["-p", f"127.0.0.1:{port}:80"])
    assert tcp(port).startswith("tcp 80")
    address = host_address()
    if address:
        with pytest.raises(OSError):
            tcp(port, address)


def test_clients_keep_their_address(serve: Serve) -> None:
    address = host_address()
    port = ports.free(kind=socket.SOCK_DGRAM)
    serve(f"udp:{port}", options=["--network", "pasta:fixed", "-p", f"{port}:{port}/udp"])
    assert address in ("", LOCALHOST) or udp(port, address) == f"udp {port} from ::ffff:{address}"


def test_a_service_that_speaks_first_is_heard_from_elsewhere(serve: Serve) -> None:
    """As SSH and SMTP do. Debian 12's pasta can't, so there it is slirp4netns by default."""
    port = ports.free()
    serve("tcp:80", options=["-p", f"{port}:80"])
    assert tcp(port, host_address() or LOCALHOST).startswith("tcp 80 from")


@BOTH
def test_a_range_of_ports(serve: Serve, podpy: Podpy, network: str) -> None:
    first = ports.free(3)
    inside = ["tcp:9001", "tcp:9002", "tcp:9003"]
    service = serve(*inside, options=["--network", network, "-p", f"{first}-{first + 2}:9001-9003"])
    assert [tcp(first + i).split()[1] for i in range(3)] == ["9001", "9002", "9003"]
    lines = [f"{9001 + i}/tcp -> 0.0.0.0:{first + i}" for i in range(3)]
    assert podpy.ok("port", service.container).splitlines() == podpy.ok("port", "-l").splitlines() == lines
    identifier = podpy.ok("ps", "-q")
    assert podpy.ok("port", "-a").splitlines() == [f"{identifier}\t{line}" for line in lines]
    assert podpy.ok("port", service.container, "9002/tcp") == f"0.0.0.0:{first + 1}"
    podpy("port", service.container, "9002/udp").fails(125, 'failed to find published port "9002/udp"')


@BOTH
def test_an_ephemeral_port_is_told_by_podpy_port_and_survives_a_restart(
    serve: Serve, podpy: Podpy, network: str
) -> None:
    service = serve("tcp:80", options=["--network", network, "-p", "80"])
    port = service.port("80/tcp")
    assert tcp(port).startswith("tcp 80")
    assert podpy.ok("port", service.container) == f"80/tcp -> 0.0.0.0:{port}"
    podpy.ok("restart", "-t", "0", service.container)
    assert service.port("80/tcp") == port


SLOW = """#!{python}
import os, re, subprocess, sys, time
port = re.search(r"(\\d+):80$", sys.argv[sys.argv.index("-t") + 1])[1]
with open("{log}", "a") as log:
    print(port, file=log)
while not os.path.exists("{go}"):
    time.sleep(0.02)
sys.exit(subprocess.run(["/usr/bin/pasta", *sys.argv[1:]]).returncode)
"""


def on_all(port: int) -> socket.socket:
    """Listen on all addresses."""
    return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)


def on_ipv4(port: int) -> socket.socket:
    """Listen on all of IPv4's; pasta would be content with IPv6's then."""
    return socket.create_server(("0.0.0.0", port))


@pytest.mark.parametrize("taken", [on_all, on_ipv4])
def test_another_ephemeral_port_is_chosen_if_somebody_takes_the_first(
    podpy: Podpy, busybox: str, taken: Callable[[int], socket.socket]
) -> None:
    """Between podpy's choice and pasta's bind(2) anybody may. A port that was asked for is lost then."""
    needs.require("ipv6")
    pasta = podpy.home / "bin/pasta"
    log, go = pasta.parent / "log", pasta.parent / "go"
    pasta.parent.mkdir()
    pasta.write_text(SLOW.format(python=sys.executable, log=log, go=go))
    pasta.chmod(0o755)
    pasta.parent.chmod(0o777)
    env = {"PATH": f"{pasta.parent}:{podpy.environment()['PATH']}"}

    def start(name: str, port: str) -> tuple[int, str]:
        how = ("run", "-d", f"--name={name}", "--network=pasta", "-p", port, busybox, "sleep", "1000")
        podpy_ = podpy.popen(*how, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait.until(lambda: log.exists() and log.read_text().endswith("\n"), what="pasta has begun")
        with taken(int(log.read_text())):
            go.touch()
            said = podpy_.communicate(timeout=60)[1].decode()
        go.unlink()
        return podpy_.returncode, said

    code, said = start("c", "80")
    assert (code, said) == (0, ""), said
    first, second = log.read_text().split()
    assert first != second
    assert podpy.ok("port", "c") == f"80/tcp -> 0.0.0.0:{second}"
    with contextlib.suppress(ConnectionResetError):  # pasta listens; nobody does in the container
        socket.create_connection((LOCALHOST, int(second)), timeout=60).close()
    log.unlink()
    code, said = start("d", f"{ports.free()}:80")
    assert (code, "address already in use" in said) == (126, True), said


@pytest.mark.parametrize(("option", "expected"), [("--map-guest-addr", "524288"), ("--old", "")])
def test_senders_by_a_pasta_that_is_not_old_have_little_on_the_way(
    podpy: Podpy, busybox: str, option: str, expected: str
) -> None:
    """--map-guest-addr tells that it isn't. The user's own --sysctl comes after that; others keep the host's setting.

    On a user network its way out is what counts.
    """
    pasta = podpy.home / "bin/pasta"
    pasta.parent.mkdir()
    pasta.write_text(f'#!/bin/sh\n[ "$*" != --help ] || exec echo {option}\nexec {which("pasta")} "$@"\n')
    pasta.chmod(0o755)
    pasta.parent.chmod(0o755)
    env = {"PATH": f"{pasta.parent}:{podpy.environment()['PATH']}"}
    setting = "/proc/sys/net/ipv4/tcp_wmem"
    for network in ("pasta:fixed", define(podpy, "user")):
        run = ("run", "--rm", "--network", network)
        found = podpy.ok(*run, busybox, "cat", setting, env=env).split()
        assert found[-1] == (expected or Path(setting).read_text().split()[-1])
        own = "4096 16384 65536"
        found = podpy.ok(*run, "--sysctl", f"net.ipv4.tcp_wmem={own}", busybox, "cat", setting, env=env).split()
        assert found == own.split()


def test_all_exposed_ports(serve: Serve) -> None:
    service = serve("tcp:80", "tcp:443", options=["-P", "--expose", "80", "--expose", "443/tcp"])
    assert tcp(service.port("80/tcp")).startswith("tcp 80")
    assert tcp(service.port("443/tcp")).startswith("tcp 443")


def test_ipv6(serve: Serve) -> None:
    needs.require("ipv6")
    port = ports.free()
    serve("tcp:80", options=["-p", f"[::1]:{port}:80"])
    assert tcp(port, "::1").startswith("tcp 80")


def test_a_port_on_all_ipv4_and_all_ipv6_addresses(serve: Serve) -> None:
    needs.require("ipv6")
    port = ports.free()
    serve("tcp:80", options=["-p", f"0.0.0.0:{port}:80", "-p", f"[::]:{port}:80"])
    assert tcp(port).startswith("tcp 80")
    assert tcp(port, "::1").startswith("tcp 80")


def test_a_port_twice_is_one_and_neighbours_are_a_range(podpy: Podpy, busybox: str) -> None:
    first = ports.free(3)
    twice = ["-p", f"{first}:80", "-p", f"{first}:80"]
    podpy.ok("run", "-d", "--name=c", *twice, "-p", f"{first + 1}-{first + 2}:81-82", busybox, "sleep", "1000")
    assert podpy.ok("port", "c").splitlines() == [f"{80 + i}/tcp -> 0.0.0.0:{first + i}" for i in range(3)]
    assert podpy.ok("ps", "--format", "{{.Ports}}") == f"0.0.0.0:{first}-{first + 2}->80-82/tcp"
    clash = [f"--publish={ports.free()}:{inside}" for inside in (80, 81)]
    podpy("run", "--rm", *clash, busybox, "true").fails(126, "is published twice")


def test_a_port_on_two_addresses_is_published_or_says_how_to_ask(podpy: Podpy, busybox: str) -> None:
    needs.require("ipv6")
    port = ports.free()
    done = podpy("run", "--rm", "-p", f"127.0.0.1:{port}:80", "-p", f"[::1]:{port}:80", busybox, "true")
    if done.returncode:  # pasta of before 2024
        done.fails(126, "Overlapping port specifier", "-p 8080:80")
        assert "slirp4netns" not in done.stderr


@BOTH
def test_a_taken_port_is_an_error_that_names_it(podpy: Podpy, busybox: str, network: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        result = podpy("run", "--name", "c", "--network", network, "-p", f"{port}:80", busybox, "true")
        result.fails(126, f"{port}/tcp", "address already in use")
        podpy("start", "c").fails(125, 'Error: unable to start container "', f"{port}/tcp", "address already in use")
    assert_no_helper_is_left(podpy)
    assert podpy.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}") == "c Created"
    podpy.ok("start", "--attach", "c")


def test_a_port_of_another_container_is_taken(serve: Serve, podpy: Podpy, busybox: str) -> None:
    port = ports.free()
    serve("tcp:80", options=["-p", f"{port}:80"])
    podpy("run", "--rm", "-p", f"{port}:80", busybox, "true").fails(126, "address already in use by pid")


def test_a_privileged_port_says_which_sysctl(podpy: Podpy, busybox: str) -> None:
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 81:
        return
    result = podpy("run", "--rm", "-p", "81:80", busybox, "true")
    result.fails(126, "81/tcp", "sudo sysctl net.ipv4.ip_unprivileged_port_start=81")


@BOTH
def test_the_host_is_reached_by_its_name(podpy: Podpy, busybox: str, network: str) -> None:
    if not host_address():
        return
    with socket.create_server(("0.0.0.0", 0)) as server:
        port = server.getsockname()[1]
        script = f"sleep 2 | nc -w 5 $(grep host.containers.internal /etc/hosts | cut -f1) {port}"
        container = podpy.popen(
            "run", "--rm", "--network", network, busybox, "sh", "-c", script, stdout=subprocess.PIPE
        )
        server.settimeout(60)
        client, _ = server.accept()
        client.sendall(b"from the host")
        client.close()
        assert container.communicate(timeout=60)[0] == b"from the host"


def mapped_loopback(podpy: Podpy, busybox: str, network: str) -> bytes:
    with socket.create_server((LOCALHOST, 0)) as server:
        port = server.getsockname()[1]
        script = f"sleep 2 | nc -w 3 10.0.2.2 {port}"
        container = podpy.popen(
            "run", "--rm", "--network", network, busybox, "sh", "-c", script, stdout=subprocess.PIPE
        )

        def has_client() -> bool:
            return bool(select.select([server], [], [], 0)[0])

        wait.until(lambda: has_client() or container.poll() is not None, what="a client, or the container's end")
        if has_client():
            client, _ = server.accept()
            client.sendall(b"from the loopback device")
            client.close()
        output: bytes = container.communicate(timeout=wait.PATIENCE)[0]
        return output


@pytest.mark.parametrize("network", ["pasta:fixed,--map-gw", "slirp4netns:allow_host_loopback=true"])
def test_the_hosts_loopback_device_is_the_gateway_if_asked(podpy: Podpy, busybox: str, network: str) -> None:
    assert mapped_loopback(podpy, busybox, network) == b"from the loopback device"


@FIXED
def test_the_hosts_loopback_device_is_closed_otherwise(podpy: Podpy, busybox: str, network: str) -> None:
    assert mapped_loopback(podpy, busybox, network) == b""


@FIXED
def test_files_and_addresses_inside(podpy: Podpy, busybox: str, network: str) -> None:
    script = "cat /etc/hosts /etc/resolv.conf /etc/hostname; ip -4 addr; ip route"
    options = ["--name", "web", "--hostname", "www", "--add-host", "db:10.1.2.3", "--dns-search", "example.org"]
    text = podpy.ok("run", "--rm", "--network", network, *options, busybox, "sh", "-c", script)
    lines = [line.split() for line in text.splitlines()]
    for line in ("10.1.2.3 db", "10.0.2.100 www web", "search example.org", "nameserver 10.0.2.3", "www"):
        assert line.split() in lines, text
    assert "inet 10.0.2.100/24" in text
    assert "default via 10.0.2.2" in text


def test_slirp4netns_counts_addresses_from_its_network(serve: Serve, podpy: Podpy) -> None:
    port = ports.free()
    service = serve("tcp:80", options=["--network=slirp4netns:cidr=10.9.8.0/24", "-p", f"{port}:80"])
    assert tcp(port).startswith("tcp 80 from")
    text = podpy.ok("exec", service.container, "cat", "/etc/hosts", "/etc/resolv.conf")
    assert "nameserver 10.9.8.3" in text and "10.9.8.100\t" in text and "10.0.2." not in text


def test_dns_options_and_no_hosts(podpy: Podpy, busybox: str) -> None:
    text = podpy.ok("run", "--rm", "--dns", "9.9.9.9", "--dns-option", "ndots:3", busybox, "cat", "/etc/resolv.conf")
    assert "nameserver 9.9.9.9" in text
    assert "options ndots:3" in text
    assert "10.0.2.3" not in text
    assert "10.0.2.100" not in podpy("run", "--rm", "--no-hosts", busybox, "cat", "/etc/hosts").stdout


def test_none_has_the_loopback_device_only(podpy: Podpy, busybox: str) -> None:
    text = podpy.ok("run", "--rm", "--network", "none", busybox, "ip", "-o", "link")
    assert [line.split()[1] for line in text.splitlines()] == ["lo:"]
    assert "UP" in text
    assert_no_helper_is_left(podpy)
    podpy("run", "--rm", "--network=none", busybox, "cat", "/etc/resolv.conf").fails(1, "No such file")
    text = podpy.ok("run", "--rm", "--network=none", "--name=c", "--hostname=h", busybox, "cat", "/etc/hosts")
    assert text.endswith("\n127.0.0.1\th c")
    assert not host_address() or f"{host_address()}\thost.containers.internal host.docker.internal\n" in text
    refused = "conflicting options: dns and the network mode: none"
    podpy("run", "--network=none", "--dns-search=a.b", busybox, "true").fails(125, refused)


def test_host_shares_the_hosts_network(podpy: Podpy, busybox: str) -> None:
    with socket.create_server((LOCALHOST, 0)) as server:
        port = server.getsockname()[1]
        command = ["nc", "-w", "5", LOCALHOST, str(port)]
        container = podpy.popen("run", "--rm", "--network", "host", busybox, *command, stdout=subprocess.PIPE)
        server.settimeout(60)
        client, _ = server.accept()
        client.sendall(b"same network")
        client.close()
        assert container.communicate(timeout=60)[0] == b"same network"
    text = podpy.ok("run", "--rm", "--network=host", "--name=c", busybox, "cat", "/etc/hosts")
    assert "127.0.0.1\thost.containers.internal host.docker.internal" in text
    assert "c" not in text.split(), "no line of its own"


def test_a_container_shares_anothers_network(serve: Serve, podpy: Podpy, busybox: str) -> None:
    service = serve("tcp:80", options=["--name", "first"])
    joined = ["run", "--rm", "--network", f"container:{service.container}", busybox]
    assert podpy.ok(*joined, "nc", "-w", "5", LOCALHOST, "80").startswith("tcp 80 from")
    text = podpy.ok("run", "--name=second", *joined[1:], "cat", "/etc/hosts", "/etc/resolv.conf")
    own = next(line for line in text.splitlines() if "second" in line)
    assert own.startswith("127.0.0.1\t") and " first\n" in text and "nameserver" in text
    assert "second" not in podpy.ok("exec", "first", "cat", "/etc/hosts"), "its line has gone with it"
    podpy("run", "--rm", "--no-hosts", *joined[2:], "cat", "/etc/hosts").fails(1, "No such file")
    refused = "conflicting options: dns and the network mode: container"
    podpy("run", "--rm", "--network=container:first", "--dns=1.1.1.1", busybox, "true").fails(125, refused)
    refused = "cannot set extra host entries when the container is joined to another containers network namespace"
    podpy("run", "--rm", "--network=container:first", "--add-host=a:1.1.1.1", busybox, "true").fails(125, refused)


@BOTH
def test_detached_run_keeps_nothing_of_the_caller_open(podpy: Podpy, busybox: str, network: str) -> None:
    reading, writing = os.pipe()
    command = podpy.command("run", "-d", "--network", network, busybox, "sleep", "100")
    process = subprocess.Popen(
        command,
        env=podpy.environment(),
        stdout=subprocess.DEVNULL,
        pass_fds=[writing],
        **podpy.user.as_popen_arguments(),
    )
    os.close(writing)
    assert process.wait(wait.PATIENCE) == 0
    with os.fdopen(reading, "rb") as pipe:
        assert select.select([pipe], [], [], 10)[0] and pipe.read() == b"", "a helper holds the caller's descriptor"


@BOTH
def test_the_helper_ends_with_the_container(podpy: Podpy, busybox: str, network: str) -> None:
    podpy.ok("run", "--network", network, "--name", "c", busybox, "true")
    assert_no_helper_is_left(podpy)
    assert podpy.ok("ps", "-a", "--format", "{{.Names}}") == "c"


def test_pasta_ends_without_any_podpy_call(podpy: Podpy, busybox: str) -> None:
    container = podpy.ok("run", "-d", busybox, "sleep", "100")
    assert len(helpers_of(podpy)) == 1
    pid = int(podpy.ok("inspect", "--format", "{{.State.Pid}}", container))
    os.kill(pid, 9)
    assert_no_helper_is_left(podpy)


def test_it_starts_without_a_network(podpy: Podpy, busybox: str) -> None:
    """A host that has nothing but its loopback device: a laptop in a train, a machine before its network is up."""
    inner = podpy.command("run", "--rm", "-p", "18080:80", busybox, "sh", "-c", "ip -4 -o addr; cat /etc/resolv.conf")
    arguments = podpy.user.as_popen_arguments()
    drop = ["setpriv", f"--reuid={podpy.user.uid}", f"--regid={podpy.user.gid}", "--clear-groups"]
    script = 'ip link set lo up; exec "$@"'
    command = ["unshare", "--net", "sh", "-c", script, "sh", *(drop if arguments else []), *inner]
    if os.geteuid() != 0:
        command.insert(1, "--map-root-user")
    done = subprocess.run(command, env=podpy.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "10.0.2.100/24" in done.stdout
    assert "nameserver 10.0.2.3" in done.stdout


def test_both_helpers_are_installed() -> None:
    assert which("pasta")
    assert which("slirp4netns")
