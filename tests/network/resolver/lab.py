"""A resolver at work: a host with a server of the test's own, a shared namespace with bridges, clients on them.

All in a user namespace, as podpy itself: the tests need no privilege. Sockets are made inside a namespace and handed
out, so that a test asks and answers in its own process.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from podpy.network.bridge import resolver
from podpy.network.bridge.resolver import Entry, Zone
from tests.support import wait

A, PTR, MX, AAAA, ANY, OPT = 1, 12, 15, 28, 255, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
TRUNCATED = 0x0200

_MAKE_SOCKETS = """
import socket
ours = socket.socket(fileno=0)
while said := ours.recv(1000).decode():
    kind, host, port = said.split(",")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as made:
        if host:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(socket.getaddrinfo(host, int(port), flags=socket.AI_NUMERICHOST)[0][4])
            if kind == "tcp":
                made.listen()
        socket.send_fds(ours, [b"+"], [made.fileno()])
"""


class Namespace:
    """A process in a network namespace of its own, which lives as long as its standard input is open."""

    def __init__(self, *outer: str, setup: str = "") -> None:
        script = f"set -e; ip link set lo up; {setup or ':'}; echo ready; exec cat"
        self.process = subprocess.Popen(
            [*outer, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self.process.stdout is not None
        wait.for_text(self.process.stdout, b"ready")
        self._sockets, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._maker = subprocess.Popen([*self.inside, sys.executable, "-c", _MAKE_SOCKETS], stdin=theirs)

    @property
    def inside(self) -> list[str]:
        """What stands before a command line that runs inside."""
        return ["nsenter", f"--target={self.process.pid}", "--user", "--net", "--mount", "--preserve-credentials"]

    def run(self, *argv: str) -> str:
        """Run a program inside and return what it says."""
        done = subprocess.run([*self.inside, *argv], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def ok(self, *argv: str) -> str:
        """The same; it must succeed."""
        done = subprocess.run([*self.inside, *argv], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def socket(self, kind: str, host: str = "", port: int = 0) -> socket.socket:
        """Return a socket inside ("udp" or "tcp"), bound to an address, and listening, if one is given."""
        self._sockets.send(f"{kind},{host},{port}".encode())
        _, descriptors, _, _ = socket.recv_fds(self._sockets, 1, 1)
        made = socket.socket(fileno=descriptors[0])
        made.settimeout(wait.PATIENCE)
        return made

    def end(self) -> None:
        """End it, and with it what is only in its namespace."""
        self._sockets.close()  # ends the maker of sockets
        self._maker.wait()
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


def encode(name: str) -> bytes:
    """Return a name on the wire."""
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def query(name: str, kind: int = A, *, ident: int = 0x1234, flags: int = 0x0100, edns: int = 0) -> bytes:
    """Return a question; `edns`: with an OPT record that says that answers may be so long."""
    more = b"\0" + struct.pack("!HHIH", OPT, edns, 0, 0) if edns else b""
    return struct.pack("!6H", ident, flags, 1, 0, 0, bool(edns)) + encode(name) + struct.pack("!HH", kind, 1) + more


def answer(question: bytes, *records: tuple[int, bytes], rcode: int = 0, flags: int = 0x8180) -> bytes:
    """Return an answer of a server to a question."""
    end = question.index(b"\0", 12) + 5
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for kind, data in records)
    return question[:2] + struct.pack("!5H", flags | rcode, 1, len(records), 0, 0) + question[12:end] + body


class Answer:
    """What came back."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.ident, self.flags, self.questions, count, _, self.additional = struct.unpack("!6H", message[:12])
        self.rcode = self.flags & 15
        self.records: list[tuple[int, int, bytes]] = []  # type, TTL, data
        at = 12
        for _ in range(self.questions):
            at = message.index(b"\0", at) + 5
        for _ in range(count):
            assert message[at : at + 2] == b"\xc0\x0c"
            kind, _, ttl, size = struct.unpack("!HHIH", message[at + 2 : at + 12])
            self.records.append((kind, ttl, message[at + 12 : at + 12 + size]))
            at += 12 + size

    @property
    def addresses(self) -> list[str]:
        """The addresses in it."""
        families = {A: socket.AF_INET, AAAA: socket.AF_INET6}
        return [socket.inet_ntop(families[kind], data) for kind, _, data in self.records]


