"""`system check` of networks: what is missing or left over in the bridges' namespace is told, and mended."""

from __future__ import annotations

import subprocess

import pytest

from tests.network.user_networks import ask, define, serve
from tests.support import ports, wait
from tests.support.engine import Podpy

SLEEP = ("sleep", "1000")


def in_bridges(podpy: Podpy, *command: str) -> str:
    """Run a command of the host's in the network namespace of the bridges, where the forwarder of web is."""
    container = podpy.ok("inspect", "--format", "{{.Id}}", "web")
    pid = (podpy.runroot / "containers" / container / "forward.pid").read_text()
    entering = ["nsenter", f"--net=/proc/{pid}/ns/net"]
    return subprocess.run([*entering, *command], check=True, capture_output=True, text=True).stdout


def complaints(podpy: Podpy, *options: str, code: int = 0) -> list[str]:
    """Return what `system check` says."""
    done = podpy("system", "check", "--quick", *options)
    assert done.returncode == code, done.describe()
    return done.stdout.splitlines()


def test_a_flushed_firewall_comes_back_for_all_networks_with_the_next_start(shop: Podpy, busybox: str) -> None:
    in_bridges(shop, "nft", "flush", "ruleset")
    shop.ok("run", "-d", "--network", define(shop, "other"), busybox, *SLEEP)
    assert complaints(shop) == []


@pytest.fixture
def shop(podpy: Podpy, busybox: str) -> Podpy:
    """web, which publishes a port, and client, on the network `net`."""
    net = define(podpy, "net")
    podpy.ok(
        "run", "-d", "--name=web", "--hostname=shop", f"--network={net}", "-p", f"{ports.free()}:80", busybox, *SLEEP
    )
    podpy.ok("run", "-d", "--name=client", "--network", net, busybox, *SLEEP)
    serve(podpy, "web")
    return podpy


def test_what_is_missing_is_made_anew(shop: Podpy) -> None:
    assert complaints(shop) == []
    pid = shop.ok("inspect", "--format", "{{.State.Pid}}", "client")
    subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "link", "delete", "eth0"], check=True)
    in_bridges(shop, "ip", "address", "flush", "dev", "podman1")
    in_bridges(shop, "nft", "flush", "set", "inet", "podpy", "pairs")
    in_bridges(shop, "ip", "rule", "delete", "fwmark", "2")
    wrong = [
        "network net: bridge podman1: it lacks the address 10.89.0.1/24",
        "network net: firewall: it lets nothing through from podman1 to podman1, podman1 to out0",
        "network net: client: eth0: the device isn't there",
        "the rule for packets to the forwarders of published ports is gone (ip rule, fwmark 2)",
    ]
    assert complaints(shop, code=1) == wrong
    assert complaints(shop, "--repair") == [f"{line}: repaired" for line in wrong]
    assert complaints(shop) == []
    assert ask(shop, "client", "web") == "shop"


def test_what_is_left_over_is_removed(shop: Podpy) -> None:
    in_bridges(shop, "ip", "link", "add", "podman8", "type", "bridge")
    in_bridges(shop, "ip", "link", "set", "podman8", "alias", "podpy 10.89.8.1/24")
    in_bridges(shop, "ip", "link", "add", "vethx", "type", "veth", "peer", "name", "vethy")
    in_bridges(shop, "ip", "link", "set", "vethx", "master", "podman1")
    in_bridges(shop, "nft", "add", "element", "inet", "podpy", "pairs", "{ podman8 . podman1 }")
    wrong = [
        "interface podman8: a bridge that no network has",
        "interface vethx: plugged into podman1, and no container's",
        "firewall: rights of podman8, which no network has",
    ]
    assert complaints(shop, code=1) == wrong
    assert complaints(shop, "--repair") == [f"{line}: repaired" for line in wrong]
    assert complaints(shop) == []
    assert "podman8" not in in_bridges(shop, "ip", "link")
    wait.until(lambda: ask(shop, "client", "web") == "shop", what="the others still talk")
