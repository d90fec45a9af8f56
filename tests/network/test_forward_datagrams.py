"""Datagrams to published ports of user networks: podpy-forward between real network namespaces."""

from __future__ import annotations

import os
import random
import signal

import pytest

from podpy.spec.container import PortMapping
from tests.network.forwarding import UDP, Forwarder, wrapped
from tests.network.lab import HOST, Lab
from tests.support import wait

PORT, INSIDE = 8080, 80
WEB = PortMapping(container_port=INSIDE, host_port=PORT)
DNS = PortMapping(container_port=53, host_port=5353, protocol="udp")
EVERY_BUILD = pytest.mark.parametrize("program", ["plain", "sanitized"], indirect=True)


@EVERY_BUILD
def test_a_burst_arrives_as_it_was_sent(forward: Forwarder, lab: Lab) -> None:
    """Equal ones in a row are one packet for the kernel; an empty one, and one above the MTU, can't be among them."""
    forward.start(DNS)
    server = forward.serve(53, kind=UDP)
    clients = [lab.open_socket("remote", kind=UDP) for _ in range(2)]
    sizes = [200, 200, 200, 100, 100, 0, 0, 300, 9000, 9000, 1, 1, 2, 1400, 1400, 700]
    burst = [random.randbytes(size) for size in sizes]
    os.kill(forward.pid, signal.SIGSTOP)
    for ours in clients:
        ours.connect((HOST, 5353))
        for text in burst:
            ours.send(text)
    os.kill(forward.pid, signal.SIGCONT)
    for _ in range(2 * len(burst)):
        data, seen = server.recvfrom(1 << 16)
        server.sendto(data, seen)
    for ours in clients:
        assert [ours.recv(1 << 16) for _ in burst] == burst


def test_the_firewall_keeps_no_track_of_its_connections(forward: Forwarder, lab: Lab) -> None:
    def tracked() -> int:
        return int(lab.run("shared", "cat", "/proc/sys/net/netfilter/nf_conntrack_count"))

    forward.start(WEB, DNS)
    server, names = forward.serve(INSIDE), forward.serve(53, kind=UDP)
    before = tracked()
    ends = []
    for where, host in (("remote", HOST), ("host", "127.0.0.1")):
        ours = forward.connect(host, PORT, where=where)
        theirs, _ = server.accept()
        theirs.sendall(b"hello")
        assert ours.recv(100) == b"hello"
        asks = lab.open_socket(where, kind=UDP)
        asks.sendto(b"?", (host, 5353))
        names.sendto(b"!", names.recvfrom(100)[1])
        assert asks.recv(100) == b"!"
        ends += [ours, theirs, asks]
    assert tracked() <= before


def test_clients_of_one_service_get_their_own_answers(forward: Forwarder, lab: Lab) -> None:
    forward.start(DNS)
    server = forward.serve(53, kind=UDP)
    clients = [lab.open_socket("remote", kind=UDP) for _ in range(20)]
    for number, ours in enumerate(clients):
        ours.sendto(b"%d" % number, (HOST, 5353))
    for _ in clients:
        data, seen = server.recvfrom(100)
        server.sendto(b"answer " + data, seen)
    assert [ours.recv(100) for ours in clients] == [b"answer %d" % number for number in range(20)]
    assert forward.status()["flows"] == 20


def test_a_service_that_comes_later_is_found(forward: Forwarder, lab: Lab) -> None:
    """The kernel tells of its absence by ICMP, which the next datagram must survive."""
    forward.start(DNS)
    ours = lab.open_socket("remote", kind=UDP)
    ours.connect((HOST, 5353))
    for _ in range(3):
        ours.send(b"too early")
    wait.until(lambda: forward.status()["flows"] == 1, what="they have come")
    server = forward.serve(53, kind=UDP)
    ours.send(b"in time")
    data, seen = server.recvfrom(100)
    server.sendto(b"yes", seen)
    assert (data, ours.recv(100)) == (b"in time", b"yes")


def test_the_clients_that_were_quiet_longest_are_forgotten(forward: Forwarder, lab: Lab) -> None:
    wrapped(forward, "ulimit -n 100")
    forward.start(DNS)
    server = forward.serve(53, kind=UDP)
    for number in range(60):
        ours = lab.open_socket("remote", kind=UDP)
        ours.sendto(b"%d" % number, (HOST, 5353))
        data, seen = server.recvfrom(100)
        server.sendto(b"answer", seen)
        assert (data, ours.recv(100)) == (b"%d" % number, b"answer")
    assert 0 < forward.status()["flows"] < 30
