"""Bridges and containers' plugs, as other programs see them."""

from __future__ import annotations

import json

from tests.network.bridges import in_namespaces
from tests.support.engine import Podpy

_BRIDGE = """
shared = inside.container(paths.runroot, "shared")
rt = Netlink.open(shared)
wanted = links.Bridge(name="podman1", addresses=["10.89.0.1/24", "fd00:89::1/64"])
bridge = links.make_bridge(rt, wanted)
one, two = (inside.container(paths.runroot, name) for name in ("one", "two"))
def plug(number, **more):
    addresses = [f"10.89.0.{number}/24", f"fd00:89::{number}/64"]
    return links.Plug(interface="eth0", addresses=addresses, **more)
"""


def test_containers_on_one_bridge_reach_each_other(podpy: Podpy) -> None:
    code = """
for number, netns in ((2, one), (3, two)):
    links.attach(rt, netns, bridge, plug(number))
for address in ("10.89.0.3", "fd00:89::3"):
    with inside.listen(two, address):
        print(inside.connect(one, address))
"""
    assert in_namespaces(podpy, _BRIDGE + code).split() == ["10.89.0.2", "fd00:89::2"]


def test_ip_shows_a_plug_as_it_was_asked_for(podpy: Podpy) -> None:
    code = """
import json
gateways = ["10.89.0.1", "fd00:89::1"]
ways = [routes.Route(destination="10.9.0.0/16", gateway="10.89.0.9", metric=7)]
ways += [routes.Route(destination=f"10.{n}.0.0/16", kind=kind)
           for n, kind in enumerate(("blackhole", "unreachable", "prohibit"), 20)]
mac = links.attach(rt, one, bridge, plug(2, gateways=gateways, routes=ways, mac="52:76:3c:cb:59:31", mtu=9000,
                                         host_interface="vethmine"))
assert mac == "52:76:3c:cb:59:31"
shown = {"link": inside.tool(one, "ip", "-j", "-d", "link", "show", "eth0")[0],
         "addresses": inside.tool(one, "ip", "-j", "address", "show", "eth0")[0]["addr_info"],
         "routes": inside.tool(one, "ip", "-j", "route") + inside.tool(one, "ip", "-j", "-6", "route"),
         "port": inside.tool(shared, "ip", "-j", "link", "show", "vethmine")[0]}
print(json.dumps(shown))
"""
    shown = json.loads(in_namespaces(podpy, _BRIDGE + code))
    assert (shown["link"]["address"], shown["link"]["mtu"], shown["link"]["operstate"]) == (
        "52:76:3c:cb:59:31",
        9000,
        "UP",
    )
    assert (shown["port"]["master"], shown["port"]["mtu"]) == ("podman1", 9000)
    given = [f"{entry['local']}/{entry['prefixlen']}" for entry in shown["addresses"] if entry["scope"] == "global"]
    assert given == ["10.89.0.2/24", "fd00:89::2/64"]
    assert all("tentative" not in entry for entry in shown["addresses"] if entry["scope"] == "global")
    routes = {
        (route.get("type", "unicast"), route["dst"], route.get("gateway"), route.get("metric"))
        for route in shown["routes"]
        if route.get("protocol") == "static"
    }
    assert routes == {
        ("unicast", "default", "10.89.0.1", 100),
        ("unicast", "default", "fd00:89::1", 100),
        ("unicast", "10.9.0.0/16", "10.89.0.9", 7),
        ("blackhole", "10.20.0.0/16", None, 100),
        ("unreachable", "10.21.0.0/16", None, 100),
        ("prohibit", "10.22.0.0/16", None, 100),
    }


