"""What containers learn by name, and what doesn't leave their networks."""

from __future__ import annotations

import os

from tests.network.resolver.lab import (
    AAAA,
    ANY,
    BACK,
    DB,
    MX,
    NOERROR,
    NXDOMAIN,
    PTR,
    WEB,
    A,
    Lab,
    Running,
    Upstream,
    encode,
)


def test_names_aliases_and_short_ids_of_the_same_network(lab: Lab, running: Running) -> None:
    for name in ("web", "WEB", "www", WEB[:12], "web.dns.podman", "Web.DNS.Podman"):
        assert lab.db.addresses(name) == ["10.89.0.2"], name
    assert lab.db.addresses("web", AAAA) == ["fd00:89::2"]
    assert lab.db.ask(WEB[:63]).rcode == NXDOMAIN


def test_an_answer_is_for_now(lab: Lab, running: Running) -> None:
    found = lab.db.ask("web")
    assert found.flags == 0x8180
    assert [(kind, ttl) for kind, ttl, _ in found.records] == [(A, 0)]


def test_a_name_without_addresses_of_that_family(lab: Lab, running: Running) -> None:
    found = lab.web.ask("db", AAAA)
    assert (found.rcode, found.records) == (NOERROR, [])


def test_only_names_of_own_networks_and_of_all_of_them(lab: Lab, running: Running) -> None:
    assert lab.db.addresses("cache") == ["10.89.1.4"]
    assert lab.db.addresses("web") == ["10.89.0.2"]
    assert lab.web.ask("cache").rcode == NXDOMAIN
    assert lab.cache.ask("web").rcode == NXDOMAIN
    assert lab.web.addresses("db") == ["10.89.0.3"]
    assert lab.cache.addresses("db") == ["10.89.1.3"]
    assert sorted(lab.db.addresses("db")) == ["10.89.0.3", "10.89.1.3"]


def test_another_networks_gateway_tells_nothing_more(lab: Lab, running: Running) -> None:
    assert lab.web.ask("cache", server=BACK.addresses[0]).rcode == NXDOMAIN
    assert lab.web.ask("web", server=BACK.addresses[0]).addresses == ["10.89.0.2"]


def test_ipv6_clients(lab: Lab, running: Running) -> None:
    assert "10.89.0.3" in lab.web.space.ok("dig", "+short", "@fd00:89::1", "db")
    assert "10.89.0.3" in lab.web.space.ok("dig", "+short", "+tcp", "@fd00:89::1", "db")


def test_reverse(lab: Lab, running: Running) -> None:
    found = lab.web.ask("3.0.89.10.in-addr.arpa", PTR)
    assert [(kind, ttl, data) for kind, ttl, data in found.records] == [
        (PTR, 0, encode("db")),
        (PTR, 0, encode(DB[:12])),
    ]
    v6 = "2.0.0.0." + "0." * 20 + "9.8.0.0.0.0.d.f.ip6.arpa"
    assert [data for _, _, data in lab.db.ask(v6, PTR).records][:2] == [encode("web"), encode("www")]


def test_reverse_of_others_ends_here(lab: Lab, running: Running, upstream: Upstream) -> None:
    for address in ("1.0.89.10", "4.1.89.10"):  # the gateway; a container of another network
        assert lab.web.ask(f"{address}.in-addr.arpa", PTR).rcode == NXDOMAIN
    assert not upstream.questions
    assert lab.web.ask("9.9.9.9.in-addr.arpa", PTR).rcode == NOERROR
    assert len(upstream.questions) == 1


def test_what_ends_here(lab: Lab, running: Running, upstream: Upstream) -> None:
    """A container's name, or what could have been one, is never asked for outside."""
    for name in ("nobody", "web1", "nobody.dns.podman", "a.b.dns.podman", "dns.podman"):
        for kind in (A, AAAA, MX):
            assert lab.web.ask(name, kind).rcode == NXDOMAIN, name
    for kind in (MX, ANY):
        assert lab.web.ask("db", kind).rcode == NXDOMAIN
    assert not upstream.questions


def test_internal_networks_get_no_forwarding(lab: Lab, running: Running, upstream: Upstream) -> None:
    assert lab.vault.addresses("vault") == ["10.89.2.5"]
    assert lab.vault.ask("www.example.org").rcode == NXDOMAIN
    assert lab.vault.ask("9.9.9.9.in-addr.arpa", PTR).rcode == NXDOMAIN
    assert not upstream.questions


def test_real_programs_look_names_up(lab: Lab, running: Running, upstream: Upstream) -> None:
    inside = ["sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', os.fspath(lab.directory.parent / "client")]
    (lab.directory.parent / "client").write_text("search dns.podman\nnameserver 10.89.0.1\n")
    unshared = ["unshare", "--mount", *inside]
    run = lab.web.space.ok
    assert run(*unshared, "getent", "ahostsv4", "db").split()[0] == "10.89.0.3"
    assert run(*unshared, "getent", "hosts", "10.89.0.3").split() == ["10.89.0.3", "db"]
    assert run(*unshared, "getent", "hosts", "www.example.org").split()[0] == "192.0.2.7"
    said = run(*unshared, "busybox", "nslookup", "db")
    assert "db.dns.podman" in said
    assert "10.89.0.3" in said
    assert "NXDOMAIN" in lab.web.space.run(*unshared, "busybox", "nslookup", "nobody")
    assert b"nobody" not in upstream.names
    said = run("dig", "@10.89.0.1", "db")
    assert "status: NOERROR" in said
    assert "db.\t\t\t0\tIN\tA\t10.89.0.3" in said
    assert "status: NXDOMAIN" in run("dig", "@10.89.0.1", "db", "MX")
    assert run("dig", "+short", "@10.89.0.1", "-x", "10.89.0.3").split() == ["db.", f"{DB[:12]}."]
