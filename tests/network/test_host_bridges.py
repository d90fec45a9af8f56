"""Podpy as root: bridges in the host's own network namespace, which is one of the test's own here.

client 192.0.2.7 ── 192.0.2.1 host 10.89.N.1 ── podmanN ── 10.89.N.2 container
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.engine import CHECKOUT

_BEGIN = f"""
import os, sys
sys.path[:0] = [{str(CHECKOUT / "src")!r}, {str(CHECKOUT)!r}]
from podpy import linux
from podpy.config.containers_conf import ContainersConf
from podpy.config.paths import Paths
from podpy.network.bridge import links, nftables
from podpy.network.bridge.host import HostNamespace
from podpy.network.bridge.host_firewall import HostFirewall
from podpy.network.bridge.netlink import Netlink
from tests.network import inside
directory = sys.argv[1]
paths = Paths.find(directory + "/root", directory + "/run")
linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
space = HostNamespace(paths, ContainersConf())
with space:
    host = space.open()
firewall = HostFirewall(host, space.owner)
rt = Netlink.open(host)
rt.add(links.RTM_SETLINK, 0, links.LINK.pack(0, 0, 1, 1, 1))  # the loopback device
client = inside.container(directory, "client")
out = links.make_bridge(rt, links.Bridge(name="uplink0", addresses=["192.0.2.1/24", "2001:db8::1/64"]))
links.attach(rt, client, out, links.Plug(interface="eth0", addresses=["192.0.2.7/24", "2001:db8::7/64"],
                                         gateways=["192.0.2.1", "2001:db8::1"]))
rt.add(links.RTM_SETLINK, 0, links.LINK.pack(0, 0, out, 0, 0) + links.text(20, ""))  # not podpy's
rt.send()
def network(number, **how):
    here = links.make_bridge(rt, links.Bridge(name=f"podman{{number}}",
                                              addresses=[f"10.89.{{number}}.1/24", f"fd00:{{number}}::1/64"],
                                              owner=space.owner))
    space.allow(host, f"podman{{number}}", **how)
    return here
def attached(name, number, host=2):
    netns = inside.container(directory, name)
    plug = links.Plug(interface="eth0", addresses=[f"10.89.{{number}}.{{host}}/24", f"fd00:{{number}}::{{host}}/64"],
                      gateways=[f"10.89.{{number}}.1", f"fd00:{{number}}::1"])
    links.attach(rt, netns, bridges[number], plug)
    return netns
"""


@pytest.fixture
def host(tmp_path: Path) -> Callable[[str], str]:
    """Run code in a namespace that plays the host."""
    needs.require("mount")

    def run(code: str) -> str:
        command = ["unshare", "--net", "--mount", sys.executable, "-c", _BEGIN + code, os.fspath(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    return run


def test_containers_reach_out_with_the_hosts_address_and_each_other_only_on_one_network(
    host: Callable[[str], str],
) -> None:
    code = """
bridges = {1: network(1), 2: network(2), 3: network(3, internal=True)}
one, same, two, three = attached("one", 1), attached("same", 1, 3), attached("two", 2), attached("three", 3)
servers = [inside.listen(netns, address) for netns, address in (
    (client, "192.0.2.7"), (client, "2001:db8::7"), (same, "10.89.1.3"), (two, "10.89.2.2"))]
print(inside.connect(one, "192.0.2.7"), servers[0].accept()[1][0])
print(inside.connect(one, "2001:db8::7"), servers[1].accept()[1][0])
print(inside.connect(one, "10.89.1.3"), inside.connect(one, "10.89.2.2"), inside.connect(three, "192.0.2.7"), sep=", ")
space.allow(host, "podman1", friends=["podman2"])
print(inside.connect(one, "10.89.2.2"))
firewall.forget("podman1")
bridges[1] = network(1, internal=True)
print(inside.connect(one, "192.0.2.7"), inside.connect(one, "10.89.2.2"), sep=", ")
"""
    assert host(code).splitlines() == [
        "10.89.1.2 192.0.2.1",
        "fd00:1::2 2001:db8::1",
        "10.89.1.2, No route to host, No route to host",
        "10.89.1.2",
        "No route to host, No route to host",
    ]


def test_a_published_port_is_reached_from_everywhere_and_shows_who_called(host: Callable[[str], str]) -> None:
    code = """
import socket
bridges = {1: network(1), 2: network(2)}
one, same, two = attached("one", 1), attached("same", 1, 3), attached("two", 2)
servers = {address: inside.listen(one, address) for address in ("10.89.1.2", "fd00:1::2")}
ports = [("tcp", "", 8080, "10.89.1.2", 80), ("tcp", "::", 8080, "fd00:1::2", 80),
         ("tcp", "192.0.2.1", 9090, "10.89.1.2", 80)]
space.publish(host, ports)
def called(netns, address, port=8080):
    assert ":" in (seen := inside.connect(netns, address, port)) or "." in seen, seen
    server = servers["fd00:1::2" if ":" in address else "10.89.1.2"]
    return server.accept()[1][0]
