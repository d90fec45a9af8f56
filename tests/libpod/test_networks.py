"""`podpy network`: what users see of definitions. The words are those of Podman 5.4.2 and 6."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import podpy as podpy_package
from podpy.config.containers_conf import ContainersConf
from podpy.errors import UsageError
from podpy.network.definitions.cidr import Prefix
from podpy.network.definitions.create import Existing, new
from podpy.network.definitions.host import HostRoutes
from podpy.network.definitions.network import Network, Subnet
from podpy.network.definitions.request import Request
from tests.support.engine import Podpy, Result

DEFAULT = "podman"
ULA = r"fd[0-9a-f]{2}(:[0-9a-f]{1,4}){0,3}::/64"


@pytest.fixture
def folder(podpy: Podpy) -> Path:
    """Where the definitions are: where Podman would have them."""
    return podpy.data_home / "containers/storage/networks"


@pytest.fixture
def podman(podpy: Podpy) -> Iterator[Callable[..., str]]:
    """Debian's own Podman, as the same user."""

    def run(*words: str) -> str:
        return podpy.run(["podman", "--cgroup-manager=cgroupfs", *words]).ok()

    yield run
    run("system", "migrate")  # ends the process that holds its namespaces


def names(podpy: Podpy, *filters: str) -> list[str]:
    """Return the names of the networks that the filters let through."""
    return podpy.ok("network", "ls", "-q", *(f"--filter={text}" for text in filters)).split()


def inspected(podpy: Podpy, name: str) -> dict[str, object]:
    """Return what `network inspect` says about one network."""
    (found,) = podpy.json("network", "inspect", name)
    return dict(found)


def test_a_network_gets_the_next_name_interface_and_subnet(podpy: Podpy, folder: Path) -> None:
    assert [podpy.ok("network", "create"), podpy.ok("network", "create", "shop")] == ["podman1", "shop"]
    assert podpy.ok("network", "create") == "podman3"  # podman2 is shop's interface
    shown = [inspected(podpy, name) for name in ("podman1", "shop", "podman3")]
    assert [found["network_interface"] for found in shown] == ["podman1", "podman2", "podman3"]
    used = {subnet["subnet"] for found in shown for subnet in found["subnets"]}  # type: ignore[attr-defined]
    assert len(used) == 3 and all(re.fullmatch(r"10\.\d+\.\d+\.0/24", subnet) for subnet in used)
    podpy.ok("network", "rm", "podman1")
    assert podpy.ok("network", "create", "again") == "again"
    again = inspected(podpy, "again")
    assert (again["network_interface"], again["subnets"]) == ("podman1", shown[0]["subnets"])
    text = (folder / "again.json").read_text()
    assert json.loads(text) == {key: value for key, value in again.items() if key != "containers"}
    assert list(again) == [
        "name", "id", "driver", "network_interface", "created", "subnets", "ipv6_enabled", "internal", "dns_enabled",
        "ipam_options", "containers",
    ]  # fmt: skip
    assert (again["dns_enabled"], again["ipam_options"], again["containers"]) == (True, {"driver": "host-local"}, {})


