"""A container with a user namespace of its own can use its network."""

from __future__ import annotations

from tests.support.engine import Podpy


def test_keep_id_binds_low_ports_and_may_ping(podpy: Podpy, busybox: str) -> None:
    script = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start; timeout 1 nc -l -p 80 </dev/null; echo $?"
    first, code = podpy.ok("run", "--rm", "--userns=keep-id", "-u", "0", busybox, "sh", "-c", script).split()
    assert first == "0"
    assert code == "143"  # nc was ended by timeout: it had got the port
    group_range = podpy.ok("run", "--rm", "--userns=keep-id", busybox, "cat", "/proc/sys/net/ipv4/ping_group_range")
    assert group_range.split()[0] != "1"  # "1 0" is the kernel's default: nobody


def test_containers_made_at_once_never_get_the_same_ids(podpy: Podpy, busybox: str) -> None:
    made = [podpy.popen("create", "--userns=auto", "--network=none", busybox, "true") for _ in range(6)]
    assert [create.wait(60) for create in made] == [0] * 6
    found = podpy.json("inspect", *podpy.ok("ps", "-aq").split())
    assert len({container["HostConfig"]["IDMappings"]["UidMap"][0] for container in found}) == 6