print(called(client, "192.0.2.1"), called(client, "2001:db8::1"), called(client, "192.0.2.1", 9090))
print(called(host, "192.0.2.1"), inside.connect(host, "127.0.0.1", 8080), inside.connect(host, "::1", 8080), sep=", ")
print(called(two, "192.0.2.1"))
# With br_netfilter's tables on, the answer passes them, too, and the caller's own address can stay.
assert called(same, "192.0.2.1") in ("10.89.1.1", "10.89.1.3")
print(inside.connect(host, "127.0.0.1", 9090), inside.connect(client, "192.0.2.1", 80), sep=", ")
print(inside.connect(client, "10.89.1.2"))
space.withdraw(lambda address: address != "10.89.1.2")
print(inside.connect(client, "192.0.2.1", 8080), called(client, "2001:db8::1"), sep=", ")
space.publish(host, [("tcp", "", 8080, "10.89.2.2", 80), ("tcp", "::", 8080, "fd00:2::2", 80)])
servers["fd00:1::2"] = inside.listen(two, "fd00:2::2")
print(called(client, "2001:db8::1"))
space.withdraw(lambda address: False)
print(inside.connect(client, "192.0.2.1", 8080), inside.connect(client, "192.0.2.1", 9090), sep=", ")
"""
    assert host(code).splitlines() == [
        "192.0.2.7 2001:db8::7 192.0.2.7",
        "192.0.2.1, Connection refused, Connection refused",
        "10.89.2.2",
        "Connection refused, Connection refused",
        "No route to host",
        "Connection refused, 2001:db8::7",
        "2001:db8::7",
        "Connection refused, Connection refused",
    ]


def test_two_run_roots_have_tables_and_bridges_of_their_own(host: Callable[[str], str]) -> None:
    code = """
bridges = {1: network(1)}
other = HostNamespace(Paths.find(directory + "/root2", directory + "/run2"), ContainersConf())
with other:
    other.open()
    links.make_bridge(rt, links.Bridge(name="podman2", addresses=["10.89.2.1/24"], owner=other.owner))
    other.allow(host, "podman2")
    for name in ("podman1", "uplink0"):
        told = inside.fails(lambda: links.make_bridge(rt, links.Bridge(name=name, owner=other.owner)))
        print(told.partition(". ")[0])
bridges[2] = links.find(rt, "podman2").index
one, two = attached("one", 1), attached("two", 2)
server = inside.listen(two, "10.89.2.2")
print(inside.connect(one, "10.89.2.2"))
other.publish(host, [("tcp", "", 8080, "10.89.2.2", 80)])
print(inside.connect(one, "192.0.2.1", 8080), server.accept()[1][0])
with other:
    other.end()
with other:  # once the background has done its work
    print([link.name for link in links.all_links(rt) if link.kind == "bridge"])
print(nftables.is_loaded(host, other.owner), nftables.is_loaded(host, space.owner))
"""
    assert host(code).splitlines() == [
        "InUseError: bridge podman1 is there and is somebody else's",
        "InUseError: bridge uplink0 is there and is somebody else's",
        "No route to host",
        "10.89.1.2 10.89.2.1",
        "['uplink0', 'podman1']",
        "False True",
    ]


def test_other_tables_and_devices_stay_as_they_are(host: Callable[[str], str]) -> None:
    code = """
import subprocess
chain = "type filter hook forward priority 0; policy accept; iifname uplink0 counter;"
other = "table inet other { chain pass { " + chain + " }; }"
subprocess.run(["nft", other], check=True)
bridges = {1: network(1)}
attached("one", 1)
before = subprocess.run(["nft", "list", "table", "inet", "other"], capture_output=True).stdout
with HostNamespace(paths, ContainersConf()) as last:
    last.remove_bridge("podman1")
    network(2)
    last.end()
with HostNamespace(paths, ContainersConf()) as after:  # once the background has done its work
    print([link.name for link in links.all_links(rt) if link.kind == "bridge"], nftables.is_loaded(host, space.owner))
    after.end()
tables = inside.tool(host, "nft", "-j", "list", "tables")["nftables"][1:]
print([table["table"]["name"] for table in tables])
assert before == subprocess.run(["nft", "list", "table", "inet", "other"], capture_output=True).stdout
"""
    assert host(code).splitlines() == ["['uplink0'] False", "['other']"]


def test_a_flushed_firewall_is_loaded_again(host: Callable[[str], str]) -> None:
    code = """
import subprocess
subprocess.run(["nft", "flush", "ruleset"], check=True)
print(inside.fails(lambda: space.allow(host, "podman1")))
with HostNamespace(paths, ContainersConf()) as again:
    again.open()
space.allow(host, "podman1")
print(len(nftables.elements(host, "itself", space.owner)))
"""
    assert host(code).splitlines() == ["KernelError: [Errno 2] No such file or directory", "1"]
