"""Who reaches whom in the shared network namespace, tried by connections."""

from __future__ import annotations

import socket
import threading

from tests.network.bridges import in_namespaces
from tests.network.conftest import host_address
from tests.support.engine import Podpy

_NETWORKS = """
with SharedNamespace(paths, conf) as space:
    shared = space.open()
space.wait()
rt = Netlink.open(shared)
def network(number, **how):
    name = f"podman{number}"
    here = links.make_bridge(rt, links.Bridge(name=name, addresses=[f"10.89.{number}.1/24", f"fd00:{number}::1/64"]))
    firewall.allow(shared, firewall.pairs(name, **how))
    return here
def attached(name, number, host=2):
    netns = inside.container(paths.runroot, name)
    plug = links.Plug(interface="eth0", addresses=[f"10.89.{number}.{host}/24", f"fd00:{number}::{host}/64"],
                      gateways=[f"10.89.{number}.1", f"fd00:{number}::1"])
    links.attach(rt, netns, bridges[number], plug)
    return netns
"""
_END = """
with space:
    space.end(wait=True)
"""


def test_networks_are_apart_until_two_are_open_to_each_other(podpy: Podpy) -> None:
    code = """
bridges = {number: network(number) for number in (1, 2)}
one, two, same = attached("one", 1), attached("two", 2), attached("same", 1, 3)
servers = [inside.listen(two, "10.89.2.2"), inside.listen(two, "fd00:2::2"), inside.listen(same, "10.89.1.3")]
def reached():
    return [inside.connect(one, address) for address in ("10.89.1.3", "10.89.2.2", "fd00:2::2")]
print(reached())
firewall.allow(shared, firewall.pairs("podman1", friends=["podman2"]))
firewall.allow(shared, firewall.pairs("podman1", friends=["podman2"]))
print(reached())
firewall.forbid(shared, [("podman1", "podman2"), ("podman2", "podman1"), ("podman2", "podman1")])
print(reached())
pairs = inside.tool(shared, "nft", "-j", "list", "set", "inet", "podpy", "pairs")["nftables"][1]["set"]["elem"]
print(sorted(" ".join(pair["concat"]) for pair in pairs))
"""
    apart = "['10.89.1.2', 'No route to host', 'No route to host']"
    assert in_namespaces(podpy, _NETWORKS + code + _END).splitlines() == [
        apart,
        "['10.89.1.2', '10.89.1.2', 'fd00:1::2']",
        apart,
        "['podman1 out0', 'podman1 podman1', 'podman2 out0', 'podman2 podman2']",
    ]


def test_a_gateway_answers_names_and_pings_of_its_own_network_only(podpy: Podpy) -> None:
    code = """
bridges = {number: network(number) for number in (1, 2)}
one = attached("one", 1)
servers = [inside.listen(shared, f"10.89.{number}.1", port) for number in (1, 2) for port in (53, 80)]
servers += [inside.listen(shared, f"fd00:{number}::1", 53) for number in (1, 2)]
for number in (1, 2):
    gateway, other = f"10.89.{number}.1", f"fd00:{number}::1"
    print([inside.connect(one, gateway, port) for port in (53, 80, 81)], inside.pings(one, gateway))
    print(inside.connect(one, other, 53), inside.pings(one, other))
print(inside.connect(one, "10.0.2.100", 80), inside.pings(one, "10.0.2.100"))
"""
    assert in_namespaces(podpy, _NETWORKS + code + _END).splitlines() == [
        "['10.89.1.2', 'Connection refused', 'Connection refused'] True",
        "fd00:1::2 True",
        "['Connection refused', 'Connection refused', 'Connection refused'] False",
        "Connection refused False",
        "Connection refused False",
    ]


def test_the_way_out_is_there_but_not_for_an_internal_network(podpy: Podpy) -> None:
    code = """
bridges = {1: network(1), 2: network(2, internal=True)}
address, port = sys.argv[1], int(sys.argv[2])
print(inside.connect(attached("one", 1), address, port), inside.connect(attached("two", 2), address, port))
"""
    own = host_address()
    with socket.create_server((own, 0)) as server:
        came: list[str] = []
        accepting = threading.Thread(target=lambda: came.append(server.accept()[1][0]))
        accepting.start()
        port = server.getsockname()[1]
        assert in_namespaces(podpy, _NETWORKS + code + _END, own, str(port)) == "10.89.1.2 No route to host"
        accepting.join(30)
    assert came == [own]