def test_everything_can_be_said(podpy: Podpy) -> None:
    podpy.ok(
        "network", "create", "--label=a=b", "--opt=mtu=1400", "-o", "isolate=1", "--ipv6", "--dns=1.1.1.1,9.9.9.9",
        "--ip-range=10.5.0.0/25", "--subnet=10.5.0.7/24", "--subnet=fd00:1::/64", "--gateway=10.5.0.9",
        "--route=10.9.0.0/16,10.5.0.9,100", "--route=10.8.0.0/16,BlackHole", "--interface-name=br-full",
        "-o", "outbound_addr4=192.0.2.7", "-o", "no_default_route=t", "full",
    )  # fmt: skip
    full = inspected(podpy, "full")
    del full["id"], full["created"]
    assert full == {
        "name": "full",
        "driver": "bridge",
        "network_interface": "br-full",
        "subnets": [
            {
                "subnet": "10.5.0.0/24",
                "gateway": "10.5.0.9",
                "lease_range": {"start_ip": "10.5.0.1", "end_ip": "10.5.0.127"},
            },
            {"subnet": "fd00:1::/64", "gateway": "fd00:1::1"},
        ],
        "routes": [
            {"destination": "10.9.0.0/16", "gateway": "10.5.0.9", "metric": 100},
            {"destination": "10.8.0.0/16", "route_type": "blackhole"},
        ],
        "ipv6_enabled": True,
        "internal": False,
        "dns_enabled": True,
        "network_dns_servers": ["1.1.1.1", "9.9.9.9"],
        "labels": {"a": "b"},
        "options": {"isolate": "true", "mtu": "1400", "no_default_route": "true", "outbound_addr4": "192.0.2.7"},
        "ipam_options": {"driver": "host-local"},
        "containers": {},
    }
    assert podpy.ok("network", "inspect", "full", "-f", "{{range .Subnets}}{{.Gateway}} {{end}}{{.Labels.a}}") == (
        "10.5.0.9 fd00:1::1 b"
    )
    assert podpy.json("inspect", "full")[0]["name"] == "full"
    assert podpy.ok("inspect", "--type=network", "-f", "{{.NetworkInterface}} {{json .Options}}", "full").startswith(
        'br-full {"isolate":"true",'
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--internal", "--disable-dns"], {"internal": True, "dns_enabled": False}),
        (["--ipam-driver=none"], {"ipam_options": {"driver": "none"}, "dns_enabled": False, "subnets": None}),
        (["--subnet=fd00:77::/64"], {"ipv6_enabled": True}),
        (["-o", "com.docker.network.driver.mtu=1300"], {"options": {"mtu": "1300"}}),
        (["-o", "com.docker.network.bridge.name=br7"], {"network_interface": "br7", "options": None}),
        (["-d=macvlan"], {"ipam_options": {"driver": "dhcp"}, "dns_enabled": False, "network_interface": None}),
        (["-d=ipvlan", "--subnet=10.6.0.0/24", "-o", "parent=lo", "-o", "mode=l3"],
         {"network_interface": "lo", "options": {"mode": "l3"}, "ipam_options": {"driver": "host-local"}}),
        (["--ip-range=10.7.4.10-10.7.4.20", "--subnet=10.7.4.0/24"],
         {"subnets": [{"subnet": "10.7.4.0/24", "gateway": "10.7.4.1",
                       "lease_range": {"start_ip": "10.7.4.10", "end_ip": "10.7.4.20"}}]}),
    ],
)  # fmt: skip
def test_what_an_option_makes_of_a_network(podpy: Podpy, words: list[str], expected: dict[str, object]) -> None:
    podpy.ok("network", "create", *words, "net")
    found = inspected(podpy, "net")
    assert {key: found.get(key) for key in expected} == expected
    if "--internal" in words:
        assert list(found["subnets"][0]) == ["subnet"]  # type: ignore[index]


def test_ipv6_brings_a_subnet_of_its_own(podpy: Podpy) -> None:
    podpy.ok("network", "create", "--ipv6", "six")
    v4, v6 = podpy.ok("network", "inspect", "six", "-f", "{{range .Subnets}}{{.Subnet}} {{end}}").split()
    assert v4.endswith(".0/24") and re.fullmatch(ULA, v6)


