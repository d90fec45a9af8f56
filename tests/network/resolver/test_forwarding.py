"""Questions about others: which servers are asked, and which of their answers count."""

from __future__ import annotations

import os

from podpy.network.bridge import resolver
from podpy.network.bridge.resolver import Entry
from tests.network.resolver.lab import (
    ENTRIES,
    FRONT,
    MX,
    NOERROR,
    NOTIMP,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    TRUNCATED,
    A,
    Lab,
    Running,
    Upstream,
    answer,
    query,
)
from tests.support import wait


def test_others_are_forwarded(lab: Lab, running: Running, upstream: Upstream) -> None:
    assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
    assert lab.web.ask_by_tcp("www.example.org").addresses == ["192.0.2.7"]
    assert lab.web.ask("example.org", MX).rcode == NOERROR
    (one, *_) = upstream.questions
    assert one[12:] == query("www.example.org")[12:]


def test_ids_and_ports_towards_servers_are_random(lab: Lab, running: Running, upstream: Upstream) -> None:
    for _ in range(20):
        lab.web.ask("www.example.org")
    assert len({asked[:2] for asked in upstream.questions}) > 15


def test_edns_is_passed_on_and_answered(lab: Lab, running: Running, upstream: Upstream) -> None:
    assert lab.web.ask("db", edns=1232).additional == 1
    assert lab.web.ask("db").additional == 0
    lab.web.ask("www.example.org", edns=4096)
    assert upstream.questions[0][2:] == query("www.example.org", edns=4096)[2:]


def test_forged_answers_are_ignored(lab: Lab, running: Running, upstream: Upstream) -> None:
    wrong = (A, bytes([203, 0, 113, 66]))

    def handle(asked: bytes) -> list[bytes]:
        other = asked[:2] + query("www.example.com")[2:]
        forged = [answer(bytes([asked[0] ^ 1]) + asked[1:], wrong), answer(other, wrong), asked, b"", asked[:11]]
        return [*forged, answer(asked, wrong)[:20], answer(asked, (A, bytes([192, 0, 2, 7])))]

    upstream.handle = handle
    assert lab.web.addresses("www.example.org") == ["192.0.2.7"]


def test_the_hosts_servers_are_followed_when_they_change(lab: Lab, running: Running, upstream: Upstream) -> None:
    other = Upstream(lab.host, "127.0.0.53")
    other.handle = lambda asked: [answer(asked, (A, bytes([192, 0, 2, 8])))]
    try:
        assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
        lab.conf.write_text("# now\nsearch example.org\nnameserver 127.0.0.53\noptions edns0\n")
        assert lab.web.addresses("www.example.org") == ["192.0.2.8"]
        aside = lab.conf.with_name("stub")  # systemd-resolved's is a link to a file that is replaced
        aside.write_text("nameserver\t127.0.0.1 # here\n")
        aside.replace(lab.conf)
        assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
        lab.conf.unlink()
        lab.conf.symlink_to("elsewhere")
        lab.conf.with_name("elsewhere").write_text("nameserver 127.0.0.53")
        assert lab.web.addresses("www.example.org") == ["192.0.2.8"]
        lab.conf.unlink()  # without one, the server is on this machine
        assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
    finally:
        other.close()


def test_the_next_server_is_asked_where_one_is_dead_refuses_or_is_silent(
    lab: Lab, running: Running, upstream: Upstream
) -> None:
    lab.conf.write_text("nameserver 127.9.9.9\nnameserver 127.0.0.1\n")  # nobody listens at the first
    assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
    other = Upstream(lab.host, "127.0.0.53")
    lab.conf.write_text("nameserver 127.0.0.53\nnameserver 127.0.0.1\n")
    try:
        for rcode in (SERVFAIL, REFUSED, NOTIMP):
            other.handle = lambda asked, rcode=rcode: [answer(asked, rcode=rcode)]  # type: ignore[misc]
            assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
        other.handle = lambda asked: [answer(asked, rcode=NXDOMAIN)]
        assert lab.web.ask("www.example.org").rcode == NXDOMAIN
        other.handle = lambda asked: []
        assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
    finally:
        other.close()


def test_a_server_with_a_link_local_address(lab: Lab, running: Running) -> None:
    lab.host.ok(*"ip address add fe80::53/64 dev lo nodad".split())
    server = Upstream(lab.host, "fe80::53%lo", kinds=("udp",))
    lab.conf.write_text("nameserver fe80::53%nowhere\nnameserver fe80::53%lo\n")
    try:
        assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
    finally:
        server.close()
        lab.host.ok(*"ip address del fe80::53/64 dev lo".split())


def test_without_a_server_that_answers(lab: Lab, running: Running) -> None:
    assert lab.web.ask("www.example.org").rcode == SERVFAIL
    assert lab.web.ask_by_tcp("www.example.org").rcode == SERVFAIL
    assert lab.web.addresses("db") == ["10.89.0.3"]


def test_servers_of_a_container_and_of_a_network(lab: Lab, running: Running, upstream: Upstream) -> None:
    """`--dns` before `network create --dns` before the host's; and a container may be the server."""
    others = {name: Upstream(lab.host, f"127.1.1.{last}") for name, last in (("network", 1), ("container", 2))}
    others["neighbour"] = Upstream(lab.db.space, "10.89.0.3")
    for last, other in enumerate(others.values(), 100):
        other.handle = lambda asked, last=last: [answer(asked, (A, bytes([192, 0, 2, last])))]  # type: ignore[misc]
    web, db = ENTRIES["front"]
    directory = os.fspath(lab.directory)

    def known(zone: resolver.Zone, entry: Entry, expected: str) -> None:
        resolver.write(directory, zone, [entry, db])
        wait.until(lambda: lab.web.addresses("www.example.org") == [expected], what=f"the server behind {expected}")

    try:
        with_servers = FRONT.replace(servers=["127.1.1.1"])
        known(with_servers, web, "192.0.2.100")
        known(with_servers, web.replace(servers=["127.1.1.2"]), "192.0.2.101")
        known(with_servers, web.replace(servers=["10.89.0.3"]), "192.0.2.102")
        known(FRONT, web.replace(servers=FRONT.addresses), "192.0.2.7")  # itself: no loop
    finally:
        for other in others.values():
            other.close()


def test_cut_answers_of_a_server(lab: Lab, running: Running, upstream: Upstream) -> None:
    """Who came by UDP is told so; for who came by TCP the server is asked by TCP."""
    records = [(A, bytes([192, 0, 2, last])) for last in range(250)]
    upstream.handle = lambda asked: [answer(asked, flags=0x8380)]
    upstream.handle_tcp = lambda asked: [answer(asked, *records, *records, *records)]
    assert lab.web.ask("www.example.org").flags & TRUNCATED
    assert upstream.by_tcp == 0
    assert len(lab.web.ask_by_tcp("www.example.org").records) == 750
    upstream.handle = lambda asked: [answer(asked, *records)]  # more than was asked for
    found = lab.web.ask("www.example.org")
    assert (found.flags & TRUNCATED, len(found.message)) == (TRUNCATED, len(query("www.example.org")))


def test_a_server_whose_tcp_is_odd(lab: Lab, running: Running, upstream: Upstream) -> None:
    upstream.handle = lambda asked: [answer(asked, flags=0x8380)]
    for said in ([], [b""], [b"x" * 40], [answer(query("www.example.com"))]):
        upstream.handle_tcp = lambda asked, said=said: said  # type: ignore[misc]
        found = lab.web.ask_by_tcp("www.example.org")
        assert found.rcode == SERVFAIL
