"""Networks with containers on them: what the network commands show, refuse and change."""

from __future__ import annotations

import re

import pytest

from tests.network.bridges import in_namespaces
from tests.network.user_networks import addresses, ask, clean, serve
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")
BRIDGES = """
from podpy.libpod.access import Here
from podpy.libpod.runtime import Runtime
from podpy.storage.network_rows import NetworkRows
with Runtime(access=Here()) as runtime, SharedNamespace(paths, conf) as shared:
    with Netlink.open(shared.find(NetworkRows(runtime.database).monitors())) as rt:
        print([name for name in ("br-a", "br-b") if links.find(rt, name)])
"""


@pytest.fixture
def shop(podpy: Podpy, busybox: str) -> str:
    """A network with two running containers, `web` and `db`, and one that never ran, `new`."""
    podpy.ok("network", "create", "--subnet=10.5.0.0/24", "--subnet=fd00:5::/64", "--dns=192.0.2.1", "shop")
    for name in ("web", "db"):
        podpy.ok("run", "-d", f"--name={name}", "--network=shop", busybox, *SLEEP)
    podpy.ok("create", "--name=new", "--network=shop", busybox, *SLEEP)
    return "shop"


def test_inspect_shows_who_runs_on_it(podpy: Podpy, shop: str) -> None:
    (found,) = podpy.json("network", "inspect", shop)
    ids = podpy.ok("ps", "-q", "--no-trunc", "--sort=created").split()
    assert [*found["containers"]] == sorted(ids)
    web = found["containers"][ids[0]]
    mac = web["interfaces"]["eth0"].pop("mac_address")
    assert re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", mac)
    assert web == {
        "name": "web",
        "interfaces": {
            "eth0": {
                "subnets": [
                    {"ipnet": "10.5.0.2/24", "gateway": "10.5.0.1"},
                    {"ipnet": "fd00:5::2/64", "gateway": "fd00:5::1"},
                ]
            }
        },
    }
    template = "{{range .Containers}}{{.Name}}{{range .Interfaces}} {{.MacAddress}}{{end}};{{end}}"
    assert f"web {mac};" in podpy.ok("network", "inspect", "--format", template, shop)
    podpy.ok("stop", "-t0", "web")
    assert [*podpy.json("network", "inspect", shop)[0]["containers"]] == [ids[1]]


def test_what_is_in_use_stays_until_it_is_forced(podpy: Podpy, shop: str) -> None:
    podpy.ok("rm", "-f", "-t0", "web", "db")  # `new` never ran, and has it all the same
    podpy("network", "rm", shop).fails(
        2,
        'Error: "shop" has associated containers with it. Use -f to forcibly delete containers and pods: network is '
        "being used",
    )
    assert podpy.ok("network", "prune", "-f") == ""
    assert podpy.ok("network", "ls", "-q", "--filter=dangling=false").split() == ["podman", "shop"]
    podpy.ok("start", "new")
    assert podpy.ok("network", "rm", "-f", shop) == shop
    assert podpy.ok("ps", "-aq") == ""
    assert podpy("network", "exists", shop).returncode == 1
    assert clean(podpy)


def test_a_dry_system_prune_counts_the_containers_that_would_go(podpy: Podpy, shop: str) -> None:
    podpy.ok("stop", "-t0", "web", "db")
    told = podpy.ok("system", "prune", "--dry-run")
    assert "Would delete Networks\nshop" in told
    podpy.ok("start", "db")
    assert "Networks" not in podpy.ok("system", "prune", "-f")
    podpy.ok("stop", "-t0", "db")
    assert "Deleted Networks\nshop" in podpy.ok("system", "prune", "-f")


def test_connect_disconnect_and_reload(podpy: Podpy, shop: str, busybox: str) -> None:
    podpy.ok("network", "create", "--subnet=10.6.0.0/24", "back")
    assert podpy.ok("network", "connect", "--ip=10.6.0.9", "--alias=store", "back", "db") == ""
    podpy.ok("network", "connect", "back", "web")
    assert addresses(podpy, "db") == {"back": "10.6.0.9", "shop": "10.5.0.3"}
    serve(podpy, "db")
    assert ask(podpy, "web", "store")
    ids = podpy.ok("ps", "-q", "--no-trunc", "--sort=created").split()
    assert podpy.ok("network", "reload", "web", "db").split() == ids
    assert sorted(podpy.ok("network", "reload", "--all").split()) == sorted(ids)
    assert ask(podpy, "web", "store")
    podpy("network", "connect", "back", "db").fails(
        125, f"container {ids[1]} is already connected to network back: network is already connected"
    )
    podpy.ok("network", "disconnect", "back", "db")
    assert addresses(podpy, "db") == {"shop": "10.5.0.3"}
    podpy("network", "disconnect", "back", "db").fails(125, "container db is not connected to network back")
    podpy("network", "disconnect", "-f", "nosuch", "db").fails(125, "unable to find network with name or ID nosuch")
    podpy("network", "connect", "--ip=x", "back", "db").fails(125, 'failed to parse IP: "x"')
    podpy.ok("run", "-d", "--name=alone", "--network=none", busybox, *SLEEP)
    podpy("network", "connect", "back", "alone").fails(125, '"none" is not supported: invalid network mode')
    podpy("network", "reload", "new").fails(125, "cannot reload network")
    told = podpy.ok("events", "--stream=false", "--filter=network=back", "--format={{.Status}} {{.Name}}")
    assert told.split("\n") == ["create ", "connect db", "connect web", "disconnect db"]


def test_other_name_servers_count_at_once(podpy: Podpy, shop: str) -> None:
    file = podpy.runroot / "networks/names" / shop
    assert file.read_text().startswith("10.5.0.1,fd00:5::1 192.0.2.1\n")
    podpy.ok("network", "update", "--dns-add=192.0.2.2", "--dns-drop=192.0.2.1", shop)
    first, *containers = file.read_text().splitlines()
    assert (first, len(containers)) == ("10.5.0.1,fd00:5::1 192.0.2.2", 2)
    podpy.ok("network", "update", "--dns-drop=192.0.2.2", shop)
    assert file.read_text().splitlines() == ["10.5.0.1,fd00:5::1", *containers]


def test_the_bridge_goes_with_its_network(podpy: Podpy, busybox: str) -> None:
    """While another container keeps the namespace of all bridges."""
    for name in ("a", "b"):
        podpy.ok("network", "create", f"--interface-name=br-{name}", name)
        podpy.ok("run", "-d", f"--name=c{name}", f"--network={name}", busybox, *SLEEP)
    assert in_namespaces(podpy, BRIDGES) == "['br-a', 'br-b']"
    podpy.ok("network", "rm", "-f", "a")
    assert in_namespaces(podpy, BRIDGES) == "['br-b']"
    podpy.ok("network", "rm", "-f", "b")
    assert clean(podpy)