REFUSED = (
    (["dupx"], "network name dupx already used: network already exists"),
    (["bad/name"], "network name bad/name invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"),
    (["pasta"], 'cannot create network with name "pasta" because it conflicts with a valid network mode'),
    (["--subnet=10.88.1.0/24"], "subnet 10.88.1.0/24 is already used on the host or by another config"),
    (["--subnet=10.0.2.128/25"], "subnet 10.0.2.128/25 is already used on the host or by another config"),
    (["--subnet=127.9.0.0/24"], "subnet 127.9.0.0/24 is already used on the host or by another config"),
    (["--subnet=10.77.0.0/24", "--gateway=10.78.0.1"], "gateway 10.78.0.1 not in subnet 10.77.0.0/24"),
    (["--subnet=10.77.0.0/24", "--subnet=10.77.0.0/24"], "duplicate subnets detected: 10.77.0.0/24"),
    (["--subnet=10.77.0.0/24", "--subnet=10.77.0.0/25"], "overlapping subnets detected: 10.77.0.0/24 and 10.77.0.0/25"),
    (["--subnet=10.77.0.0/24", "--ip-range=10.78.0.0/24"], "lease range start ip 10.78.0.1 not in subnet 10.77.0.0/24"),
    (["--subnet=10.77.0.0/24", "--ip-range=10.77.0.9-10.77.0.5"], "lease range start_ip 10.77.0.9 must be less than"),
    (["--subnet=10.77.0.0/24", "--ip-range=10.77.0.9-x"], 'range end ip "x" is not a ip address'),
    (["--subnet=10.77.0.0/31"], "could not create gateway for subnet 10.77.0.0/31 because it has a 31 or greater"),
    (["--subnet=10.77.0"], "invalid CIDR address: 10.77.0"),
    (["--gateway=10.77.0.1"], "cannot set gateway or range without subnet"),
    (["--subnet=10.77.0.0/24", "--gateway=x"], 'invalid argument "x" for "--gateway" flag'),
    (["--subnet=10.77.0.0/24", "--gateway=10.77.0.1,10.77.0.2"], "cannot set more gateways than subnets"),
    (["-d=nosuchdrv"], 'failed to find driver or plugin "nosuchdrv"'),
    (["-o", "nosuch=1"], "unsupported bridge network option nosuch"),
    (["-o", "mtu=x"], 'strconv.Atoi: parsing "x": invalid syntax'),
    (["-o", "mtu=-1"], "mtu -1 is less than zero"),
    (["-o", "mtu=67"], "mtu 67 must be between 68 and 65535"),
    (["-o", "mtu=65536"], "mtu 65536 must be between 68 and 65535"),
    (["-o", "vlan=4095"], "vlan ID 4095 must be between 0 and 4094"),
    (["-o", "isolate=maybe"], 'failed to parse isolate option: strconv.ParseBool: parsing "maybe": invalid syntax'),
    (["-o", "metric=-1"], 'strconv.ParseUint: parsing "-1": invalid syntax'),
    (["-o", "vrf="], "invalid vrf name"),
    (["-o", "mode=x"], 'unknown bridge mode "x"'),
    (["-o", "outbound_addr4=fd00::1"], "failed to parse outbound_addr4 option"),
    (["--dns=x"], "unable to parse ip x specified in NetworkDNSServers: invalid argument"),
    (["--dns=1.1.1.1", "--disable-dns"], "cannot set NetworkDNSServers if DNS is not enabled for the network"),
    (["--ipam-driver=dhcp"], 'unsupported ipam driver "dhcp"'),
    (["--ipam-driver=none", "--subnet=10.77.0.0/24"], "none ipam driver is set but subnets are given"),
    (["--interface-name=podman1"], "bridge name podman1 already in use"),
    (["--interface-name=a-very-long-name"], "interface names must be 15 characters or less: invalid argument"),
    (["--subnet=224.0.5.0/24"], "subnet 224.0.5.0/24 is for multicast: no container can have an address of it"),
    (["--subnet=ff05::/64"], "subnet ff05::/64 is for multicast"),
    (["--interface-name=a/b"], "interface name contains / or : or whitespace characters: invalid argument"),
    (["--interface-name=out0"], "network interface name out0 invalid: it has a meaning of its own: invalid argument"),
    (["-d=ipvlan"], "ipam driver dhcp is not supported with ipvlan"),
    (["-d=macvlan", "-o", "parent=nosuch"], "parent interface nosuch does not exist"),
    (["-d=macvlan", "--ipam-driver=host-local"], "macvlan driver needs at least one subnet specified"),
    (["--route=10.9.0.0/16"], "invalid route: 10.9.0.0/16"),
    (["--route=10.9.0.0/16,x"], "invalid route gateway x"),
    (["--route=10.9.0.1/16,10.5.0.9"], "route destination invalid"),
    (["--route=10.9/16,10.5.0.9"], "invalid route destination 10.9/16"),
    (["--route=10.9.0.0/16,unicast"], "unicast route requires a gateway"),
    (["--route=10.9.0.0/16,blackhole,x"], "invalid route metric x"),
)  # fmt: skip


def test_mistakes_have_podmans_words(podpy: Podpy, folder: Path) -> None:
    podpy.ok("network", "create", "dupx")
    for words, told in REFUSED:
        podpy("network", "create", *words).fails(125, told)
    assert names(podpy) == ["dupx", DEFAULT]
    assert podpy.ok("network", "create", "--ignore", "--subnet=10.1.0.0/24", "dupx") == "dupx"
    assert sorted(os.listdir(folder)) == ["dupx.json", "netavark.lock"]


