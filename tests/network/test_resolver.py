"""podpy-resolver at work: what containers learn by name, and what doesn't leave their networks."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from podpy.network.bridge import resolver
from podpy.network.bridge.resolver import Entry
from tests.network import names_lab
from tests.network.names_lab import (
    AAAA,
    ANY,
    BACK,
    DB,
    FORMERR,
    FRONT,
    MX,
    NOERROR,
    NOTIMP,
    NXDOMAIN,
    PTR,
    REFUSED,
    SERVFAIL,
    TRUNCATED,
    WEB,
    A,
    Answer,
    Lab,
    Running,
    Upstream,
    answer,
    encode,
    query,
    receive,
)
from tests.support import places, wait

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
    target = tmp_path_factory.mktemp("resolver") / str(request.param)
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


def test_the_hosts_servers_are_followed_when_they_change(lab: Lab, running: Running, upstream: Upstream) -> None:
    other = Upstream(lab.host, "127.1.1.1")
    other.handle = lambda asked: [answer(asked, (A, bytes([192, 0, 2, 8])))]
    try:
        assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
        lab.conf.write_text("# now\nsearch example.org\nnameserver 127.1.1.1\noptions edns0\n")
        assert lab.web.addresses("www.example.org") == ["192.0.2.8"]
        aside = lab.conf.with_name("stub")  # systemd-resolved's is a link to a file that is replaced
        aside.write_text("nameserver\t127.0.0.1 # here\n")
        aside.replace(lab.conf)
        assert lab.web.addresses("www.example.org") == ["192.0.2.7"]
        lab.conf.unlink()
        lab.conf.symlink_to("elsewhere")
        lab.conf.with_name("elsewhere").write_text("nameserver 127.1.1.1")
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
    other = Upstream(lab.host, "127.1.1.1")
    lab.conf.write_text("nameserver 127.1.1.1\nnameserver 127.0.0.1\n")
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
    web, db = names_lab.ENTRIES["front"]
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


def test_containers_come_and_go(lab: Lab, running: Running, upstream: Upstream) -> None:
    directory = os.fspath(lab.directory)
    new = Entry(container_id="9" * 64, v4=["10.89.0.9"], names=["new"])
    resolver.add(directory, FRONT, new)
    wait.until(lambda: lab.web.addresses("new") == ["10.89.0.9"], what="the new name is known")
    resolver.remove(directory, "front", DB)
    wait.until(lambda: lab.web.ask("db").rcode == NXDOMAIN, what="nothing answers for the dead")
    assert lab.web.ask("3.0.89.10.in-addr.arpa", PTR).rcode in (NXDOMAIN, NOERROR)
    resolver.add(directory, FRONT, new.replace(v4=["10.89.0.10"]))
    wait.until(lambda: lab.web.addresses("new") == ["10.89.0.10"], what="the new address is known")
    assert b"db" not in upstream.names


def test_networks_come_and_go(lab: Lab, running: Running) -> None:
    directory = os.fspath(lab.directory)
    resolver.remove(directory, "back")

    def is_deaf() -> bool:
        with lab.cache.space.socket("udp") as asker:
            asker.connect((BACK.addresses[0], 53))
            with contextlib.suppress(ConnectionRefusedError):
                asker.send(query("cache"))
                asker.recv(1000)
                return False
        return True

    wait.until(is_deaf, what="nobody listens for a network that is gone")
    assert lab.db.addresses("web") == ["10.89.0.2"]
    resolver.write(directory, BACK, names_lab.ENTRIES["back"])
    wait.until(lambda: not is_deaf(), what="it listens again")
    assert lab.cache.addresses("cache") == ["10.89.1.4"]
    assert lab.cache.ask_by_tcp("cache").addresses == ["10.89.1.4"]


def test_a_gateway_may_come_after_its_names(lab: Lab, running: Running) -> None:
    zone = FRONT.replace(network="late", addresses=["10.89.7.1", "fd00:97::1"])
    resolver.write(os.fspath(lab.directory), zone, [Entry(container_id="7" * 64, v4=["10.89.7.2"], names=["late"])])
    wait.until(lambda: ":53" in lab.shared.ok("ss", "-lnuH", "src", "10.89.7.1"), what="it listens")
    lab.shared.ok(*"ip address add 10.89.7.1/24 dev front".split())
    try:
        assert "10.89.7.2" in lab.shared.ok("dig", "+short", "@10.89.7.1", "late")
    finally:
        lab.shared.ok(*"ip address del 10.89.7.1/24 dev front".split())


def test_lines_that_make_no_sense_are_left_out(lab: Lab, running: Running) -> None:
    text = "\n".join(
        [
            "10.89.0.1,nonsense,,fd00:89::1 x,y",
            "",
            "a",
            "a b c",
            f"{'5' * 64} 10.89.0.300,10.89.0.5, zz odd,,{'x' * 300},{'y' * 64}.b nowhere",
            f"{DB} 10.89.0.3  db",
            "\0\xff\0 1.2.3.4",
            f"{'6' * 64} 10.89.0.6  last",
        ]
    )
    aside = lab.directory / "aside"
    aside.write_bytes(text.encode("latin-1"))
    aside.rename(lab.directory / "names/front")
    (lab.directory / "names/empty").touch()
    (lab.directory / "names/link").symlink_to("/etc/passwd")
    (lab.directory / "names/directory").mkdir()
    try:
        wait.until(lambda: lab.web.addresses("odd") == ["10.89.0.5"], what="the new file is read")
        assert lab.web.addresses("db") == ["10.89.0.3"]
        lab.web.ask("5.0.89.10.in-addr.arpa", PTR)
    finally:
        (lab.directory / "names/directory").rmdir()


def crowd(lab: Lab, size: int) -> None:
    """Give a name to many containers."""
    entries = [
        Entry(container_id=f"{number:064x}", v4=[f"10.90.{number // 250}.{number % 250 + 1}"], names=["crowd"])
        for number in range(size)
    ]
    resolver.write(os.fspath(lab.directory), FRONT, [*names_lab.ENTRIES["front"], *entries])
    wait.until(lambda: lab.web.ask("crowd").rcode == NOERROR, what="the crowd is known")


def test_what_doesnt_fit_into_a_datagram_is_told_by_tcp(lab: Lab, running: Running) -> None:
    crowd(lab, 300)
    for edns, most in ((0, 512), (1000, 1000), (60000, 1232)):
        cut = lab.web.ask("crowd", edns=edns)
        assert cut.flags & TRUNCATED
        assert most - 30 < len(cut.message) <= most
    assert len(set(lab.web.ask_by_tcp("crowd").addresses)) == 300
    assert len(lab.web.space.ok("dig", "+short", "@10.89.0.1", "crowd").splitlines()) == 300


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


def test_what_is_no_question(lab: Lab, running: Running, upstream: Upstream) -> None:
    good = query("www.example.org", edns=1232)
    expected = {
        FORMERR: [
            good[:12],
            good[:20],
            good[:-1],
            good[:4] + b"\0\2" + good[6:],
            good[:12] + b"\xc0\x0c" + good[14:],  # a pointer to itself
            good[:12] + b"\x40" + good[13:],
            query(".".join(["x" * 63] * 4)),  # 257 bytes
            good + b"x" * 1300,
            good[:11] + b"\2" + good[12:] + good[-11:],  # two OPT records
        ],
        NOTIMP: [query("db", flags=0x2900)],
        REFUSED: [query("db")[:-2] + b"\0\3"],  # CHAOS
    }
    for rcode, messages in expected.items():
        for message in messages:
            lab.web.send(message)
            found = lab.web.receive()
            assert (found.rcode, found.ident) == (rcode, 0x1234), message
    bad_version = query("db", edns=1232)[:-6] + b"\0\1\0\0\0\0"
    lab.web.send(bad_version)
    assert lab.web.receive().message[-6] == 1  # BADVERS: the upper bits in the OPT record
    for silent in (b"", b"x" * 11, query("db", flags=0x8180)):
        lab.web.send(silent)
    assert lab.web.addresses("db") == ["10.89.0.3"]
    assert not upstream.questions


def test_one_client_leaves_room_for_others(lab: Lab, running: Running, upstream: Upstream) -> None:
    upstream.handle = lambda asked: []
    asked = [query(f"www{number}.example.org", ident=number) for number in range(70)]
    for message in asked:
        lab.web.send(message)
    refused = [lab.web.receive() for _ in range(6)]
    assert {found.rcode for found in refused} == {SERVFAIL}
    assert {found.ident for found in refused} == set(range(64, 70))
    assert lab.web.addresses("db") == ["10.89.0.3"]
    upstream.handle = lambda asked: [answer(asked, (A, bytes([192, 0, 2, 7])))]
    assert lab.db.addresses("www.example.org") == ["192.0.2.7"]
    assert len({lab.web.receive().ident for _ in range(64)}) == 64  # asked once more, they are all answered


def test_a_repeated_question_is_one(lab: Lab, running: Running, upstream: Upstream) -> None:
    upstream.handle = lambda asked: []
    for _ in range(5):
        lab.web.send(query("www.example.org"))
    wait.until(lambda: upstream.questions, what="the server is asked")
    assert lab.web.addresses("db") == ["10.89.0.3"]  # all five have been seen by now
    upstream.handle = lambda asked: [answer(asked, (A, bytes([192, 0, 2, 7])))]
    assert lab.web.receive().addresses == ["192.0.2.7"]
    assert lab.web.addresses("db") == ["10.89.0.3"]
    assert len(upstream.questions) == 2


def test_idle_connections_stop_nobody(lab: Lab, running: Running, program: Path) -> None:
    """One open connection stopped aardvark-dns 1.12 for all (CVE-2024-8418)."""
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(lab.web.connect()) for _ in range(8)]
        silent[0].sendall(b"\0")
        assert lab.web.addresses("db") == ["10.89.0.3"]
        assert lab.db.ask_by_tcp("web").addresses == ["10.89.0.2"]
        one_more = stack.enter_context(lab.web.connect())
        assert one_more.recv(1) == b""  # this client has enough
        silent[0].close()
        asked = query("db")
        silent[1].sendall(struct.pack("!H", len(asked)) + asked)
        assert Answer(receive(silent[1])).addresses == ["10.89.0.3"]
        if program.name == "plain":  # once is enough: it takes ten idle seconds
            assert silent[2].recv(1) == b""


def test_questions_one_after_the_other_on_a_connection(lab: Lab, running: Running, upstream: Upstream) -> None:
    asked = [query("db", ident=1), query("www.example.org", ident=2), query("db", AAAA, ident=3), query("x", ident=4)]
    with lab.web.connect() as stream:
        stream.sendall(b"".join(struct.pack("!H", len(message)) + message for message in asked))
        found = [Answer(receive(stream)) for _ in asked]
        for byte in struct.pack("!H", len(asked[0])) + asked[0]:
            stream.sendall(bytes([byte]))
        assert Answer(receive(stream)).addresses == ["10.89.0.3"]
        stream.sendall(struct.pack("!H", 5000))
        assert stream.recv(1) == b""
    assert [one.ident for one in found] == [1, 2, 3, 4]
    assert [len(one.records) for one in found] == [1, 1, 0, 0]


def test_a_client_that_hangs_up_while_it_is_answered(lab: Lab, running: Running, upstream: Upstream) -> None:
    upstream.handle = lambda asked: []
    for how in (socket.SHUT_RDWR, socket.SHUT_WR):
        asked = query("www.example.org")
        with lab.web.connect() as stream:
            stream.sendall(struct.pack("!H", len(asked)) + asked)
            wait.until(lambda: upstream.questions, what="the server is asked")
            upstream.questions.clear()
            stream.shutdown(how)
    upstream.handle = lambda asked: [answer(asked, (A, bytes([192, 0, 2, 7])))]
    assert lab.web.ask_by_tcp("www.example.org").addresses == ["192.0.2.7"]


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


def test_it_is_confined(running: Running, program: Path) -> None:
    status = dict(
        line.split(":\t") for line in Path(f"/proc/{running.pid}/status").read_text().splitlines() if ":\t" in line
    )
    assert status["Name"] == "podpy-resolver"
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapPrm"], 16) == 1 << 10 | 1 << 21  # NET_BIND_SERVICE, SYS_ADMIN: of the user's own namespace
    if program.name == "plain":
        assert status["Seccomp"] == "2"


def test_it_ends_with_the_namespace(lab: Lab, running: Running) -> None:
    assert running.is_alive()
    assert not resolver.is_alive(os.fspath(lab.directory), running.inode + 1)
    (lab.directory / "netns").unlink()
    wait.for_end(running.pid)
    assert not running.is_alive()


def test_one_that_was_killed_is_started_again(lab: Lab, running: Running, program: Path) -> None:
    os.kill(running.pid, signal.SIGKILL)
    wait.for_end(running.pid)
    wait.until(lambda: not running.is_alive(), what="its lock is free")
    again = Running(lab, program)
    assert lab.web.addresses("db") == ["10.89.0.3"]
    again.end()


START = """
import os, sys
from podpy.network.bridge.resolver import StartResolver, WaitForResolver
directory, netns = sys.argv[1:]
descriptor = os.open(netns, os.O_RDONLY)
start = StartResolver(directory, lambda: descriptor)
start.execute()
WaitForResolver(start).execute()
"""


def start(lab: Lab) -> str:
    """Start the built resolver as podpy does."""
    netns = f"/proc/{lab.shared.process.pid}/ns/net"
    environment = [f"PYTHONPATH={os.pathsep.join(sys.path)}"]
    return lab.host.run("env", *environment, sys.executable, "-c", START, os.fspath(lab.directory), netns)


def test_podpy_starts_one_where_none_is_alive(lab: Lab) -> None:
    lab.reset()
    pid_file = lab.directory / "resolver.pid"
    pid_file.write_text("2 1\n")
    assert start(lab) == ""
    first = pid_file.read_text()
    try:
        assert lab.web.addresses("db") == ["10.89.0.3"]
        assert start(lab) == ""
        assert pid_file.read_text() == first
    finally:
        (lab.directory / "netns").unlink()
        wait.for_end(int(first.split()[1]))


def test_a_start_that_fails_says_why(lab: Lab) -> None:
    lab.reset()
    with lab.shared.socket("udp", "10.89.0.1", 53):
        said = start(lab)
    (lab.directory / "netns").unlink()
    assert "podpy-resolver can't start: listen on 10.89.0.1 port 53: Address already in use" in said