def test_a_forwarder_may_speak_with_its_clients_address(podpy: Podpy) -> None:
    """As src/conmon_c/forward does: the container's answers to an address that is nobody's here come back to it."""
    code = """
import socket
bridges = {1: network(1)}
one = attached("one", 1)
assert space.has_transparent_sockets
for family, client, server in (
    (socket.AF_INET, "192.0.2.1", "10.89.1.2"), (socket.AF_INET6, "2001:db8::1", "fd00:1::2")
):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        listening = socket.socket(fileno=linux.netns_socket(one, family, kind, 0))
        listening.bind((server, 80))
        speaker = socket.socket(fileno=linux.netns_socket(shared, family, kind, 0))
        level, option = (socket.SOL_IP, 19) if family == socket.AF_INET else (socket.IPPROTO_IPV6, 75)
        speaker.setsockopt(level, option, 1)
        speaker.bind((client, 0))
        for each in (listening, speaker):
            each.settimeout(30)
        if kind == socket.SOCK_STREAM:
            listening.listen()
            speaker.connect((server, 80))
            accepted, peer = listening.accept()
            accepted.send(b"answer")
        else:
            speaker.connect((server, 80))
            speaker.send(b"?")
            _, peer = listening.recvfrom(100)
            listening.sendto(b"answer", peer)
        print(peer[0], speaker.recv(100).decode())
"""
    assert in_namespaces(podpy, _NETWORKS + code + _END).splitlines() == [
        *2 * ["192.0.2.1 answer"],
        *2 * ["2001:db8::1 answer"],
    ]


def test_nobody_speaks_in_the_name_of_another_networks_container(podpy: Podpy) -> None:
    """With CAP_NET_RAW: neither to a forwarder, whichever address it has, nor as its client to the container."""
    code = """
bridges = {number: network(number) for number in (1, 2)}
one, two = attached("one", 1), attached("two", 2)
for family, client, server, gateway in (
    (socket.AF_INET, "192.0.2.1", "10.89.1.2", "10.89.1.1"), (socket.AF_INET6, "2001:db8::1", "fd00:1::2", "fd00:1::1")
):
    for own in (client, gateway):
        listening = socket.socket(fileno=linux.netns_socket(one, family, socket.SOCK_DGRAM, 0))
        listening.bind((server, 80))
        speaker = socket.socket(fileno=linux.netns_socket(shared, family, socket.SOCK_DGRAM, 0))
        level, option = (socket.SOL_IP, 19) if family == socket.AF_INET else (socket.IPPROTO_IPV6, 75)
        speaker.setsockopt(level, option, 1)
        speaker.bind((own, 0))
        speaker.connect((server, 80))
        speaker.send(b"question")
        peer = listening.recvfrom(100)[1]
        for source, target in (((server, 80), peer[:2]), (peer[:2], (server, 80))):
            inside.spoof(two, source, target, b"lie")
        inside.spoof(one, (server, 80), peer[:2], b"answer")
        print(speaker.recv(100).decode(), end=" ")
        speaker.send(b"thanks")
        print(listening.recv(100).decode())
        for each in (listening, speaker):
            each.close()
"""
    begin = "import socket; socket.setdefaulttimeout(30)\n"
    assert in_namespaces(podpy, begin + _NETWORKS + code + _END).splitlines() == 4 * ["answer thanks"]


def test_without_nft_the_error_names_the_package(podpy: Podpy) -> None:
    code = """
nftables.which = lambda name: ""
def start():
    with SharedNamespace(paths, conf) as space:
        space.open()
print(inside.fails(start), sorted(os.listdir(os.path.join(paths.runroot, "networks"))))
"""
    assert in_namespaces(podpy, code) == (
        "NotSupportedError: bridge networks need nft, which isn't installed. sudo apt install nftables ['lock']"
    )


def test_a_kernel_that_cannot_tell_transparent_sockets_is_noted(podpy: Podpy) -> None:
    code = """
firewall._TRANSPARENT = "nosuchthing"
with SharedNamespace(paths, conf) as space:
    shared = space.open()
    print(space.has_transparent_sockets)
    rules = inside.tool(shared, "nft", "-j", "list", "chain", "inet", "podpy", "between")
    space.end(wait=True)
print(len(rules["nftables"]) > 2, os.listdir(space.directory))
firewall._CHAINS = "nonsense %s"
print(inside.fails(lambda: space.__enter__().open()))
"""
    lines = in_namespaces(podpy, code).splitlines()
    assert lines[0] == "False"
    assert lines[1].startswith("True") and "without" not in lines[1]
    assert lines[2].startswith("NetworkSetupError: the firewall of bridge networks can't be set up: ")
    assert "syntax error" in lines[2]