def test_what_is_not_there_and_what_stays(podpy: Podpy) -> None:
    missing = "unable to find network with name or ID nosuch: network not found"
    podpy.ok("network", "create", "shop")
    done = podpy("network", "inspect", "nosuch").fails(125, f"Error: network nosuch: {missing}")
    assert done.stdout == "[]\n"
    done = podpy("network", "inspect", "shop", "nosuch").fails(125, missing)
    assert [network["name"] for network in json.loads(done.stdout)] == ["shop"]
    assert podpy("network", "exists", "nosuch").returncode == 1
    assert podpy("network", "exists", inspected(podpy, "shop")["id"][:9]).returncode == 0  # type: ignore[index]
    podpy("network", "rm", "nosuch").fails(1, f"Error: {missing}")
    for option in ("-f", "--ignore"):
        assert podpy.ok("network", "rm", option, "nosuch") == ""
    done = podpy("network", "rm", "nosuch", "shop").fails(1, missing)
    assert done.stdout == "shop\n"
    podpy("network", "rm", "-f", DEFAULT).fails(125, "Error: default network podman cannot be removed")
    podpy("network", "rm", "--time=3", "x").fails(125, "--force option must be specified to use the --time option")
    podpy("network", "update", "--dns-add=x", "nosuch").fails(125, "unable to parse ip x specified in AddDNSServer")


def test_lists_and_filters(podpy: Podpy) -> None:
    podpy.ok("network", "create", "--label=app=shop", "--label=tier=db", "shop-db")
    podpy.ok("network", "create", "--label=app=shop", "shop-web")
    podpy.ok("network", "create", "-d=macvlan", "lan")
    for filters, found in (
        ([], ["lan", DEFAULT, "shop-db", "shop-web"]),
        (["name=^shop"], ["shop-db", "shop-web"]),
        (["name=web", "name=lan"], ["lan", "shop-web"]),
        (["driver=macvlan"], ["lan"]),
        (["label=app=shop", "label=tier"], ["shop-db"]),
        (["label!=tier", "Driver=bridge"], [DEFAULT, "shop-web"]),
        (["id=2f259b"], [DEFAULT]),
        (["dangling=true"], ["lan", "shop-db", "shop-web"]),
        (["dangling=false"], [DEFAULT]),
        (["until=1h"], []),
    ):
        assert names(podpy, *filters) == found, filters
    podpy("network", "ls", "--filter=color=red").fails(125, 'invalid filter "color"')
    podpy("network", "ls", "--filter=dangling=x").fails(125, 'invalid dangling filter value "x"')
    assert podpy.ok("network", "ls", "--filter=id=2f259b").splitlines() == [
        "NETWORK ID    NAME        DRIVER",
        "2f259bab93aa  podman      bridge",
    ]
    assert podpy.ok("network", "list", "-n", "--no-trunc", "--filter=id=2f259b").split()[0] == (
        "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"
    )
    assert podpy.ok("network", "ls", "--format={{.Name}} {{.Labels}} {{json .Labels}}", "-f", "label=tier") == (
        'shop-db app=shop,tier=db "app=shop,tier=db"'
    )
    assert podpy.ok("network", "ls", "--format=table {{.Name}} {{.Driver}}", "-f=name=lan").split() == [
        "NAME", "DRIVER", "lan", "macvlan",
    ]  # fmt: skip
    (listed,) = podpy.json("network", "ls", "--format=json", "--filter=name=shop-web")
    assert {**listed, "containers": {}} == inspected(podpy, "shop-web")
    assert podpy.ok("__complete", "network", "rm", "shop-").splitlines()[:2] == ["shop-db", "shop-web"]


def test_dns_servers_come_and_go(podpy: Podpy) -> None:
    podpy.ok("network", "create", "--dns=1.1.1.1", "shop")
    assert podpy.ok("network", "update", "--dns-add=8.8.8.8,9.9.9.9", "--dns-drop=1.1.1.1", "shop") == "shop"
    podpy.ok("network", "update", "--dns-add=8.8.8.8", "shop")
    assert inspected(podpy, "shop")["network_dns_servers"] == ["8.8.8.8", "9.9.9.9"]