class Upstream:
    """A name server on the host: `handle` makes the answers of a question. Its questions are kept."""

    def __init__(self, host: Namespace, address: str = "127.0.0.1", kinds: tuple[str, ...] = ("udp", "tcp")) -> None:
        self.questions: list[bytes] = []
        self.by_tcp = 0
        self.handle: Callable[[bytes], list[bytes]] = lambda asked: [answer(asked, (A, bytes([192, 0, 2, 7])))]
        self.handle_tcp: Callable[[bytes], list[bytes]] | None = None
        self.sockets = [host.socket(kind, address, 53) for kind in kinds]
        targets = {"udp": self._serve_udp, "tcp": self._serve_tcp}
        for kind, made in zip(kinds, self.sockets, strict=True):
            made.settimeout(None)
            threading.Thread(target=targets[kind], args=(made,), daemon=True).start()

    @property
    def names(self) -> list[bytes]:
        """The first label of every question."""
        return [asked[13 : 13 + asked[12]] for asked in self.questions]

    def _serve_udp(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                asked, peer = server.recvfrom(65535)
                if not asked:  # it is closed
                    return
                self.questions.append(asked)
                for said in self.handle(asked):
                    server.sendto(said, peer)

    def _serve_tcp(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                with client:
                    client.settimeout(wait.PATIENCE)
                    asked = receive(client)
                    self.by_tcp += 1
                    for said in (self.handle_tcp or self.handle)(asked):
                        client.sendall(struct.pack("!H", len(said)) + said)

    def close(self) -> None:
        """End it: nothing listens there any more."""
        for made in self.sockets:
            with contextlib.suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)
            made.close()


def receive(stream: socket.socket) -> bytes:
    """Return a message from a connection; empty at its end."""
    size = _exactly(stream, 2)
    return _exactly(stream, struct.unpack("!H", size)[0]) if size else b""


def _exactly(stream: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = stream.recv(size - len(parts))
        if not part:
            return b""
        parts += part
    return parts


class Client:
    """Somebody on the networks."""

    def __init__(self, space: Namespace, server: str) -> None:
        self.space = space
        self.server = server
        self.udp = space.socket("udp")
        self._udp6: socket.socket | None = None

    def send(self, message: bytes, server: str = "") -> None:
        """Send a datagram to the resolver."""
        self.udp.sendto(message, (server or self.server, 53))

    def receive(self) -> Answer:
        """Wait for an answer."""
        return Answer(self.udp.recv(65535))

    def ask(self, name: str, kind: int = A, *, edns: int = 0, server: str = "") -> Answer:
        """Ask by UDP."""
        self.send(query(name, kind, edns=edns), server)
        return self.receive()

    def connect(self, server: str = "") -> socket.socket:
        """Return a connection by TCP."""
        made = self.space.socket("tcp")
        made.connect((server or self.server, 53))
        return made

    def ask_by_tcp(self, name: str, kind: int = A) -> Answer:
        """Ask by TCP."""
        with self.connect() as stream:
            asked = query(name, kind)
            stream.sendall(struct.pack("!H", len(asked)) + asked)
            return Answer(receive(stream))

    def addresses(self, name: str, kind: int = A) -> list[str]:
        """Return what a name has."""
        return self.ask(name, kind).addresses


WEB, DB, CACHE, VAULT = ("1" * 64, "2" * 64, "3" * 64, "4" * 64)
FRONT = Zone(network="front", addresses=["10.89.0.1", "fd00:89::1"])
BACK = Zone(network="back", addresses=["10.89.1.1"])
SECRET = Zone(network="secret", addresses=["10.89.2.1"], internal=True)
ENTRIES = {  # web is on front, db on front and back, cache on back, vault on secret
    "front": [
        Entry(container_id=WEB, v4=["10.89.0.2"], v6=["fd00:89::2"], names=["Web", "www", WEB[:12]]),
        Entry(container_id=DB, v4=["10.89.0.3"], names=["db", DB[:12]]),
    ],
    "back": [
        Entry(container_id=DB, v4=["10.89.1.3"], names=["db", "db-back", DB[:12]]),
        Entry(container_id=CACHE, v4=["10.89.1.4"], names=["cache", CACHE[:12]]),
    ],
    "secret": [Entry(container_id=VAULT, v4=["10.89.2.5"], names=["vault", VAULT[:12]])],
}


class Lab:
    """The namespaces, and the folder that the resolver reads."""

    def __init__(self, base: Path) -> None:
        self.directory = base / "networks"
        self.conf = base / "resolv.conf"
        (self.directory / "names").mkdir(parents=True)
        user = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--propagation=private"]
        self.host = Namespace(*user)
        self.spaces = [self.host]
        bridges = [
            f"ip link add {name} type bridge; ip link set {name} up; ip address add {address} dev {name}"
            for name, address in (("front", "10.89.0.1/24"), ("back", "10.89.1.1/24"), ("secret", "10.89.2.1/24"))
        ]
        setup = "; ".join([*bridges, "ip address add fd00:89::1/64 dev front nodad"])
        self.shared = self.space(setup)
        self.web = self._client("front", "10.89.0.2", "fd00:89::2")
        self.db = self._client("front", "10.89.0.3")
        self.cache = self._client("back", "10.89.1.4")
        self.vault = self._client("secret", "10.89.2.5")

    def space(self, setup: str = "") -> Namespace:
        """Return a network namespace more."""
        made = Namespace(*self.host.inside, "unshare", "--net", "--mount", "--propagation=private", setup=setup)
        self.spaces.append(made)
        return made

    def _client(self, bridge: str, *addresses: str) -> Client:
        space = self.space()
        self.shared.ok(*f"ip link add type veth peer name eth0 netns {space.process.pid}".split())
        link = self.shared.ok("sh", "-c", "ip -o link show type veth | tail -1 | cut -d: -f2 | cut -d@ -f1").strip()
        self.shared.ok(*f"ip link set {link} master {bridge} up".split())
        for address in addresses:
            more = "/64 nodad" if ":" in address else "/24"
            space.ok(*f"ip address add {address}{more} dev eth0".replace(" nodad dev", " dev").split())
        space.ok(*"ip link set eth0 up".split())
        gateway = addresses[0].rpartition(".")[0] + ".1"
        space.ok(*f"ip route add default via {gateway}".split())
        return Client(space, gateway)

    def reset(self) -> None:
        """Bring the folder, and the host's resolv.conf, back to what they were at first."""
        (self.directory / "netns").touch()
        for file in (self.directory / "names").iterdir():
            file.unlink()
        for zone in (FRONT, BACK, SECRET):
            resolver.write(os.fspath(self.directory), zone, ENTRIES[zone.network])
        self.conf.write_text("nameserver 127.0.0.1\n")

    def end(self) -> None:
        """End all."""
        for client in (self.web, self.db, self.cache, self.vault):
            client.udp.close()
        for space in reversed(self.spaces):
            space.end()


class Running:
    """A resolver."""

    def __init__(self, lab: Lab, program: Path) -> None:
        self.lab = lab
        netns = os.open(f"/proc/{lab.shared.process.pid}/ns/net", os.O_RDONLY)
        ready, theirs = os.pipe()
        self.inode = os.fstat(netns).st_ino
        self.errors = lab.directory.parent / "errors"
        self.findings = lab.directory.parent / "findings"  # its standard error is /dev/null once it is ready
        log = f"log_path={self.findings}"
        environment = {**os.environ, "ASAN_OPTIONS": f"{log}:detect_leaks=0", "UBSAN_OPTIONS": log}
        lock = resolver.take(os.fspath(lab.directory), self.inode)
        assert lock >= 0, "there is one already"
        with open(self.errors, "wb") as errors:
            arguments = [lab.directory, str(netns), str(theirs), str(lock), "-1", lab.conf]
            subprocess.run(
                [*lab.host.inside, program, *arguments],
                check=True,
                pass_fds=[netns, theirs, lock],
                stderr=errors,
                env=environment,
                timeout=60,
            )
        for descriptor in (theirs, netns, lock):
            os.close(descriptor)
        said = os.read(ready, 1)
        os.close(ready)
        assert said == b"+", self.errors.read_text()
        self.pid = int((lab.directory / "resolver.pid").read_text().split()[1])

    def is_alive(self) -> bool:
        """Whether it still answers for this namespace."""
        return resolver.is_alive(os.fspath(self.lab.directory), self.inode)

    def end(self) -> None:
        """End it as podpy does, and wait for that."""
        netns = self.lab.directory / "netns"
        was_alive = self.is_alive()
        had_netns = netns.exists()
        netns.unlink(missing_ok=True)
        wait.for_end(self.pid)
        found = [path.read_text() for path in self.findings.parent.glob(self.findings.name + ".*")]
        assert not found, "\n".join(found)
        assert was_alive or not had_netns, "it has ended before its namespace"