def test_pyroute2_shows_the_bridge_and_its_ports(podpy: Podpy) -> None:
    code = """
import subprocess, sys
macs = [links.attach(rt, netns, bridge, plug(number)) for number, netns in ((2, one), (3, two))]
assert macs[0] != macs[1] and all(int(mac[:2], 16) & 3 == 2 for mac in macs)  # of nobody's, one device's
look = '''
from pyroute2 import IPRoute
with IPRoute() as ip:
    bridge = ip.link_lookup(ifname="podman1")[0]
    link = ip.get_links(bridge)[0]
    ports = [port.get_attr("IFLA_IFNAME")[:4] for port in ip.get_links() if port.get_attr("IFLA_MASTER") == bridge]
    addresses = [address.get_attr("IFA_ADDRESS") for address in ip.get_addr(index=bridge)]
    print(link.get_attr("IFLA_MTU"), link["state"], *ports, *addresses[:2])
'''
command = ["nsenter", f"--net=/proc/self/fd/{shared}", sys.executable, "-c", look]
print(subprocess.run(command, pass_fds=[shared], capture_output=True, check=True, text=True).stdout)
"""
    assert in_namespaces(podpy, _BRIDGE + code).split() == "65520 up veth veth 10.89.0.1 fd00:89::1".split()


def test_a_bridge_that_a_killed_call_left_half_is_completed(podpy: Podpy) -> None:
    code = """
def shown():
    link = links.find(rt, "podman1")
    return link.index == bridge, link.up, link.mtu, links.addresses(rt, bridge)
import subprocess
def change(*words):
    subprocess.run(["nsenter", f"--net=/proc/self/fd/{shared}", "ip", *words], pass_fds=[shared], check=True)
before = links.find(rt, "podman1")
change("link", "set", "podman1", "down", "alias", "")
change("address", "flush", "dev", "podman1")
links.make_bridge(rt, wanted)
print(*shown())
assert links.find(rt, "podman1") == before
print(*shown()) if links.make_bridge(rt, wanted.replace(addresses=["10.5.0.1/16"], mtu=1400)) else None
change("link", "add", "vx", "type", "vxlan", "id", "1", "dstport", "1")
print(inside.fails(lambda: links.make_bridge(rt, links.Bridge(name="vx"))))
print(inside.fails(lambda: links.make_bridge(rt, links.Bridge(name="podman2", vrf="red"))))
"""
    assert in_namespaces(podpy, _BRIDGE + code).splitlines() == [
        "True True 65520 ['10.89.0.1/24', 'fd00:89::1/64']",
        "True True 1400 ['10.5.0.1/16']",
        "InUseError: interface vx is there and is no bridge: it is a vxlan",
        "NetworkSetupError: VRF red doesn't exist. ip link add red type vrf table NUMBER",
    ]


def test_a_plug_that_a_killed_call_left_half_is_replaced(podpy: Podpy) -> None:
    code = """
links.attach(rt, one, bridge, plug(2, host_interface="vethmine"))
print(inside.fails(lambda: links.attach(rt, two, bridge, plug(3, host_interface="vethmine"))))
links.attach(rt, one, bridge, plug(4, host_interface="vethmine"))
links.attach(rt, one, bridge, plug(5))
print(links.addresses(Netlink.open(one), links.find(Netlink.open(one), "eth0").index)[0])
assert sum(link.kind == "veth" for link in links.all_links(rt)) == 1
"""
    assert in_namespaces(podpy, _BRIDGE + code).splitlines() == [
        "InUseError: interface vethmine is there already. Choose another host_interface_name",
        "10.89.0.5/24",
    ]


def test_a_host_interface_is_free_again_with_its_container(podpy: Podpy) -> None:
    code = """
links.attach(rt, one, bridge, plug(2, host_interface="vethmine"))
linux.umount2(os.path.join(paths.runroot, "one"), linux.MNT_DETACH)
os.close(one)  # it goes now, and takes 10 to 50 ms for it
links.attach(rt, two, bridge, plug(3, host_interface="vethmine"))
print(links.find(Netlink.open(two), "eth0").up)
"""
    assert in_namespaces(podpy, _BRIDGE + code) == "True"