def test_prune_takes_what_nobody_uses_and_events_tell_it(podpy: Podpy) -> None:
    for name in ("a", "b", "c"):
        podpy.ok("network", "create", f"--label=n={name}", name)
    question = podpy("network", "prune", input="n\n").ok()
    assert question.startswith("WARNING! This will remove all networks not used by at least one container.\nAre you")
    assert podpy.ok("network", "prune", "--dry-run", "--filter=label=n=a") == "a"
    assert podpy.ok("network", "prune", "-f", "--filter=label!=n=c") == "a\nb"
    podpy("network", "prune", "-f", "--filter=name=c").fails(125, 'invalid filter "name"')
    for kind in ("network", "container", "image", "system"):
        asked = podpy(kind, "prune", "--filter=foo=bar", input="n\n")
        asked.fails(125, "foo")
        assert asked.stdout == ""
    done = podpy.ok("system", "prune", "-f").splitlines()
    assert done[done.index("Deleted Networks") :][:2] == ["Deleted Networks", "c"]
    assert names(podpy) == [DEFAULT]
    told = podpy.ok("events", "--stream=false", "--filter=type=network", "--format={{.Status}} {{.Network}}")
    assert told.splitlines() == [*(f"create {name}" for name in "abc"), *(f"remove {name}" for name in "abc")]
    line = podpy.ok("events", "--stream=false", "--filter=network=c").splitlines()[-1]
    assert re.search(r" network remove [0-9a-f]{64} \(name=c, type=bridge\)$", line)


def test_system_reset_takes_networks_too(podpy: Podpy) -> None:
    podpy.ok("network", "create", "shop")
    podpy.ok("system", "reset", "--force")
    assert names(podpy) == [DEFAULT]


def test_creates_in_parallel_share_nothing(podpy: Podpy, folder: Path) -> None:
    running = [podpy.popen("network", "create", "--ipv6", stdout=subprocess.PIPE) for _ in range(8)]
    made = [process.communicate()[0].decode().strip() for process in running]
    assert sorted(made) == sorted(f"podman{number}" for number in range(1, 9))
    found = [json.loads((folder / f"{name}.json").read_text()) for name in made]
    assert len({network["network_interface"] for network in found}) == 8
    assert len({subnet["subnet"] for network in found for subnet in network["subnets"]}) == 16


def test_podman_reads_podpys_networks_and_podpy_podmans(podpy: Podpy, podman: Callable[..., str]) -> None:
    podpy.ok("network", "create", "--label=a=b & c", "--opt=mtu=1400", "--ipv6", "--subnet=10.5.0.0/24", "ours")
    (seen,) = json.loads(podman("network", "inspect", "ours"))
    ours = inspected(podpy, "ours")
    del ours["containers"]
    assert {key: seen[key] for key in ours} == ours
    assert podman("network", "create", "--label=x=y", "theirs") == "theirs"
    theirs = inspected(podpy, "theirs")
    assert (theirs["labels"], theirs["network_interface"]) == ({"x": "y"}, "podman2")
    assert podpy.ok("network", "create") == "podman3"
    podman("network", "rm", "ours")
    assert names(podpy) == [DEFAULT, "podman3", "theirs"]
    podpy.ok("network", "rm", "theirs")
    assert sorted(podman("network", "ls", "-q").split()) == [DEFAULT, "podman3"]


def test_a_network_of_podmans_containers_is_not_pruned(podpy: Podpy, podman: Callable[..., str], busybox: str) -> None:
    podpy.ok("network", "create", "busy")
    podpy.ok("network", "create", "idle")
    archive = podpy.home / "image.tar"
    podpy.ok("save", "-q", "-o", str(archive), busybox)
    podman("load", "-q", "-i", str(archive))
    podman("create", "--network=busy", busybox, "true")
    assert podpy.ok("network", "prune", "-f") == "idle"
    assert podpy.ok("network", "rm", "busy") == "busy"  # who names it means it


KILLED_AT = """
import os, signal, sys
from podpy import Runtime

name, work = sys.argv[1:]
with Runtime() as runtime:
    runtime.networks.list()
    setattr(os, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    exec(work)
"""


