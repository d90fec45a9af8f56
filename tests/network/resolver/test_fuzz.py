"""Random, mutated, cut and looping messages: from containers, from servers, and files. The resolver answers on."""

from __future__ import annotations

import contextlib
import os
import random
import struct

from podpy.network.bridge import resolver
from tests.network.resolver.lab import AAAA, ENTRIES, FRONT, PTR, A, Lab, Running, Upstream, answer, query
from tests.support import wait

ROUNDS = 3000
SEEDS = [
    query("db"),
    query("web.dns.podman", AAAA, edns=1232),
    query("www.example.org", edns=4096),
    query("3.0.89.10.in-addr.arpa", PTR),
    query("2.0.0.0." + "0." * 20 + "9.8.0.0.0.0.d.f.ip6.arpa", PTR),
    query(".".join(["x" * 49] * 5)),
    query("a.b." * 60),
]


def mutate(rng: random.Random, message: bytes) -> bytes:
    """Return a message with some bytes changed, cut out, put in, or pointing at others."""
    changed = bytearray(message)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(changed)) if changed else 0
        how = rng.randrange(5)
        if how == 0:
            changed[place : place + 1] = bytes([rng.randrange(256)])
        elif how == 1:
            del changed[place:]
        elif how == 2:
            changed[place:place] = rng.randbytes(rng.randint(1, 40))
        elif how == 3:
            changed[place : place + 2] = struct.pack("!H", 0xC000 | rng.randrange(len(message) + 4))
        else:
            changed[4:12] = struct.pack("!4H", *(rng.choice([0, 1, 1, 2, 9, 65535]) for _ in range(4)))
    return bytes(changed)


def message_of(rng: random.Random) -> bytes:
    """Return a message that is more or less a question."""
    return rng.randbytes(rng.randrange(300)) if rng.randrange(8) == 0 else mutate(rng, rng.choice(SEEDS))


def test_messages_of_containers(lab: Lab, running: Running, upstream: Upstream) -> None:
    rng = random.Random(1)
    with lab.web.space.socket("udp") as asker:
        asker.connect(("10.89.0.1", 53))
        for number in range(ROUNDS):
            asker.send(message_of(rng))
            if number % 50 == 0:
                assert lab.db.addresses("web") == ["10.89.0.2"]
    assert lab.web.addresses("db") == ["10.89.0.3"]
    assert running.is_alive()


def test_streams_of_containers(lab: Lab, running: Running, upstream: Upstream) -> None:
    rng = random.Random(2)
    for _ in range(60):
        with lab.web.connect() as stream, contextlib.suppress(OSError):
            for _ in range(rng.randint(1, 20)):
                message = message_of(rng)
                size = len(message) if rng.randrange(4) else rng.randrange(65536)
                stream.sendall(struct.pack("!H", size) + message)
            if rng.randrange(2):
                stream.setblocking(False)
                stream.recv(rng.randint(1, 2000))
        assert lab.db.addresses("web") == ["10.89.0.2"]
    assert running.is_alive()


def descriptors(pid: int) -> int:
    """Return how many files a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_messages_of_servers(lab: Lab, running: Running, upstream: Upstream) -> None:
    rng = random.Random(3)
    before = descriptors(running.pid)

    def handle(asked: bytes) -> list[bytes]:
        right = answer(asked, *[(A, rng.randbytes(4))] * rng.randrange(40), flags=rng.choice([0x8180, 0x8380]))
        odd = [mutate(rng, right) for _ in range(rng.randrange(4))]
        # The same id and question, and anything behind them: that is handed on, and no part of it is believed.
        return [*odd, right[: 16 + len(asked)] + rng.randbytes(rng.randrange(3000))]

    upstream.handle = handle
    upstream.handle_tcp = handle
    with lab.web.space.socket("udp") as asker:
        asker.connect(("10.89.0.1", 53))
        for number in range(ROUNDS // 10):
            asker.send(query(f"www{number % 7}.example.org", rng.choice([A, AAAA, PTR]), ident=number, edns=1232))
            if number % 20 == 0:
                assert lab.db.addresses("web") == ["10.89.0.2"]
    for number in range(10):
        with lab.web.connect() as stream:
            asked = query("www.example.org", ident=number)
            stream.sendall(struct.pack("!H", len(asked)) + asked)
            stream.recv(65535)
    assert running.is_alive()
    wait.until(lambda: descriptors(running.pid) == before, what="all sockets are closed")


def test_files(lab: Lab, running: Running) -> None:
    rng = random.Random(4)
    directory = os.fspath(lab.directory)
    good = (lab.directory / "names/front").read_bytes()
    aside = lab.directory / "aside"
    for _ in range(ROUNDS // 10):
        changed = bytearray(good)
        for _ in range(rng.randint(1, 20)):
            place = rng.randrange(len(changed))
            changed[place : place + rng.randrange(3)] = rng.choice(
                [b" ", b",", b"\n", b"\0", b"%", b"::", rng.randbytes(3), b"", b"x" * 300]
            )
        aside.write_bytes(changed)
        aside.rename(lab.directory / "names/front")
    resolver.write(directory, FRONT, ENTRIES["front"])

    def knows() -> bool:
        with lab.db.space.socket("udp") as asker:
            asker.settimeout(1)
            asker.connect(("10.89.0.1", 53))
            with contextlib.suppress(OSError):
                asker.send(query("web"))
                return bool(asker.recv(1000)[7])
        return False

    wait.until(knows, what="the right file counts again")
    assert running.is_alive()