def test_a_route_that_cannot_be_is_named_and_nothing_is_left(podpy: Podpy) -> None:
    code = """
print(inside.fails(lambda: links.attach(rt, one, bridge, plug(2, gateways=["10.77.0.1"]))))
print([link.name for link in links.all_links(Netlink.open(one))], [link.name for link in links.all_links(rt)])
"""
    first, second = in_namespaces(podpy, _BRIDGE + code).splitlines()
    assert first.startswith(
        "NetworkSetupError: can't add the route unicast 0.0.0.0/0 via 10.77.0.1: Network is unreach"
    )
    assert second == "['lo'] ['lo', 'podman1']"


def test_of_two_networks_the_first_has_the_default_route(podpy: Podpy) -> None:
    code = """
other = links.make_bridge(rt, links.Bridge(name="podman2", addresses=["10.89.1.1/24"]))
links.attach(rt, one, bridge, plug(2, gateways=["10.89.0.1"]))
second = links.Plug(interface="eth1", addresses=["10.89.1.2/24"], gateways=["10.89.1.1"])
links.attach(rt, one, other, second)
print([route["gateway"] for route in inside.tool(one, "ip", "-j", "route") if route["dst"] == "default"])
print(links.detach(one, "eth0"), links.detach(one, "eth0"))
print([route["gateway"] for route in inside.tool(one, "ip", "-j", "route") if route["dst"] == "default"])
"""
    assert in_namespaces(podpy, _BRIDGE + code).splitlines() == [
        "['10.89.0.1', '10.89.1.1']",
        "True False",
        "['10.89.1.1']",
    ]


def test_a_bridge_in_a_vlan_is_reached_by_its_ports_where_the_kernel_can(podpy: Podpy) -> None:
    code = """
import subprocess
probe = "ip link add probe type bridge vlan_filtering 1".split()
can = subprocess.run(["nsenter", f"--net=/proc/self/fd/{one}", *probe], pass_fds=[one], capture_output=True)
def connected():
    tagged = links.make_bridge(rt, links.Bridge(name="podman2", addresses=["10.89.1.1/24"], vlan=42))
    links.attach(rt, one, tagged, links.Plug(interface="eth0", addresses=["10.89.1.2/24"]))
    ports = [port for port in inside.tool(shared, "bridge", "-j", "vlan") if port["ifname"] != "podman1"]
    assert len(ports) == 2 and all(vlan["vlan"] == 42 for port in ports for vlan in port["vlans"])
    with inside.listen(shared, "10.89.1.1"):
        return inside.connect(one, "10.89.1.1")
print(can.returncode == 0, connected() if can.returncode == 0 else inside.fails(connected))
"""
    assert in_namespaces(podpy, _BRIDGE + code) in (
        "True 10.89.1.2",
        "False NotSupportedError: network with the bridge podman2: this kernel has no VLANs on bridges"
        " (CONFIG_BRIDGE_VLAN_FILTERING)",
    )


def test_a_neighbour_cannot_make_itself_the_router(podpy: Podpy) -> None:
    """As CVE-2020-13401: a router's advertisement from another container counts for nothing."""
    code = """
links.attach(rt, one, bridge, plug(2))
links.attach(rt, two, bridge, plug(3))
import socket, struct, time
advertise = socket.socket(fileno=linux.netns_socket(two, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6))
advertise.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
index = links.find(Netlink.open(two), "eth0").index
hears = socket.socket(fileno=linux.netns_socket(one, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6))
hears.settimeout(1)
message = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
got = b""
while got[:1] != bytes([134]):
    advertise.sendto(message, ("ff02::1", 0, 0, index))
    try:
        got = hears.recv(100)
    except TimeoutError:
        pass
print([route["dst"] for route in inside.tool(one, "ip", "-j", "-6", "route") if route["dst"] == "default"])
"""
    assert in_namespaces(podpy, _BRIDGE + code) == "[]"