@pytest.mark.parametrize("moment", ["write", "fsync", "rename", "unlink"])
def test_a_kill_between_two_steps_leaves_the_old_or_the_new(podpy: Podpy, folder: Path, moment: str) -> None:
    podpy.ok("network", "create", "--subnet=10.5.0.0/24", "old")
    before = (folder / "old.json").read_text()
    works = {
        "unlink": ["runtime.networks.remove('old')"],
    }.get(moment, ["runtime.networks.update('old', dns_add=['9.9.9.9'])", "runtime.networks.create('new')"])
    for work in works:
        assert library(podpy, KILLED_AT, moment, work).returncode == -9
    assert names(podpy) == ["old", DEFAULT]
    assert (folder / "old.json").read_text() == before
    assert podpy.ok("events", "--stream=false", "--filter=type=network", "--format={{.Status}}") == "create"
    podpy.ok("network", "update", "--dns-add=9.9.9.9", "old")
    podpy.ok("network", "create", "new")
    podpy.ok("network", "rm", "old", "new")
    assert os.listdir(folder) == ["netavark.lock"]


def library(podpy: Podpy, text: str, *arguments: str) -> Result:
    """Run a program that imports podpy, as podpy's user."""
    package = podpy.launcher.parents[2]
    if not (package / "podpy/__init__.py").exists():
        package = Path(podpy_package.__file__ or "").parents[1]
    return podpy.run([sys.executable, "-c", text, *arguments], env={"PYTHONPATH": os.fspath(package)})


LIBRARY = """
from podpy import Runtime
from podpy.errors import InUseError, NoSuchNetworkError

with Runtime() as runtime:
    network = runtime.networks.create("shop", subnets=["10.5.0.0/24"], routes=["10.9.0.0/16,10.5.0.9"], dns=False)
    assert runtime.networks.get("shop") == network
    assert (network.subnets[0].gateway, network.routes[0].gateway) == ("10.5.0.1", "10.5.0.9")
    assert runtime.networks.create("shop", ignore=True) == network
    try:
        runtime.networks.create("shop")
    except InUseError as error:
        assert error.message == "network name shop already used: network already exists"
    assert [each.name for each in runtime.networks.list(["name=shop"])] == ["shop"]
    assert runtime.inspect("shop") == ("network", runtime.networks.inspect("shop"))
    assert runtime.networks.update("shop", dns_add=["1.1.1.1"]).dns_servers == ["1.1.1.1"]
    assert runtime.networks.prune().removed == ["shop"]
    assert not runtime.networks.exists("shop")
    try:
        runtime.networks.remove("shop")
    except NoSuchNetworkError as error:
        print(error.message)
"""


def test_programs_have_the_same(podpy: Podpy) -> None:
    assert library(podpy, LIBRARY).ok() == "unable to find network with name or ID shop: network not found"


def test_another_directory_and_other_pools(podpy: Podpy) -> None:
    other = podpy.home / "nets"
    podpy.ok("--network-config-dir", str(other), "network", "create", "there")
    assert sorted(os.listdir(other)) == ["netavark.lock", "there.json"]
    assert names(podpy) == [DEFAULT]
    root = podpy.home / "root"
    podpy.ok("--root", str(root), "network", "create", "below")
    assert "below.json" in os.listdir(root / "networks")
    conf = podpy.home / ".config/containers/containers.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text('[network]\ndefault_subnet_pools = [{"base" = "172.30.8.0/22", "size" = 23}]\n')
    for expected in ("172.30.8.0/23", "172.30.10.0/23"):
        name = podpy.ok("network", "create")
        assert podpy.ok("network", "inspect", name, "-f", "{{range .Subnets}}{{.Subnet}}{{end}}") == expected
    podpy("network", "create").fails(125, "could not find free subnet from subnet pools")
    conf.write_text('[network]\ndefault_subnet_pools = [{"base" = "fd00::/48", "size" = 64}]\n')
    podpy("network", "create").fails(125, "default_subnet_pools")


def chosen(*, connected: tuple[str, ...] = (), behind: tuple[str, ...] = (), taken: tuple[str, ...] = ()) -> str:
    """Return the subnet that a new network gets on a host with these routes, beside networks with these subnets."""
    networks = [
        Network(name=f"n{place}", id=str(place), subnets=[Subnet(subnet=text)]) for place, text in enumerate(taken)
    ]
    host = HostRoutes(connected=[Prefix.parse(text) for text in connected], behind=[Prefix.parse(t) for t in behind])
    made = new(Request(), Existing(networks=networks, host=host, interfaces={"lo"}), ContainersConf())
    return made.subnets[0].subnet


