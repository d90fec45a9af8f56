"""Bridges and containers' plugs, as other programs see them."""

from __future__ import annotations

from tests.network.bridges import in_namespaces
from tests.support.engine import Podpy

_BRIDGE = """
shared = inside.container(paths.runroot, "shared")
rt = Netlink.open(shared)
bridge = links.make_bridge(rt, links.Bridge(name="podman1", addresses=["10.89.0.1/24", "fd00:89::1/64"]))
one, two = (inside.container(paths.runroot, name) for name in ("one", "two"))
"""


def test_containers_on_one_bridge_reach_each_other(podpy: Podpy) -> None:
    code = """
for number, netns in ((2, one), (3, two)):
    addresses = [f"10.89.0.{number}/24", f"fd00:89::{number}/64"]
    links.attach(rt, netns, bridge, links.Plug(interface="eth0", addresses=addresses))
for address in ("10.89.0.3", "fd00:89::3"):
    with inside.listen(two, address):
        print(inside.connect(one, address))
"""
    assert in_namespaces(podpy, _BRIDGE + code).split() == ["10.89.0.2", "fd00:89::2"]
