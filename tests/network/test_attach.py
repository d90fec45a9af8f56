"""Containers on user networks: who reaches whom, by which address and name, and what is left at the end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.network.user_networks import addresses, ask, clean, define, serve
from tests.rootless.helpers import python
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")


def test_two_containers_by_address_and_name(podpy: Podpy, busybox: str) -> None:
    both = ({"subnet": "10.89.9.0/24", "gateway": "10.89.9.1"}, {"subnet": "fd00:9::/64", "gateway": "fd00:9::1"})
    net = define(podpy, "net", *both)
    podpy.ok("run", "-d", "--name=web", "--hostname=shop", f"--network={net}:alias=www", busybox, *SLEEP)
    podpy.ok("run", "-d", "--name=client", "--network", net, busybox, *SLEEP)
    serve(podpy, "web")
    for name in ("10.89.9.2", "fd00:9::2", "web", "www", "shop", "web.dns.podman"):
        assert ask(podpy, "client", name) == "shop", name
    assert podpy.ok("exec", "client", "cat", "/etc/resolv.conf") == (
        "search dns.podman\nnameserver 10.89.9.1\nnameserver fd00:9::1"
    )
    short = podpy.ok("ps", "--filter", "name=client", "--format", "{{.ID}}")
    lines = podpy.ok("exec", "client", "cat", "/etc/hosts").splitlines()
    assert lines[-2:] == [f"10.89.9.3\t{short} client", f"fd00:9::3\t{short} client"]
    podpy.ok("rm", "-f", "-t0", "web")
    assert "NXDOMAIN" in podpy("exec", "client", "nslookup", "www").stdout
    podpy.ok("rm", "-f", "-t0", "client")
    assert clean(podpy)


def test_several_networks_in_the_order_of_the_command_line(podpy: Podpy, busybox: str) -> None:
    one, two = define(podpy, "zz"), define(podpy, "aa")
    podpy.ok("run", "-d", "--name=c", "--network", one, "--network", f"{two}:interface_name=lan7", busybox, *SLEEP)
    shown = podpy.ok("exec", "c", "ip", "-o", "-4", "address")
    assert "eth0    inet 10.89.0.2/24" in shown and "lan7    inet 10.89.1.2/24" in shown
    assert podpy.ok("exec", "c", "cat", "/etc/resolv.conf") == (
        "search dns.podman\nnameserver 10.89.0.1\nnameserver 10.89.1.1"
    )
    assert podpy.ok("ps", "--format", "{{.Networks}}") == "zz,aa"
    for name in ("zz", "aa"):
        assert podpy.ok("ps", "--filter", f"network={name}", "--format", "{{.Names}}") == "c"
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}{{.HostConfig.NetworkMode}}"
    assert podpy.ok("inspect", "--format", template, "c") == "10.89.1.2 10.89.0.2 bridge"
    podpy.ok("stop", "-t0", "c")
    assert addresses(podpy, "c") == {"zz": "", "aa": ""}


def test_networks_are_isolated_from_each_other(podpy: Podpy, busybox: str) -> None:
    for number in range(2):
        podpy.ok("run", "-d", f"--name=c{number}", "--network", define(podpy, f"n{number}"), busybox, *SLEEP)
        serve(podpy, f"c{number}")
    assert ask(podpy, "c0", "10.89.1.2") == ask(podpy, "c1", "10.89.0.2") == ""
    assert "NXDOMAIN" in podpy("exec", "c0", "nslookup", "c1").stdout
    podpy.ok("run", "-d", "--name=c2", "--network=n0", "--network=n1", busybox, *SLEEP)
    assert len(ask(podpy, "c2", "c0")) == len(ask(podpy, "c2", "c1")) == 12  # short ids


def test_networks_that_want_no_isolation_reach_each_other(podpy: Podpy, busybox: str) -> None:
    for number, isolate in enumerate(("false", "false", "true", "strict")):
        net = define(podpy, f"n{number}", options={"isolate": isolate})
        podpy.ok("run", "-d", f"--name=c{number}", f"--hostname=h{number}", "--network", net, busybox, *SLEEP)
        serve(podpy, f"c{number}")
    assert [ask(podpy, "c0", f"10.89.{number}.2") for number in range(4)] == ["h0", "h1", "h2", ""]
    assert ask(podpy, "c2", "10.89.3.2") == ""


def test_the_way_out_and_an_internal_network_without_one(podpy: Podpy, busybox: str) -> None:
    open_one, inner = define(podpy, "open"), define(podpy, "inner", internal=True)
    found = podpy.ok("run", "--rm", "--network", open_one, busybox, "ip", "route")
    assert found.startswith("default via 10.89.0.1 dev eth0")
    assert "default" not in podpy.ok("run", "--rm", "--network", inner, busybox, "ip", "route")


def test_the_way_out_starts_with_the_first_network_that_has_one(podpy: Podpy, busybox: str) -> None:
    inner, net = define(podpy, "inner", internal=True), define(podpy, "net")
    program = podpy.runroot / "networks/pasta.pid"
    podpy.ok("run", "-d", "--name=c", "--network", inner, busybox, *SLEEP)
    assert not program.exists()
    assert podpy.ok("run", "--rm", "--network", inner, busybox, "nslookup", "-type=a", "c").count("10.89.0.2") == 1
    podpy.ok("network", "connect", net, "c")
    assert Path(f"/proc/{program.read_text().strip()}").exists()
    assert "FAIL" not in podpy.ok("doctor", "--network", net)


def test_an_address_of_ones_own(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    own = ("--ip=10.89.0.77", "--mac-address=02-00-00-00-00-0a")
    first = podpy.ok("run", "-d", "--name=a", "--network", net, *own, busybox, *SLEEP)
    assert "HWaddr 02:00:00:00:00:0A" in podpy.ok("exec", "a", "ifconfig", "eth0")
    podpy("run", "--network", f"{net}:ip=10.89.0.77", busybox).fails(
        126, f"Error: IPAM error: requested ip address 10.89.0.77 is already allocated to container ID {first}"
    )
    podpy("run", "--network", f"{net}:ip=10.9.2.5", busybox).fails(
        125, "Error: requested static ip 10.9.2.5 not in any subnet on network net"
    )
    podpy("run", "--network", f"{net}:ip=10.89.0.1", busybox).fails(126, "10.89.0.1 is the gateway of network net")
    podpy.ok("rm", "-f", "-t0", "a")
    assert podpy.ok("run", "--rm", "--network", f"{net}:ip=10.89.0.77", busybox, "hostname", "-i") == "10.89.0.77"


def test_containers_conf_calls_interfaces_as_the_networks_devices(podpy: Podpy, busybox: str) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text('[containers]\ninterface_name = "device"\n')
    conf.chmod(0o644)
    own = {"CONTAINERS_CONF_OVERRIDE": str(conf)}
    one, two = define(podpy, "one"), define(podpy, "two")
    devices = [podpy.ok("network", "inspect", "--format", "{{.NetworkInterface}}", net) for net in (one, two)]
    container = ("run", "-d", "--name=c", "--network", one, busybox, *SLEEP)
    podpy.ok(*container, env=own)
    podpy.ok("network", "connect", two, "c", env=own)
    shown = podpy.ok("exec", "c", "ip", "-o", "link")
    assert all(f" {device}@" in shown for device in devices)


def test_neighbours_reach_who_gets_the_address_of_another(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net", {"subnet": "10.89.9.0/24", "gateway": "10.89.9.1"}, {"subnet": "fd00:9::/64"})
    podpy.ok("run", "-d", "--name=client", "--network", net, busybox, *SLEEP)
    own = ["--ip=10.89.9.77", "--ip6=fd00:9::77"]
    for name in ("one", "two"):  # the client still knows the first one's hardware address
        podpy.ok("run", "-d", f"--name={name}", f"--hostname={name}", "--network", net, *own, busybox, *SLEEP)
        serve(podpy, name)
        assert ask(podpy, "client", "10.89.9.77") == ask(podpy, "client", "fd00:9::77") == name
        podpy.ok("rm", "-f", "-t0", name)


def test_the_next_address_comes_after_the_last_one_and_a_restart_keeps_it(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    for number in (2, 3):
        assert podpy.ok("run", "--rm", "--network", net, busybox, "hostname", "-i") == f"10.89.0.{number}"
    podpy.ok("run", "-d", "--name=c", "--network", net, busybox, *SLEEP)
    assert addresses(podpy, "c") == {"net": "10.89.0.4"}
    podpy.ok("restart", "-t0", "c")
    assert addresses(podpy, "c") == {"net": "10.89.0.4"}
    podpy.ok("stop", "-t0", "c")
    podpy.ok("start", "c")
    assert addresses(podpy, "c") == {"net": "10.89.0.5"}


def test_a_full_subnet(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net", {"subnet": "10.1.3.0/30", "gateway": "10.1.3.1"})
    podpy.ok("run", "-d", "--name=a", "--network", net, busybox, *SLEEP)
    podpy("run", "--name=b", "--network", net, busybox).fails(
        126, "Error: IPAM error: failed to find free IP in range: 10.1.3.1 - 10.1.3.2"
    )
    assert podpy.ok("ps", "-a", "--filter", "name=b", "--format", "{{.State}}") == "created"
    podpy("start", "b").fails(125, "failed to find free IP in range")
    podpy.ok("rm", "-f", "-t0", "a")
    assert podpy("start", "-a", "b").returncode == 0


def test_mistakes_in_podmans_words(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    for code, options, text in (
        (125, ["--network=nosuch"], "unable to find network with name or ID nosuch: network not found"),
        (125, ["--network=host", f"--network={net}"], "cannot set multiple networks without bridge network mode"),
        (125, [f"--network={net}:ip=1.2.3"], 'invalid option for network net: invalid ip address "1.2.3"'),
        (125, [f"--network={net}:interface_name=lo"], "interface name lo invalid: it has a meaning of its own"),
        (125, [f"--network={net}:host_interface_name=a/b"], "interface name a/b invalid: interface name contains /"),
        (125, [f"--network={net}:mac=03:00:00:00:00:01"], "invalid MAC address: no device can have it"),
        (126, ["--rm", f"--network={net}:ip=10.89.0.255"], "10.89.0.255 is the broadcast address of network net"),
        (126, ["--rm", f"--network={net}:ip=10.89.0.0"], "10.89.0.0 is the subnet's own address of network net"),
        (125, ["--ip=10.89.0.9"], "networks and static ip/mac address can only be used with Bridge mode networking"),
        (125, ["--network=pasta", "--ip=10.89.0.9"], "--ip can only be set when the network mode is bridge"),
    ):
        podpy("run", *options, busybox).fails(code, text)
    assert podpy.ok("ps", "-aq") == ""


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"network_interface": "podman1"}, "its bridge podman1 is also that of network one"),
        ({}, "its subnet 10.89.0.128/25 overlaps 10.89.0.0/24 of network one"),
    ],
)
def test_definitions_that_get_in_each_others_way(podpy: Podpy, busybox: str, keys: dict[str, str], told: str) -> None:
    one = define(podpy, "one")
    two = define(podpy, "two", {"subnet": "10.89.0.128/25", "gateway": "10.89.0.129"}, **keys)
    podpy.ok("run", "-d", "--name=c", "--network", one, busybox, *SLEEP)
    for words in (("run", "--network", two, busybox, "true"), ("network", "connect", two, "c")):
        done = podpy(*words)
        assert f"network two: {told}, which containers are on" in done.describe()
        assert "Hint: Change one of two.json and one.json in " in done.stderr
    assert list(addresses(podpy, "c")) == ["one"]
    podpy.ok("rm", "-f", "-t0", "c")
    assert podpy.ok("run", "--rm", "--network", two, busybox, "true") == ""


def test_a_container_leaves_a_network_whose_definition_was_removed_by_hand(podpy: Podpy, busybox: str) -> None:
    for name in ("gone", "stays"):
        define(podpy, name)
    for container in ("one", "two"):
        podpy.ok("run", "-d", "--name", container, "--network=gone", "--network=stays", busybox, *SLEEP)
    (podpy.data_home / "containers/storage/networks/gone.json").unlink()
    podpy.ok("network", "disconnect", "gone", "one")
    assert list(addresses(podpy, "one")) == ["stays"]
    assert "10.89.0.1" not in podpy.ok("exec", "one", "grep", "nameserver", "/etc/resolv.conf")
    podpy.ok("restart", "-t0", "one")
    podpy("restart", "-t0", "two").fails(125, "unable to find network with name or ID gone")
    podpy.ok("network", "disconnect", "gone", "two")
    podpy.ok("start", "two")
    podpy.ok("rm", "-f", "-t0", "one", "two")
    assert clean(podpy)


def test_the_way_out_has_the_options_of_containers_conf(podpy: Podpy, busybox: str) -> None:
    conf = podpy.home / "containers.conf"
    conf.write_text('[network]\npasta_options = ["-m", "1400", "-a", "10.9.8.7", "--map-gw", "fixed"]\n')
    conf.chmod(0o644)
    net = define(podpy, "net")
    podpy.ok("run", "-d", "--network", net, busybox, *SLEEP, env={"CONTAINERS_CONF_OVERRIDE": str(conf)})
    pid = (podpy.runroot / "networks/pasta.pid").read_text().strip()
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    assert words[words.index("-m") + 1] == "1400"
    assert not {"10.9.8.7", "--map-gw", "--no-map-gw", "fixed"}.intersection(words)


def test_the_default_network_has_no_names(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=c", "--network=bridge", busybox, *SLEEP)
    settings = podpy.json("inspect", "c")[0]["NetworkSettings"]
    assert settings["IPAddress"] == settings["Networks"]["podman"]["IPAddress"] == "10.88.0.2"
    assert podpy.ok("exec", "c", "cat", "/etc/resolv.conf").startswith("nameserver 10.0.2.3")
    assert "inet 10.88.0.2/16" in podpy.ok("run", "--rm", "--network=container:c", busybox, "ip", "-o", "address")


def test_containers_that_start_together(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    command = ("run", "-d", "--network", net, busybox, *SLEEP)
    started = [podpy.popen(*command, stdout=subprocess.PIPE) for _ in range(10)]
    ids = [process.communicate(timeout=120)[0].decode().strip() for process in started]
    assert all(process.returncode == 0 for process in started)
    given = [addresses(podpy, container)["net"] for container in ids]
    assert sorted(given, key=lambda address: int(address.rpartition(".")[2])) == [f"10.89.0.{n}" for n in range(2, 12)]
    serve(podpy, ids[0])
    for container in ids[1:]:
        assert ask(podpy, container, ids[0][:12]) == ids[0][:12]
    podpy.ok("rm", "-f", "-t0", *ids)
    assert clean(podpy)


def test_what_a_start_does_is_explained(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    shown = podpy.ok("run", "--explain", "--name=c", "--network", f"{net}:alias=x", busybox)
    for text in ("addresses on net", "plug eth0 into the bridge podman1 of network net", "names: c, x, "):
        assert text in shown
    assert podpy.ok("ps", "-aq") == "" and clean(podpy)


def test_a_new_name_counts_at_once(podpy: Podpy, busybox: str) -> None:
    networks = define(podpy, "front"), define(podpy, "back")
    podpy.ok("run", "-d", "--name", "web", "--network", "front:alias=www", "--network", "back", busybox, "top")
    podpy.ok("run", "-d", "--name", "client", "--network", "back", busybox, "top")
    web = addresses(podpy, "web")
    podpy.ok("rename", "web", "shop")
    assert f"Address: {web['back']}" in podpy.ok("exec", "client", "nslookup", "shop.dns.podman")
    podpy("exec", "client", "nslookup", "web.dns.podman").fails(1)
    short = podpy.ok("inspect", "-f", "{{.Id}}", "shop")[:12]
    hosts = podpy.ok("exec", "shop", "cat", "/etc/hosts").splitlines()
    assert [line for line in hosts if short in line] == [f"{web[name]}\t{short} shop" for name in networks]
    assert not [line for line in hosts if "web" in line]
    assert f"Address: {web['front']}" in podpy.ok("exec", "shop", "nslookup", "www.dns.podman")
    podpy.ok("network", "disconnect", "back", "shop")
    assert web["back"] not in podpy.ok("exec", "shop", "cat", "/etc/hosts")
    podpy("exec", "client", "nslookup", "shop.dns.podman").fails(1)


def test_a_new_name_whose_call_was_killed_counts_after_the_next_one(podpy: Podpy, busybox: str) -> None:
    net = define(podpy, "net")
    for name in ("web", "client"):
        podpy.ok("run", "-d", "--name", name, "--network", net, busybox, "top")
    code = """