def test_a_subnet_is_where_no_route_of_the_host_leads() -> None:
    assert chosen() == "10.89.0.0/24"
    assert chosen(connected=("10.89.0.0/25",)) == "10.89.1.0/24"
    assert chosen(behind=("10.89.0.0/16",)) == "10.90.0.0/24"
    assert chosen(taken=("10.89.0.0/24", "10.89.2.0/23"), connected=("10.89.1.7/32",)) == "10.89.4.0/24"
    assert chosen(taken=("10.0.0.0/9",)) == "10.128.0.0/24"
    # A VPN that has all of 10.0.0.0/8: better there than nowhere, but not in the host's own subnet.
    assert chosen(behind=("10.0.0.0/8",), connected=("10.89.0.0/24",)) == "10.89.1.0/24"
    with pytest.raises(UsageError, match="could not find free subnet from subnet pools"):
        chosen(connected=("10.0.0.0/8",))


def test_a_subnet_that_is_named_may_be_inside_a_wide_route() -> None:
    host = HostRoutes(connected=[Prefix.parse("192.0.2.0/24")], behind=[Prefix.parse("10.0.0.0/8")])
    assert not host.takes(Prefix.parse("10.5.0.0/24"))
    assert host.takes(Prefix.parse("10.0.0.0/8")) and host.takes(Prefix.parse("0.0.0.0/1"))
    assert host.takes(Prefix.parse("192.0.2.128/25")) and not host.takes(Prefix.parse("fd00::/8"))


def test_the_hosts_own_routes_are_read(podpy: Podpy) -> None:
    """In a network namespace with routes of the test's own."""
    setup = (
        "ip link set lo up; ip link add d0 type bridge; ip link set d0 up; ip addr add 10.89.0.3/24 dev d0; "
        "ip route add 10.89.1.0/24 via 10.89.0.9; ip -6 addr add fd00:9::1/64 dev d0 nodad; "
        '"$1" network create shop && "$1" network inspect -f "{{range .Subnets}}{{.Subnet}}{{end}}" shop; '
        '"$1" network create --subnet fd00:9::/80 six; "$1" network create -d macvlan -o parent=d0 lan'
    )
    done = podpy.run(
        ["unshare", "--map-root-user", "--net", "--keep-caps", "sh", "-c", setup, "sh", str(podpy.launcher)]
    )
    assert done.stdout.split() == ["shop", "10.89.2.0/24", "lan"]
    assert "subnet fd00:9::/80 is already used on the host or by another config" in done.stderr


def test_a_broken_file_is_told_and_the_others_work(podpy: Podpy, folder: Path) -> None:
    podpy.ok("network", "create", "good")
    (folder / "bad.json").write_text("{")
    listed = podpy("network", "ls", "-q")
    assert listed.ok().split() == ["good", DEFAULT]
    (warning,) = listed.warnings
    assert f"network config file {folder}/bad.json can't be understood" in warning
    for words in (("inspect", "bad"), ("rm", "bad"), ("create", "bad"), ("exists", "bad")):
        podpy("network", *words).fails(125, f"network config file {folder}/bad.json can't be understood: not JSON")


def test_roots_networks_are_below_its_own_directory(podpy_root: Podpy) -> None:
    assert podpy_root.ok("network", "create", "-d", "macvlan", "-o", "parent=lo", "lan") == "lan"
    assert sorted(os.listdir(podpy_root.data_home / "containers/storage/networks")) == [
        "lan.json"
    ]  # root's lock isn't there
    podpy_root.ok("network", "rm", "lan")
    assert names(podpy_root) == [DEFAULT]


def test_a_fixed_address_of_no_subnet_is_refused_before_anything_is_created(podpy: Podpy, busybox: str) -> None:
    podpy.ok("network", "create", "--subnet=10.177.3.0/24", "small")
    refused = podpy("create", "--network=small", "--ip=10.1.2.3", busybox)
    refused.fails(refused.returncode, "requested static ip 10.1.2.3 not in any subnet on network small")
    assert refused.returncode != 0
    assert podpy.ok("ps", "-aq") == ""
