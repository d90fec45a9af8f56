"""Odd messages, long ones, many of them, and clients by TCP that do nothing."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path

from podpy.network.bridge import resolver
from podpy.network.bridge.resolver import Entry
from tests.network.resolver.lab import (
    AAAA,
    ENTRIES,
    FORMERR,
    FRONT,
    NOERROR,
    NOTIMP,
    REFUSED,
    SERVFAIL,
    TRUNCATED,
    A,
    Answer,
    Lab,
    Running,
    Upstream,
    answer,
    query,
    receive,
)
from tests.support import wait


def crowd(lab: Lab, size: int) -> None:
    """Give a name to many containers."""
    entries = [
        Entry(container_id=f"{number:064x}", v4=[f"10.90.{number // 250}.{number % 250 + 1}"], names=["crowd"])
        for number in range(size)
    ]
    resolver.write(os.fspath(lab.directory), FRONT, [*ENTRIES["front"], *entries])
    wait.until(lambda: lab.web.ask("crowd").rcode == NOERROR, what="the crowd is known")


def test_what_doesnt_fit_into_a_datagram_is_told_by_tcp(lab: Lab, running: Running) -> None:
    crowd(lab, 300)
    for edns, most in ((0, 512), (1000, 1000), (60000, 1232)):
        cut = lab.web.ask("crowd", edns=edns)
        assert cut.flags & TRUNCATED
        assert most - 30 < len(cut.message) <= most
    assert len(set(lab.web.ask_by_tcp("crowd").addresses)) == 300
    assert len(lab.web.space.ok("dig", "+short", "@10.89.0.1", "crowd").splitlines()) == 300


def test_a_container_may_have_many_names(lab: Lab, running: Running) -> None:
    many = [f"alias{number}" for number in range(1000)]
    entry = Entry(container_id="7" * 64, v4=["10.89.0.77"], names=["many", *many, "7" * 12])
    resolver.write(os.fspath(lab.directory), FRONT, [*ENTRIES["front"], entry])
    wait.until(lambda: lab.web.ask("many").rcode == NOERROR, what="it is known")
    assert {tuple(lab.web.ask(name).addresses) for name in (*many[::111], "7" * 12)} == {("10.89.0.77",)}


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
    for name in ("one.example.org", "two.example.org"):  # the same id and port, and another question
        lab.web.send(query(name))
    assert {lab.web.receive().message[13:16] for _ in range(2)} == {b"one", b"two"}


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