import os, signal
from podpy import Runtime
from podpy.libpod.networks import connecting
connecting.tell_name = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with Runtime() as runtime:
    runtime.containers.get("web").rename("shop")
"""
    assert python(podpy, code).returncode != 0
    assert f"Address: {addresses(podpy, 'shop')[net]}" in podpy.ok("exec", "client", "nslookup", "web.dns.podman")
    podpy.ok("run", "--rm", busybox, "true")
    assert f"Address: {addresses(podpy, 'shop')[net]}" in podpy.ok("exec", "client", "nslookup", "shop.dns.podman")
    podpy("exec", "client", "nslookup", "web.dns.podman").fails(1)
    assert "shop" in podpy.ok("exec", "shop", "cat", "/etc/hosts")


def test_a_new_name_counts_where_the_network_is_joined(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "web", busybox, "top")
    before = podpy.ok("exec", "web", "cat", "/etc/hosts").splitlines()
    short = podpy.ok("run", "-d", "--name", "side", "--network", "container:web", busybox, "top").strip()[:12]
    podpy.ok("rename", "side", "car")
    hosts = podpy.ok("exec", "web", "cat", "/etc/hosts").splitlines()
    assert [line for line in hosts if short in line] == [f"127.0.0.1\t{short} car"]
    podpy.ok("rm", "-f", "-t", "0", "car")
    hosts = podpy.ok("exec", "web", "cat", "/etc/hosts").splitlines()
    assert [line for line in hosts if not line.startswith("#")] == before


def test_a_new_name_on_the_default_networks_changes_no_file(podpy: Podpy, busybox: str) -> None:
    """As Podman: pasta's network has no names, and /etc/hosts gets the name at the next start."""
    podpy.ok("run", "-d", "--name", "web", busybox, "top")
    before = podpy.ok("exec", "web", "cat", "/etc/hosts")
    podpy.ok("rename", "web", "shop")
    assert podpy.ok("exec", "shop", "cat", "/etc/hosts") == before
    podpy.ok("restart", "-t", "0", "shop")
    assert podpy.ok("exec", "shop", "cat", "/etc/hosts") == before.replace("web", "shop")
