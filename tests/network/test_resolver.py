"""podpy-resolver at work: what containers learn by name, and what doesn't leave their networks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network import names_lab
from tests.network.names_lab import (
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
    answer,
    encode,
    query,
)
from tests.support import places

SOURCES = Path(__file__).resolve().parents[2] / "src/conmon_c/resolver"
BUILDS = {
    "plain": ["-O2", "-static"],
    "sanitized": ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"],
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    base = places.make_base()
    made = Lab(base)
    yield made
    made.end()
    places.remove(base)


@pytest.fixture(scope="module", params=list(BUILDS))
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("resolver") / "resolver"
    flags = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", *BUILDS[request.param]]
    subprocess.run(["cc", *flags, "-o", target, *sorted(SOURCES.glob("*.c"))], check=True)
    return target


@pytest.fixture
def running(lab: Lab, program: Path) -> Iterator[Running]:
    yield from names_lab.running(lab, program)


@pytest.fixture
def upstream(lab: Lab) -> Iterator[Upstream]:
    made = Upstream(lab.host)
    yield made
    made.close()


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


def test_internal_networks_get_no_forwarding(lab: Lab, running: Running, upstream: Upstream) -> None:
    assert lab.vault.addresses("vault") == ["10.89.2.5"]
    assert lab.vault.ask("www.example.org").rcode == NXDOMAIN
    assert lab.vault.ask("9.9.9.9.in-addr.arpa", PTR).rcode == NXDOMAIN
    assert not upstream.questions


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
